import {describe, expect, it} from 'vitest';
import {gatewayAddressesCheck} from '../../../src/domain/checks/control-plane/gateway-addresses.js';
import {judgedText} from '../../helpers/suggestions.js';
import type {NetworkGatewayFacts} from '../../../src/domain/facts/facts.js';
import type {Row} from '../../../src/domain/checks/report.js';
import type {ServiceObject} from '../../../src/domain/kube/objects.js';
import {
  addressedGateway,
  missingGateway,
  namedGateways,
  resourceGateway,
  serviceGateway,
} from '../../../src/domain/facts/read/network-gateways.js';
import {known} from '../../../src/domain/observed.js';
import {clusters, controlPlane, evidence, networkGateway, pod, type Overrides} from './healthy.js';

const rows = (overrides: Overrides): readonly Row[] => judgedText([gatewayAddressesCheck], evidence(overrides)).checks;

const oneNetwork: Overrides['mesh'] = {clusters: clusters.map((cluster) => ({...cluster, network: 'network1'}))};
const reinstall = 'kubectl mesh install render cluster1 && kubectl mesh install apply cluster1 --yes';
const script = `"$ISTIO"/samples/multicluster/gen-eastwest-gateway.sh --mesh mesh1 --cluster cluster1 --network network1`;
const old = [controlPlane('cluster1', {version: {major: 1, minor: 7}})];
const ingress = {namespace: 'istio-system', name: 'istio-ingressgateway'};

