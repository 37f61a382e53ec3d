/** A healthy mesh over two networks: a Service leads into one, a Gateway of the Gateway API into the other. */
import {writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {configMap, namespace, type FakeObject} from './fake-kubectl/fake-cluster.js';
import {verifiedMesh, type VerifiedMesh} from './verify-mesh.js';

/** Clusters c1 on network1, c2 on network2. */
export async function meshOfNetworks(): Promise<VerifiedMesh> {
  const mesh = await verifiedMesh('c1', 'c2');
  const [one, two] = [mesh.one('c1').kube, mesh.one('c2').kube];
  const declared = [one, two].map(
    (kube, index) =>
      `  - name: c${String(index + 1)}\n    context: ctx-c${String(index + 1)}\n    network: network${String(index + 1)}\n    uid: ${kube.uid}\n`,
  );
  await writeFile(
    join(mesh.dir, 'mesh.yaml'),
    `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nmeshID: mesh1\nclusters:\n${declared.join('')}`,
  );
  two.put(namespace('istio-system', {'topology.istio.io/network': 'network2'}));
  const values = {global: {meshID: 'mesh1', network: 'network2', multiCluster: {clusterName: 'c2'}}};
  two.put(configMap('istio-system/istio-sidecar-injector', {values: JSON.stringify(values)}));
  two.remove('Deployment', 'istio-system/istio-ingressgateway');
  one.put(eastWestService('network1'));
  one.put(crossNetworkGateway());
  two.put(eastWestGateway('network2'));
  return mesh;
}

/** What Istio's script makes, with an address. */
export function eastWestService(network: string): FakeObject {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {
      name: 'istio-eastwestgateway',
      namespace: 'istio-system',
      labels: {'topology.istio.io/network': network},
    },
    spec: {type: 'LoadBalancer', selector: {istio: 'ingressgateway'}, ports: [{port: 15443}]},
    status: {loadBalancer: {ingress: [{ip: '192.0.2.1'}]}},
  };
}

/** A gateway that another team runs, with its address in the object. */
export function eastWestGateway(network: string): FakeObject {
  return {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'Gateway',
    metadata: {name: 'edge', namespace: 'edge', labels: {'topology.istio.io/network': network}},
    spec: {
      gatewayClassName: 'istio-east-west',
      addresses: [{type: 'IPAddress', value: '192.0.2.2'}],
      listeners: [{name: 'mesh', port: 15008, protocol: 'HBONE'}],
    },
  };
}

/** Exposes all services through the gateway that the Service selects. */
export function crossNetworkGateway(mode = 'AUTO_PASSTHROUGH'): FakeObject {
  return {
    apiVersion: 'networking.istio.io/v1alpha3',
    kind: 'Gateway',
    metadata: {name: 'cross-network-gateway', namespace: 'istio-system'},
    spec: {
      selector: {istio: 'ingressgateway'},
      servers: [{port: {number: 15443, name: 'tls', protocol: 'TLS'}, tls: {mode}, hosts: ['*.local']}],
    },
  };
}
