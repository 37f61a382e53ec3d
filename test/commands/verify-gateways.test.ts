import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import Verify from '../../src/commands/verify.js';
import type {Row} from '../../src/domain/checks/report.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {configMap, type FakeCluster} from '../helpers/fake-kubectl/fake-cluster.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {istiod, pod} from '../helpers/trust-mesh.js';
import {crossNetworkGateway, eastWestService, meshOfNetworks} from '../helpers/verify-networks.js';
import {type VerifiedMesh, verifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;
let kube: FakeCluster;

beforeEach(async () => {
  mesh = await meshOfNetworks();
  kube = mesh.one('c1').kube;
});
afterEach(() => mesh.stop());

const unready = {status: {phase: 'Running', conditions: [{type: 'Ready', status: 'False', reason: 'Waiting'}]}};
const selected = {app: 'edge'};

async function rows(...ids: readonly string[]): Promise<readonly Row[]> {
  const run = await runCommand(Verify, ['--only', ids.join(','), '-o', 'json'], mesh.env);
  return (answerOf(run) as VerifyResult).checks;
}

const bad = (checks: readonly Row[]): readonly string[] =>
  checks
    .filter(({result}) => result !== 'ok' && result !== 'skipped')
    .map(({id, result, observed}) => `${id} ${result}: ${observed}`);

/** The gateway of c1 as the gateway chart installs it: in its own namespace. */
function moveGateway(pods: Record<string, unknown>): void {
  kube.remove('Service', 'istio-system/istio-eastwestgateway');
  const service = eastWestService('network1');
  kube.put({
    ...service,
    metadata: {...service.metadata, namespace: 'edge'},
    spec: {...(service.spec as object), selector: selected},
  });
  kube.put(pod('edge/edge-1', pods, selected));
  kube.put(pod('edge/other-1', {}, {app: 'other'}));
}

describe('MESH411', () => {
  it('sends no requests if all clusters are on one network', async () => {
    await mesh.stop();
    mesh = await verifiedMesh('c1', 'c2');
    expect(await rows('MESH411')).toMatchObject([{result: 'skipped'}]);
    const requested = mesh.one('c1').kube.requests.map(({resource}) => resource);
    expect(requested.filter((resource) => ['services', 'gateways'].includes(resource))).toEqual([]);
  });

  it('does not report pods that MESH403 checks', async () => {
    kube.put(pod('istio-system/gateway-1', unready, {istio: 'ingressgateway'}));
    expect(bad(await rows('MESH403', 'MESH411'))).toEqual([expect.stringMatching(/^MESH403 error: gateway-1/)]);
  });

  it('checks the pods of a gateway in another namespace', async () => {
    moveGateway({});
    expect(bad(await rows('MESH411'))).toEqual([]);
    moveGateway(unready);
    expect(bad(await rows('MESH403', 'MESH411'))).toEqual([
      expect.stringMatching(/^MESH411 error: c1: Service edge\/istio-eastwestgateway: edge-1 is Running: Waiting$/),
    ]);
  });

  it('is unknown without permission to list those pods', async () => {
    moveGateway({});
    kube.deny({verb: 'list', resource: 'pods', namespace: 'edge'});
    expect(await rows('MESH411')).toMatchObject([
      {result: 'unknown', reason: expect.stringMatching(/list pods/) as unknown},
    ]);
  });

  it('reports a missing Gateway of the Gateway API', async () => {
    // In neither version.
    mesh.one('c2').kube.fault({resource: 'gateways'}, {status: 404, text: '404 page not found\n'}, 2);
    expect(bad(await rows('MESH411'))).toEqual(['MESH411 error: c2: no gateway for network2']);
  });

  it('finds a gateway in meshNetworks', async () => {
    kube.remove('Service', 'istio-system/istio-eastwestgateway');
    const {name, namespace} = eastWestService('network1').metadata;
    kube.put({...eastWestService('network1'), metadata: {name, ...(namespace !== undefined && {namespace})}});
    expect(bad(await rows('MESH411'))).toHaveLength(1);
    const meshNetworks =
      'networks: {network1: {gateways: [{registryServiceName: istio-eastwestgateway.istio-system.svc.cluster.local, port: 443}]}}';
    kube.put(configMap('istio-system/istio', {mesh: 'trustDomain: cluster.local\n', meshNetworks}));
    expect(bad(await rows('MESH411'))).toEqual([]);
  });

  it('requires the ingress gateway in meshNetworks for Istio 1.7, also on one network', async () => {
    await mesh.stop();
    mesh = await verifiedMesh('c1', 'c2');
    const {kube: old} = mesh.one('c1');
    const meshNetworks =
      'networks: {network1: {gateways: [{registry_service_name: istio-ingressgateway.istio-system.svc.cluster.local, port: 443}]}}';
    old.put(istiod('1.7.8', {CLUSTER_ID: 'c1'}));
    old.put(configMap('istio-system/istio', {mesh: 'trustDomain: cluster.local\n', meshNetworks}));
    const [missing] = await rows('MESH411');
    expect(missing).toMatchObject({result: 'error', observed: expect.stringMatching(/does not exist/) as unknown});
    expect(missing?.fix).toMatch(/install render c1 && .*install apply c1/);
    const service = eastWestService('network1');
    old.put({...service, metadata: {name: 'istio-ingressgateway', namespace: 'istio-system'}});
    expect(await rows('MESH411')).toMatchObject([{result: 'ok'}]);
  });
});

describe('MESH420 and MESH421', () => {
  const gateways = (name: string) => mesh.one(name).kube;

  beforeEach(() => {
    kube.put(pod('istio-system/gateway-1', {}, {istio: 'ingressgateway'}));
  });

  it('are ok if a Gateway exposes services', async () => {
    expect((await rows('MESH420', 'MESH421')).map(({id, cluster, result}) => [id, cluster, result])).toEqual([
      ['MESH420', 'c1', 'ok'],
      ['MESH420', 'c2', 'skipped'],
      ['MESH421', 'c1', 'ok'],
      ['MESH421', 'c2', 'skipped'],
    ]);
  });

  it('report a Gateway with another mode, and one that is missing', async () => {
    kube.put(crossNetworkGateway('SIMPLE'));
    expect(bad(await rows('MESH420'))).toEqual([expect.stringMatching(/cross-network-gateway has tls.mode SIMPLE/)]);
    kube.remove('Gateway', 'istio-system/cross-network-gateway');
    expect(bad(await rows('MESH420'))).toEqual([expect.stringMatching(/no Gateway selects its pods/)]);
  });

  it('report that there is no Gateway if the cluster does not serve the kind', async () => {
    gateways('c1').fault({resource: 'gateways'}, {status: 404, text: '404 page not found\n'}, 3);
    expect(bad(await rows('MESH420'))).toEqual([expect.stringMatching(/no Gateway selects its pods/)]);
  });

  it('are unknown without permission to list Gateways', async () => {
    kube.deny({verb: 'list', resource: 'gateways'});
    expect(await rows('MESH420')).toMatchObject([{result: 'unknown', cluster: 'c1'}, {cluster: 'c2'}]);
  });

  it('check the pods of a gateway in another namespace', async () => {
    moveGateway({});
    expect(bad(await rows('MESH420', 'MESH421'))).toEqual([
      expect.stringMatching(/^MESH420 error: Service edge\/istio-eastwestgateway: no Gateway selects/),
    ]);
    kube.put({
      ...crossNetworkGateway(),
      spec: {...(crossNetworkGateway().spec as object), selector: selected},
    });
    expect(bad(await rows('MESH420', 'MESH421'))).toEqual([]);
  });

  it('check the Gateways in the primary of a remote', async () => {
    const {dir} = mesh;
    const file = join(dir, 'mesh.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace('  - name: c1\n', '  - name: c1\n    role: remote\n    primary: c2\n'));
    expect(bad(await rows('MESH420'))).toEqual([expect.stringMatching(/no Gateway selects its pods/)]);
    gateways('c2').put(crossNetworkGateway());
    expect(bad(await rows('MESH420'))).toEqual([]);
  });
});