describe('an east-west gateway', () => {
  it.each<[string, Overrides, string | RegExp, string]>([
    ['is missing', {cluster1: {networkGateways: []}}, /^cluster1: no gateway for network1$/, reinstall],
    [
      'has the label of another network',
      {cluster1: {networkGateways: [networkGateway('network9')]}},
      /no gateway for network1: Service istio-system\/istio-eastwestgateway is for network9/,
      reinstall,
    ],
    [
      'waits for its load balancer',
      {cluster1: {networkGateways: [networkGateway('network1', {addresses: []})]}},
      /pending/,
      'kubectl --context kind-cluster1 -n istio-system describe service/istio-eastwestgateway',
    ],
    [
      'is of type NodePort without selected nodes',
      {cluster1: {networkGateways: [networkGateway('network1', {addresses: [], serviceType: 'NodePort'})]}},
      /nodeSelector/,
      "kubectl --context kind-cluster1 -n istio-system annotate service/istio-eastwestgateway 'traffic.istio.io/nodeSelector={}'",
    ],
    [
      'is reachable inside the cluster only',
      {cluster1: {networkGateways: [networkGateway('network1', {addresses: [], serviceType: 'ClusterIP'})]}},
      /of type ClusterIP/,
      `kubectl --context kind-cluster1 -n istio-system patch service/istio-eastwestgateway -p '{"spec":{"type":"LoadBalancer"}}'`,
    ],
    [
      'does not listen on a gateway port',
      {cluster1: {networkGateways: [networkGateway('network1', {listens: false})]}},
      /15443/,
      `kubectl --context kind-cluster1 -n istio-system patch service/istio-eastwestgateway --type=json -p '[{"op":"add","path":"/spec/ports/-","value":{"name":"tls","port":15443,"targetPort":15443,"protocol":"TCP"}}]'`,
    ],
    [
      'has its port under another number',
      {cluster1: {networkGateways: [networkGateway('network1', {listens: false, renumberedPort: 1})]}},
      /15443/,
      `kubectl --context kind-cluster1 -n istio-system patch service/istio-eastwestgateway --type=json -p '[{"op":"test","path":"/spec/ports/1/name","value":"tls"},{"op":"replace","path":"/spec/ports/1/port","value":15443}]'`,
    ],
    [
      'has an unready pod',
      {
        cluster1: {
          networkGateways: [networkGateway('network1', {namespace: 'edge', pods: [pod('gw-1', {ready: false})]})],
        },
      },
      /Service edge\/istio-eastwestgateway: gw-1 is Running/,
      'kubectl --context kind-cluster1 -n edge describe pod gw-1',
    ],
    [
      'selects no pod',
      {cluster1: {networkGateways: [networkGateway('network1', {pods: [pod('gw-1', {gone: true})]})]}},
      /selects no pod/,
      'kubectl --context kind-cluster1 -n istio-system describe service/istio-eastwestgateway',
    ],
    [
      'has no ready pod beside one that works',
      {
        cluster1: {
          networkGateways: [
            networkGateway('network1'),
            networkGateway('network1', {name: 'second', pods: [pod('gw-1', {ready: false})]}),
          ],
        },
      },
      /Service istio-system\/second: gw-1 is Running/,
      'kubectl --context kind-cluster1 -n istio-system describe pod gw-1',
    ],
  ])('that %s is an error with a command for the cluster', (_, overrides, observed, fix) => {
    expect(rows(overrides)).toMatchObject([
      {result: 'error', observed: expect.stringMatching(observed) as unknown, fix},
    ]);
  });

  it('of a remote is installed with the script of Istio, for the revision there', () => {
    const all = evidence({
      cluster1: {networkGateways: [], controlPlanes: [controlPlane('cluster1', {revision: 'v2'})]},
    });
    const remotes = all.clusters.map((one) => ({...one, cluster: {...one.cluster, role: 'remote' as const}}));
    expect(judgedText([gatewayAddressesCheck], {...all, clusters: remotes}).checks).toMatchObject([
      {result: 'error', fix: `${script} --revision v2 | istioctl --context kind-cluster1 install -y -f -`},
    ]);
  });

  it.each<[string, Overrides]>([
    [
      'another gateway of the network works',
      {cluster1: {networkGateways: [networkGateway('network1', {addresses: []}), networkGateway('network1')]}},
    ],
    ['meshNetworks contains an address', {cluster1: {networkGateways: [addressedGateway('192.0.2.7', 'network1')]}}],
    [
      'one of two pods is ready',
      {cluster1: {networkGateways: [networkGateway('network1', {pods: [pod('a'), pod('b', {ready: false})]})]}},
    ],
  ])('is ok if %s', (_, overrides) => {
    expect(rows(overrides).map(({result}) => result)).toEqual(['ok']);
  });

  describe('of a network shared by two clusters', () => {
    const [one, two] = evidence().clusters;
    if (!one || !two) throw new Error('two clusters');
    const declared = [one.cluster, {...two.cluster, network: 'network1'}, {...two.cluster, name: 'three'}];
    const resultsFor = (...gateways: readonly (readonly NetworkGatewayFacts[])[]) =>
      judgedText([gatewayAddressesCheck], {
        ...evidence({mesh: {clusters: declared}}),
        clusters: gateways.map((networkGateways, index) => ({
          cluster: declared[index] ?? one.cluster,
          facts: {...one.facts, networkGateways: known(networkGateways)},
        })),
      }).checks.map(({result, observed}) => [result, observed]);
    const [first, third] = [networkGateway('network1'), networkGateway('network2')];

    it('serves both', () => {
      expect(resultsFor([first], [], [third])).toMatchObject([['ok', expect.anything()]]);
    });

    it('is a warning if it does not work and the one in the other cluster does', () => {
      expect(resultsFor([first], [networkGateway('network1', {addresses: []})], [third])).toEqual([
        ['warning', expect.stringMatching(/^cluster2: .*pending/)],
      ]);
    });

    it('is reported as missing in both clusters', () => {
      expect(resultsFor([], [], [third]).map(([result]) => result)).toEqual(['error', 'error']);
    });

    it('may be in a cluster that was not checked', () => {
      expect(resultsFor([]).map(([result]) => result)).toEqual(['skipped']);
    });
  });
});

describe('clusters on one network', () => {
  it('require no gateway', () => {
    expect(rows({mesh: oneNetwork, cluster1: {networkGateways: []}})).toMatchObject([{result: 'skipped'}]);
  });

  it.each<[string, Overrides['cluster1'], string, RegExp]>([
    [
      'has it',
      {networkGateways: [networkGateway('network1', {...ingress, declaredBy: 'meshNetworks'})]},
      'ok',
      /ingress/,
    ],
    ['lacks it', {networkGateways: [missingGateway(ingress, 'network1')]}, 'error', /does not exist/],
    [
      'has it without an address',
      {networkGateways: [networkGateway('network1', {...ingress, addresses: []})]},
      'warning',
      /pending/,
    ],
  ])('require the gateway in meshNetworks with Istio 1.7: cluster1 %s', (_, cluster1, result, observed) => {
    expect(rows({mesh: oneNetwork, cluster1: {...cluster1, controlPlanes: old}})).toMatchObject([
      {result, observed: expect.stringMatching(observed) as unknown},
    ]);
  });
});

