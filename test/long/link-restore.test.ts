import {appendFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, describe, expect, it} from 'vitest';
import Link from '../../src/commands/link.js';
import type {LinkedPeer, LinkResult} from '../../src/operations/discovery/report-link.js';
import {type FakeMonitor, startFakeMonitor} from '../helpers/fake-istiod.js';
import type {FakeObject} from '../helpers/fake-kubectl/fake-cluster.js';
import {linkMesh, type LinkMesh} from '../helpers/link-mesh.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {pod} from '../helpers/trust-mesh.js';

let mesh: LinkMesh;
let second: FakeMonitor | undefined;
afterEach(async () => {
  second?.close();
  second = undefined;
  await mesh.stop();
});

async function link(...argv: string[]): Promise<{readonly code: number; readonly result: LinkResult}> {
  const run = await runCommand(Link, [...argv, '-o', 'json'], mesh.env);
  return {code: run.code, result: answerOf(run) as LinkResult};
}

const codes = ({clusters}: LinkResult) => clusters.map(({name, error}) => `${name} ${error?.code ?? ''}`.trim());
const peerOf = ({clusters}: LinkResult, reader: string, peer: string): LinkedPeer | undefined =>
  clusters.find(({name}) => name === reader)?.peers.find((one) => one.peer === peer);
const remoteName = 'istio-system/istio-remote-secret-c2';
const remote = (): FakeObject | undefined => mesh.cluster('c1').get('Secret', remoteName);
const secretWrites = () => mesh.cluster('c1').writes.filter(({resource}) => resource === 'secrets');

type Rows = readonly {readonly id: string; readonly secretName: string; syncStatus: string}[];

/** Another istiod pod of c1, which reports the same as the first one, but for what is changed. */
async function secondPod(change: (path: string, answer: unknown) => unknown): Promise<void> {
  second = await startFakeMonitor('c1', {});
  const {current} = mesh.istiod('c1').monitor.says;
  for (const path of ['/debug/clusterz', '/debug/endpointShardz']) {
    second.says.current[path] = () => change(path, current[path]?.());
  }
  mesh.cluster('c1').put(pod('istio-system/istiod-2', {}, {app: 'istiod'}));
  mesh.cluster('c1').forwards['istiod-2'] = {'15014': second.port};
}

/** Clusters c1 and c2, linked, with another address of c2, so that the remote secret is to be replaced. */
async function changedAddress(version = '1.31.0'): Promise<FakeObject['data']> {
  mesh = await linkMesh(['c1', 'c2'], {version});
  expect((await link()).code).toBe(0);
  await appendFile(join(mesh.dir, 'mesh.yaml'), '    apiServer: {url: https://another.example:6443}\n');
  return remote()?.data;
}

