/** `verify` connects to the address of a gateway, as a proxy on another network does. */
import type {AddressInfo} from 'node:net';
import {createServer, type Server} from 'node:tls';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type TinyCa, tinyClusterCa, tinyLeaf, tinyRoot} from '../helpers/tiny-ca.js';
import {pod} from '../helpers/trust-mesh.js';
import {writePrivateKey} from '../../src/domain/keys/private-key.js';
import {eastWestService, meshOfNetworks} from '../helpers/verify-networks.js';
import {verifyJson, type VerifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;
let server: Server | undefined;

beforeEach(async () => {
  mesh = await meshOfNetworks();
});
afterEach(async () => {
  server?.close();
  await mesh.stop();
});

const id = {type: 'uri', value: 'spiffe://cluster.local/ns/shop/sa/cart'} as const;

/** A sidecar that requires a certificate, behind the gateway of c1. Returns the requested names. */
async function serve(ca: TinyCa): Promise<readonly string[]> {
  const leaf = await tinyLeaf(ca, {
    change: (template) => ({...template, extensions: {...template.extensions, subjectAltNames: [id]}}),
  });
  const names: string[] = [];
  server = createServer({
    key: writePrivateKey(leaf.key).reveal(),
    cert: [leaf, ca].map(({certificate}) => certificate.pem).join(''),
    ca: ca.certificate.pem,
    requestCert: true,
    ALPNProtocols: ['istio'],
    SNICallback: (name, done) => {
      names.push(name);
      done(null);
    },
  });
  server.on('tlsClientError', () => undefined);
  await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
  expose((server.address() as AddressInfo).port);
  return names;
}

/** The gateway of c1 has this port, and the service cart a sidecar. */
function expose(port: number): void {
  const {kube, says} = mesh.one('c1');
  const service = eastWestService('network1');
  const labels = {...service.metadata.labels, 'networking.istio.io/gatewayPort': String(port)};
  kube.put({
    ...service,
    metadata: {...service.metadata, labels},
    spec: {externalIPs: ['127.0.0.1'], selector: {istio: 'ingressgateway'}, ports: [{port}]},
    status: {},
  });
  kube.put(pod('istio-system/gateway-1', {}, {istio: 'ingressgateway'}));
  kube.put({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: {name: 'cart', namespace: 'shop'},
    spec: {ports: [{port: 53, protocol: 'UDP'}, {port: 8080}]},
  });
  const shards = {'cart.shop.svc.cluster.local': {shop: {Shards: {'Kubernetes/c1': [{TLSMode: 'istio'}]}}}};
  says.instead['/debug/endpointShardz'] = {status: 200, text: JSON.stringify(shards)};
}

const check = async (...argv: readonly string[]) => (await verifyJson(mesh, '--only', 'MESH423', ...argv)).rows[0];

describe('MESH423', () => {
  it('is ok if a workload of the mesh answers', async () => {
    const names = await serve(mesh.one('c1').ca);
    expect(await check()).toMatchObject({result: 'ok'});
    expect(names).toEqual(['outbound_.8080_._.cart.shop.svc.cluster.local']);
  });

  it('is an error if another mesh answers', async () => {
    await serve(await tinyClusterCa(await tinyRoot(), 'other'));
    expect(await check()).toMatchObject({result: 'error', observed: expect.stringMatching(/not signed by/) as unknown});
  });

  it('is skipped if nothing answers', async () => {
    expose(1);
    expect(await check()).toMatchObject({
      result: 'skipped',
      reason: expect.stringMatching(/presents nothing/) as unknown,
    });
  });

  it('is skipped without a service with a sidecar, and with --no-live', async () => {
    expect(await check()).toMatchObject({result: 'skipped', reason: expect.stringMatching(/no service/) as unknown});
    expect(await check('--no-live')).toMatchObject({result: 'skipped'});
  });

  it('is skipped for a headless Service', async () => {
    await serve(mesh.one('c1').ca);
    const metadata = {name: 'cart', namespace: 'shop'};
    mesh.one('c1').kube.put({
      apiVersion: 'v1',
      kind: 'Service',
      metadata,
      spec: {clusterIP: 'None', ports: [{port: 8080}]},
    });
    expect(await check()).toMatchObject({result: 'skipped'});
  });
});