describe('the gateways that istiod uses', () => {
  const metadata = {name: 'gw', namespace: 'edge', labels: {'topology.istio.io/network': 'n1'}};
  const ports = [{port: 15443}];
  const annotated = {...metadata, annotations: {'traffic.istio.io/nodeSelector': '{}'}};
  const object = (spec: object, status?: object, meta: object = metadata): ServiceObject =>
    ({apiVersion: 'v1', kind: 'Service', metadata: meta, spec: {ports, ...spec}, status}) as ServiceObject;
  const ingressOf = (...ingress: object[]): object => ({loadBalancer: {ingress}});

  it.each<[string, ServiceObject, readonly string[]]>([
    ['an IP', object({type: 'LoadBalancer'}, ingressOf({ip: '192.0.2.1'})), ['192.0.2.1']],
    ['a host name', object({type: 'LoadBalancer'}, ingressOf({hostname: 'lb.example'})), ['lb.example']],
    ['the IP of both', object({type: 'LoadBalancer'}, ingressOf({ip: '192.0.2.1', hostname: 'x'})), ['192.0.2.1']],
    ['nothing while pending', object({type: 'LoadBalancer'}, {loadBalancer: {}}), []],
    ['external IPs of any type', object({externalIPs: ['192.0.2.2']}), ['192.0.2.2']],
    ['no load balancer address of another type', object({type: 'ClusterIP'}, ingressOf({ip: '192.0.2.1'})), []],
    ['no node of a NodePort', object({type: 'NodePort'}), []],
    ['the nodes selected by the annotation', object({type: 'NodePort'}, undefined, annotated), ['nodes']],
  ])('use %s as address', (_, service, addresses) => {
    expect(serviceGateway(service, 'n1', 'Service').addresses).toEqual(addresses);
  });

  it('have the port for mutual TLS by its name', () => {
    const gateway = (port: number) =>
      serviceGateway(
        object({
          ports: [
            {name: 'status-port', port: 15021},
            {name: 'tls', port},
          ],
        }),
        'n1',
        'Service',
      );
    expect(gateway(15444)).toMatchObject({listens: false, renumberedPort: 1});
    expect(gateway(15443)).not.toHaveProperty('renumberedPort');
  });

  it.each([
    [15443, {}, true],
    [15008, {}, true],
    [443, {}, false],
    [8443, {'networking.istio.io/gatewayPort': '8443'}, true],
  ])('listen on port %i with labels %o: %s', (port, labels, listens) => {
    const service = object({ports: [{port}]}, undefined, {...metadata, labels: {...metadata.labels, ...labels}});
    expect(serviceGateway(service, 'n1', 'Service').listens).toBe(listens);
  });

  it.each([
    [[{type: 'IPAddress', value: '192.0.2.1'}], ['192.0.2.1']],
    [[], undefined],
    [[{type: 'NamedAddress', value: 'x'}], undefined],
  ])('include Gateway resources with addresses: %o', (addresses, expected) => {
    const listeners = [{port: 15008, protocol: 'HBONE'}];
    const gateway = {apiVersion: 'v1', kind: 'Gateway', metadata, spec: {addresses, listeners}};
    expect(resourceGateway(gateway)?.addresses).toEqual(expected);
  });

  const meshNetworks = (text: string) =>
    namedGateways([{apiVersion: 'v1', kind: 'ConfigMap', metadata: {name: 'istio'}, data: {meshNetworks: text}}], 'n1');

  it.each(['registryServiceName', 'registry_service_name'])('include Services in meshNetworks, in field %s', (key) => {
    const text = `networks:\n  n1:\n    gateways:\n    - ${key}: gw.edge.svc.cluster.local\n      port: 443\n    - address: 192.0.2.3\n  n2:\n    gateways:\n    - address: 192.0.2.4\n`;
    expect(meshNetworks(text)).toEqual({
      services: [{name: 'gw', namespace: 'edge', port: 443}],
      addresses: ['192.0.2.3'],
    });
  });

  it.each(['', 'networks: {}', 'networks:', '[]', 'networks: {n1: {gateways: 3}}', 'x'])(
    'are none in meshNetworks %j',
    (text) => {
      expect(meshNetworks(text)).toEqual({services: [], addresses: []});
    },
  );

  it('are unknown if meshNetworks is not valid YAML', () => {
    expect(() => meshNetworks('{{{')).toThrow(expect.objectContaining({code: 'API_ERROR'}));
  });
});