describe('a change that not every istiod pod has read', () => {
  it('is undone if the second pod reports a timeout', async () => {
    const before = await changedAddress();
    await secondPod((path, answer) =>
      path === '/debug/clusterz'
        ? (answer as Rows).map((row) => (row.id === 'c2' ? {...row, syncStatus: 'timeout'} : row))
        : answer,
    );
    const {code, result} = await link('--yes');
    expect([code, peerOf(result, 'c1', 'c2')?.error]).toMatchObject([
      1,
      {code: 'NOT_SYNCED', message: expect.stringContaining('pod istiod-2') as unknown},
    ]);
    expect(remote()?.data).toEqual(before);
  });

  it('is undone if the pods first report the state before the change', async () => {
    const before = await changedAddress();
    const {status} = mesh.istiod('c1');
    mesh.cluster('c1').before({verb: 'update', resource: 'secrets'}, () => {
      status.c2 = 'synced';
      setTimeout(() => (status.c2 = 'timeout'), 900);
    });
    const {code, result} = await link('--yes');
    expect([code, codes(result)]).toEqual([1, ['c1 NOT_SYNCED', 'c2']]);
    expect(remote()?.data).toEqual(before);
  });

  it('is not complete before the endpoints are there', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    let isServed = false;
    let from = Infinity;
    await secondPod((path, answer) => {
      if (path === '/debug/clusterz') {
        if ((answer as Rows).length > 1) from = Math.min(from, Date.now() + 1500);
        return answer;
      }
      if (Date.now() >= from) {
        isServed = true;
        return answer;
      }
      return {'kubernetes.default.svc.cluster.local': {default: {Shards: {'Kubernetes/c1': [{}]}}}};
    });
    expect((await link('c1')).code).toBe(0);
    expect(isServed).toBe(true);
  });

  it('and that another client has changed again is left to that client', async () => {
    await changedAddress();
    const {status} = mesh.istiod('c1');
    status.c2 = 'syncing';
    const other = Buffer.from('by another client').toString('base64');
    mesh.cluster('c1').before({verb: 'update', resource: 'secrets'}, () => {
      setTimeout(() => {
        mesh.cluster('c1').put({...remote()!, data: {c2: other}});
        // What a real istiod does with such content.
        const {current} = mesh.istiod('c1').monitor.says;
        current['/debug/clusterz'] = () => [{id: 'c2', secretName: remoteName, syncStatus: 'timeout'}];
      }, 500);
    });
    const {code, result} = await link('--yes');
    expect([code, codes(result)]).toEqual([1, ['c1 NOT_SYNCED', 'c2']]);
    expect(remote()?.data).toEqual({c2: other});
  });

  it('is undone with the finalizers and annotations of the previous remote secret', async () => {
    const before = await changedAddress();
    const {metadata} = remote()!;
    const more = {finalizers: ['example.com/keep']};
    mesh.cluster('c1').put({...remote()!, metadata: {...metadata, ...more}});
    mesh.istiod('c1').status.c2 = 'timeout';
    expect((await link('--yes')).code).toBe(1);
    expect(remote()).toMatchObject({data: before, metadata: {...more, annotations: metadata.annotations}});
  });

  it('is undone if the run is aborted meanwhile', async () => {
    const before = await changedAddress();
    mesh.istiod('c1').status.c2 = 'syncing';
    const {code, result} = await link('--yes', '--timeout', '4s');
    expect([code, peerOf(result, 'c1', 'c2')]).toMatchObject([124, {outcome: 'cancelled', error: {code: 'TIMEOUT'}}]);
    expect(remote()?.data).toEqual(before);
  });

  it('is undone if the run is aborted while the write is under way', async () => {
    const before = await changedAddress();
    const reader = mesh.cluster('c1');
    const updates = {verb: 'update', resource: 'secrets'};
    // The API server handles the write three seconds after it was sent, when the run has been aborted.
    mesh.cluster('c2').before({verb: 'create', resource: 'serviceaccounts'}, () => (reader.latencyMs = 3000));
    reader.before(updates, () => (reader.latencyMs = 0));
    mesh.istiod('c1').status.c2 = 'syncing';
    const {code} = await link('--yes', '--timeout', '3s');
    expect([code, remote()?.data]).toEqual([124, before]);
    expect(reader.writes.filter(({verb}) => verb === 'update')).toHaveLength(2);
  });
});

