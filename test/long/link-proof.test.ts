import {afterEach, describe, expect, it} from 'vitest';
import Link from '../../src/commands/link.js';
import type {LinkedPeer, LinkResult} from '../../src/operations/discovery/report-link.js';
import {linkMesh, type LinkMesh} from '../helpers/link-mesh.js';
import {configMap} from '../helpers/fake-kubectl/fake-cluster.js';
import {pod} from '../helpers/trust-mesh.js';
import {answerOf, runCommand} from '../helpers/run-command.js';

let mesh: LinkMesh;
afterEach(() => mesh.stop());

async function link(...argv: string[]): Promise<{readonly code: number; readonly result: LinkResult}> {
  const run = await runCommand(Link, [...argv, '-o', 'json'], mesh.env);
  return {code: run.code, result: answerOf(run) as LinkResult};
}

const peersOf = ({clusters}: LinkResult, reader: string): readonly LinkedPeer[] =>
  clusters.find(({name}) => name === reader)?.peers ?? [];
const outcomes = ({clusters}: LinkResult): readonly string[] => clusters.map(({name, outcome}) => `${name} ${outcome}`);

describe('an istiod that reports less', () => {
  it('than which clusters it has read is linked with a warning: versions before 1.11', async () => {
    mesh = await linkMesh(['c1', 'c2'], {version: '1.10.6'});
    for (const name of ['c1', 'c2']) {
      const {instead} = mesh.istiod(name).monitor.says;
      instead['/debug/clusterz'] = {status: 404, text: ''};
      instead['/debug/endpointShardz'] = {status: 404, text: ''};
    }
    const {code, result} = await link();
    expect([code, outcomes(result)]).toEqual([0, ['c1 done', 'c2 done']]);
    expect(result.warnings).toMatchObject([
      {cluster: 'c1', message: expect.stringContaining('1.10.6') as unknown},
      {cluster: 'c2', message: expect.stringContaining('not verified') as unknown},
    ]);
    const again = await link();
    expect([again.code, outcomes(again.result), again.result.warnings]).toEqual([
      0,
      ['c1 unchanged', 'c2 unchanged'],
      [],
    ]);
  });

  it('than whether it could read them is linked with a warning: versions before 1.16', async () => {
    mesh = await linkMesh(['c1', 'c2'], {version: '1.15.7'});
    const {code, result} = await link();
    expect([code, outcomes(result)]).toEqual([0, ['c1 done', 'c2 done']]);
    expect(result.warnings).toMatchObject([
      {cluster: 'c1', message: expect.stringContaining('1.15.7') as unknown},
      {cluster: 'c2', message: expect.stringContaining('not verified') as unknown},
    ]);
  });

  it('than the endpoints is proven by the list of its clusters: versions before 1.20.8', async () => {
    mesh = await linkMesh(['c1', 'c2'], {version: '1.19.9'});
    for (const name of ['c1', 'c2']) {
      mesh.istiod(name).monitor.says.instead['/debug/endpointShardz'] = {status: 404, text: ''};
    }
    const {code, result} = await link();
    expect([code, outcomes(result), result.warnings]).toEqual([0, ['c1 done', 'c2 done'], []]);
    mesh.istiod('c1').status.c2 = 'timeout';
    mesh.cluster('c2').remove('Secret', 'istio-system/kubectl-mesh-reader-c1');
    expect(peersOf((await link()).result, 'c1')[0]?.error?.code).toBe('NOT_SYNCED');
  });
});

it.each([
  ['that reads some namespaces only need not have the endpoints that every cluster has', true, 0],
  ['that reads all namespaces has to have them', false, 124],
])('an istiod %s', async (_, isSelective, code) => {
  mesh = await linkMesh(['c1', 'c2']);
  const selectors = 'discoverySelectors:\n- matchLabels:\n    mesh: "yes"\n';
  mesh.cluster('c1').put(configMap('istio-system/istio', {mesh: isSelective ? selectors : ''}));
  mesh.istiod('c1').monitor.says.current['/debug/endpointShardz'] = () => ({
    'kubernetes.default.svc.cluster.local': {default: {Shards: {'Kubernetes/c1': [{}]}}},
  });
  expect((await link('c1', '--timeout', '8s')).code).toBe(code);
});

