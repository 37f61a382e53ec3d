/** A server of another mesh at the address of an east-west gateway, and a service that the gateway exposes. */
import {createServer} from 'node:tls';
import {writePrivateKey} from '../../../src/domain/keys/private-key.js';
import type {Cluster} from '../../e2e/harness/cluster.js';
import {eventually} from '../../e2e/harness/processes.js';
import {tinyClusterCa, tinyLeaf, tinyRoot} from '../../helpers/tiny-ca.js';

/** An address of this machine that nothing else uses. */
export const otherAddress = '127.0.0.77';

/** Starts the server on the port of gateways; returns how to stop it. */
export async function startOtherMesh(): Promise<() => Promise<void>> {
  const ca = await tinyClusterCa(await tinyRoot(), 'other');
  const leaf = await tinyLeaf(ca);
  const server = createServer({
    key: writePrivateKey(leaf.key).reveal(),
    cert: [leaf, ca].map(({certificate}) => certificate.pem).join(''),
    ca: ca.certificate.pem,
    requestCert: true,
    ALPNProtocols: ['istio'],
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server.listen(15443, otherAddress, resolve));
  return () =>
    new Promise((resolve) => {
      server.close(() => {
        resolve();
      });
    });
}

/** Deploys a Service whose pod has the label of a sidecar (kwok: it runs nothing), until its pod is ready. */
export async function deployExposed(cluster: Cluster, name: string): Promise<void> {
  const labels = {app: name, 'security.istio.io/tlsMode': 'istio'};
  await cluster.api.apply(`/apis/apps/v1/namespaces/default/deployments/${name}`, {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: {name},
    spec: {
      selector: {matchLabels: {app: name}},
      template: {metadata: {labels}, spec: {containers: [{name: 'app', image: 'app'}]}},
    },
  });
  await cluster.api.apply(`/api/v1/namespaces/default/services/${name}`, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {name},
    spec: {selector: {app: name}, ports: [{name: 'http', port: 80}]},
  });
  await cluster.kubectl('-n', 'default', 'rollout', 'status', `deployment/${name}`, '--timeout', '60s');
  await eventually(`the endpoint of ${name}`, async () => {
    const slices = await cluster.kubectl(
      '-n',
      'default',
      'get',
      'endpointslices',
      '-l',
      `kubernetes.io/service-name=${name}`,
      '-o',
      'json',
    );
    return slices.includes('"ready": true') || undefined;
  });
}

/** Deletes what {@link deployExposed} created. */
export async function removeExposed(cluster: Cluster, name: string): Promise<void> {
  await cluster.kubectl('-n', 'default', 'delete', `deployment/${name}`, `service/${name}`);
}