describe('an istiod that loses endpoints', () => {
  /** Lets c1's istiod behave as 1.30.3: after a change of a remote secret it has no endpoints until it restarts. */
  function loseEndpoints(): void {
    const {current} = mesh.istiod('c1').monitor.says;
    const real = current['/debug/endpointShardz'];
    const state = () => ({
      restarted: JSON.stringify(mesh.cluster('c1').get('Deployment', 'istio-system/istiod')?.spec),
      data: JSON.stringify(remote()?.data),
    });
    let started = state();
    current['/debug/endpointShardz'] = () => {
      const now = state();
      if (now.restarted !== started.restarted) started = now;
      return now.data === started.data
        ? real?.()
        : {'kubernetes.default.svc.cluster.local': {default: {Shards: {'Kubernetes/c1': [{}]}}}};
    };
  }

  const restarts = () =>
    mesh
      .cluster('c1')
      .requests.filter(({verb, resource, dryRun}) => verb === 'patch' && resource === 'deployments' && !dryRun);

  async function revoked(): Promise<FakeObject['data']> {
    mesh = await linkMesh(['c1', 'c2'], {version: '1.30.3'});
    expect((await link()).code).toBe(0);
    mesh.cluster('c2').remove('Secret', 'istio-system/kubectl-mesh-reader-c1');
    loseEndpoints();
    return remote()?.data;
  }

  it('is not made to: nothing is written if it may not be restarted', async () => {
    const before = await revoked();
    const writes = secretWrites().length;
    mesh.cluster('c1').deny({verb: 'patch', resource: 'deployments'});
    const {code, result} = await link('--restart-istiod');
    expect([code, codes(result)]).toEqual([4, ['c1 FORBIDDEN', 'c2']]);
    expect([secretWrites().length, remote()?.data]).toEqual([writes, before]);
  });

  it('is reported until it has restarted, if the restart failed', async () => {
    const before = await revoked();
    const {metadata, spec, ...canary} = mesh.cluster('c1').get('Deployment', 'istio-system/istiod')!;
    const selector = {matchLabels: {app: 'istiod', 'istio.io/rev': 'canary'}};
    mesh.cluster('c1').put({
      ...canary,
      metadata: {...metadata, name: 'istiod-canary', labels: {app: 'istiod', 'istio.io/rev': 'canary'}},
      spec: {...(spec as object), selector},
    });
    let allow: (() => void) | undefined;
    const patches = {verb: 'patch', resource: 'deployments'};
    mesh.cluster('c1').before(
      patches,
      ({dryRun}) => {
        if (!dryRun) allow ??= mesh.cluster('c1').deny(patches);
      },
      Infinity,
    );
    const failed = await link('--restart-istiod');
    // The remote secret was written, so that the outcome is not unknown.
    expect([failed.code, codes(failed.result)]).toEqual([1, ['c1 FORBIDDEN', 'c2']]);
    expect(JSON.stringify(peerOf(failed.result, 'c1', 'c2')?.error?.hints)).toContain(
      'rollout restart deployment/istiod deployment/istiod-canary',
    );
    expect(remote()?.data).toEqual(before);
  });

  it('of an earlier change is restarted, or refused without the flag', async () => {
    await revoked();
    // As istioctl renews it, or a run that was killed before the restart.
    const {code} = await link('--restart-istiod');
    expect(code).toBe(0);
    mesh.cluster('c1').put({
      ...remote()!,
      data: {c2: Buffer.from(`${mesh.cluster('c1').secretText(remoteName).c2 ?? ''}\n`).toString('base64')},
    });
    const refused = await link();
    expect([refused.code, codes(refused.result)]).toEqual([5, ['c1 LOSES_ENDPOINTS', 'c2']]);
    const before = restarts().length;
    const restarted = await link('--restart-istiod');
    expect([restarted.code, peerOf(restarted.result, 'c1', 'c2')]).toMatchObject([0, {plan: 'unchanged'}]);
    expect(restarts()).toHaveLength(before + 1);
    expect((await link()).code).toBe(0);
    expect(restarts()).toHaveLength(before + 1);
  });

  it('is restarted again after the previous remote secret was restored', async () => {
    const before = await revoked();
    mesh.istiod('c1').status.c2 = 'timeout';
    const {code, result} = await link('--restart-istiod');
    expect([code, codes(result)]).toEqual([1, ['c1 NOT_SYNCED', 'c2']]);
    expect([restarts().length, remote()?.data]).toEqual([2, before]);
  });

  it('is restarted also if the run is aborted after the change', async () => {
    const before = await revoked();
    mesh.istiod('c1').status.c2 = 'syncing';
    const {code} = await link('--restart-istiod', '--timeout', '4s');
    expect([code, restarts().length, remote()?.data]).toEqual([124, 2, before]);
  });
});