describe('a second istiod pod', () => {
  const notReady = {status: {phase: 'Running', conditions: [{type: 'Ready', status: 'False'}]}};
  /** Nothing listens on its ports. */
  const addPod = (more: Record<string, unknown> = {}): void => {
    mesh.cluster('c1').put(pod('istio-system/istiod-2', more, {app: 'istiod'}));
    mesh.cluster('c1').forwards['istiod-2'] = {'15014': 1};
  };

  it('that is not ready does not hold up a renewal that the others prove, and is named', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    await link();
    addPod(notReady);
    mesh.cluster('c2').remove('Secret', 'istio-system/kubectl-mesh-reader-c1');
    for (const [plan, outcome] of [
      ['renew', 'done'],
      ['unchanged', 'unchanged'],
    ]) {
      const {code, result} = await link();
      expect([code, peersOf(result, 'c1')]).toMatchObject([0, [{plan, outcome}]]);
      expect(result.warnings).toMatchObject([{cluster: 'c1', message: expect.stringContaining('istiod-2') as unknown}]);
    }
  });

  it('that is ready and does not respond makes the cluster unknown', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    addPod();
    const {code, result} = await link();
    expect([code, result.clusters[0]?.error?.code]).toEqual([4, 'UNREACHABLE']);
    expect(mesh.cluster('c1').writes).toEqual([]);
  });

  it('that is not ready decides if no other one is', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    addPod(notReady);
    mesh.cluster('c1').remove('Pod', 'istio-system/istiod-1');
    expect((await link()).code).toBe(4);
  });

  it('that no longer exists when it is read is not waited for: the pods are listed again', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    addPod();
    Object.defineProperty(mesh.cluster('c1').forwards, 'istiod-2', {
      get: () => {
        mesh.cluster('c1').remove('Pod', 'istio-system/istiod-2');
        return undefined;
      },
    });
    const {code, result} = await link();
    expect([code, outcomes(result), result.warnings]).toEqual([0, ['c1 done', 'c2 done'], []]);
  });
});

it('a pair that was changed before another one met a conflict is reported as changed', async () => {
  mesh = await linkMesh(['c1', 'c2', 'c3']);
  await link();
  for (const peer of ['c2', 'c3']) mesh.cluster(peer).remove('Secret', 'istio-system/kubectl-mesh-reader-c1');
  const reader = mesh.cluster('c1');
  const name = 'istio-remote-secret-c3';
  reader.before({verb: 'update', resource: 'secrets', name}, () => {
    const found = reader.get('Secret', `istio-system/${name}`);
    if (!found) throw new Error(`no ${name}`);
    reader.put({...found, metadata: {...found.metadata, annotations: {...found.metadata.annotations, note: 'x'}}});
  });
  const {code, result} = await link();
  expect([code, outcomes(result)]).toEqual([0, ['c1 done', 'c2 done', 'c3 done']]);
  expect(peersOf(result, 'c1').map(({peer, plan, outcome}) => [peer, plan, outcome])).toEqual([
    ['c2', 'renew', 'done'],
    ['c3', 'renew', 'done'],
  ]);
  const writes = reader.writes.filter((one) => one.name === 'istio-remote-secret-c2');
  // Once when the clusters were linked first.
  expect(writes).toHaveLength(2);
});

it('a Secret that istiod still lists, but that no longer exists, is not the remote secret', async () => {
  mesh = await linkMesh(['c1', 'c2']);
  const {current} = mesh.istiod('c1').monitor.says;
  const real = current['/debug/clusterz'] as () => readonly {readonly secretName: string}[];
  current['/debug/clusterz'] = () => {
    const rows = real();
    const gone = {id: 'c2', secretName: 'istio-system/gone', syncStatus: 'synced'};
    return rows.some(({secretName}) => secretName !== '') ? rows : [...rows, gone];
  };
  const {code, result} = await link();
  expect([code, peersOf(result, 'c1')]).toMatchObject([
    0,
    [{plan: 'create', outcome: 'done', secret: 'istio-system/istio-remote-secret-c2'}],
  ]);
});
