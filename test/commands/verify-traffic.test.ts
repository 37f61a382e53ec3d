/** `verify --traffic`: what it creates, sends, reports and removes. */
import {writeFile, readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import Verify from '../../src/commands/verify.js';
import {trafficNamespace} from '../../src/domain/traffic/names.js';
import {startFakeTraffic, trafficObjectsIn, type FakeTraffic} from '../helpers/fake-traffic.js';
import {namespace} from '../helpers/fake-kubectl/fake-cluster.js';
import {runCommand} from '../helpers/run-command.js';
import {rowName, verifiedMesh, verifyJson, type VerifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;
let traffic: FakeTraffic;
const names = ['c1', 'c2'] as const;

beforeEach(async () => {
  mesh = await verifiedMesh(...names);
  traffic = await startFakeTraffic({c1: mesh.one('c1').kube, c2: mesh.one('c2').kube});
});

afterEach(async () => {
  traffic.stop();
  await mesh.stop();
});

const verify = (...argv: string[]) =>
  verifyJson(mesh, '--traffic', '--traffic-timeout', '2s', '--only', 'MESH6', ...argv);
const leftovers = () =>
  names.flatMap((name) => trafficObjectsIn(mesh.one(name).kube)).map(({kind, metadata}) => `${kind} ${metadata.name}`);
const ours = {'app.kubernetes.io/managed-by': 'kubectl-mesh', 'kubectl-mesh/traffic': 'true'};
const reset = 'upstream connect error or disconnect/reset before headers. reset reason: connection termination';

describe('verify --traffic', () => {
  it('is ok if every cluster answers every other one, and leaves nothing', async () => {
    const {code, rows, result} = await verify();
    expect([code, rows.map(rowName)]).toEqual([
      0,
      ['MESH601 c1 c2 ok', 'MESH601 c2 c1 ok', 'MESH602 c1 ok', 'MESH602 c2 ok'],
    ]);
    expect(result.mesh.clusters[0]?.reaches).toEqual([
      {cluster: 'c1', result: 'yes', answered: 30, requests: 30},
      {cluster: 'c2', result: 'yes', answered: 30, requests: 30},
    ]);
    expect(leftovers()).toEqual([]);
  });

  it('creates the pods after the policies that protect them, and one Service for each target', async () => {
    await verify();
    const {writes} = mesh.one('c1').kube;
    expect(writes.map(({verb, resource, name}) => [verb, resource, name].filter(Boolean).join(' '))).toEqual([
      `create namespaces ${trafficNamespace}`,
      'create serviceaccounts traffic',
      'create peerauthentications strict',
      'create authorizationpolicies only-this-namespace',
      'create services echo-c1',
      'create services echo-c2',
      'create deployments echo',
      'create deployments client',
      'delete deployments echo',
      'delete deployments client',
      `delete namespaces ${trafficNamespace}`,
    ]);
  });

  it('is recorded in the journal', async () => {
    await verify();
    const journal = await readFile(join(mesh.dir, 'journal.jsonl'), 'utf8');
    for (const action of ['c1/traffic', 'c2/traffic', 'c1/traffic/remove', 'c2/traffic/remove']) {
      expect(journal).toContain(`"action":"${action}"`);
    }
  });

  it('reports a pair whose requests are not answered, in both directions by itself', async () => {
    traffic.answer = (from, to) => (from === 'c1' && to === 'c2' ? reset : undefined);
    const {code, rows} = await verify();
    expect(code).toBe(3);
    expect(rows.map(rowName)).toEqual(['MESH601 c1 c2 error', 'MESH601 c2 c1 ok', 'MESH602 c1 ok', 'MESH602 c2 ok']);
    expect(leftovers()).toEqual([]);
  });

  it('takes nothing but the name of an expected pod for an answer', async () => {
    traffic.answer = (from, to) => (from === 'c1' && to === 'c2' ? 'echo-of-c1' : undefined);
    const {rows} = await verify();
    expect(rows.find(({result}) => result === 'error')).toMatchObject({cluster: 'c1', peer: 'c2'});
  });

  it('waits until proxies are configured for the new pods', async () => {
    let count = 0;
    traffic.answer = () => ((count += 1) <= 4 ? 'no healthy upstream' : undefined);
    expect((await verify()).code).toBe(0);
  });

  it('creates nothing in a dry run', async () => {
    const {code, rows, output} = await verify('--dry-run');
    expect([code, rows.map(({result}) => result)]).toEqual([0, ['skipped', 'skipped', 'skipped', 'skipped']]);
    expect(output).toContain(`create namespace ${trafficNamespace}`);
    for (const name of names) expect(mesh.one(name).kube.writes).toEqual([]);
  });

  it('removes first what a killed run has left', async () => {
    const {kube} = mesh.one('c1');
    const crash = kube.fault({verb: 'delete', resource: 'namespaces'}, {status: 500}, Infinity);
    const first = await verify();
    expect(first.code).not.toBe(0);
    expect(first.result.warnings.map(({cluster}) => cluster)).toContain('c1');
    expect(leftovers()).toContain(`Namespace ${trafficNamespace}`);
    crash();
    const second = await verify();
    expect([second.code, leftovers()]).toEqual([0, []]);
  });

  it('removes what it created if the run is aborted', async () => {
    traffic.answer = () => 'no healthy upstream';
    const run = await runCommand(Verify, ['--traffic', '--only', 'MESH6', '--timeout', '4s', '-o', 'json'], mesh.env);
    expect(run.code).toBe(124);
    const {kube} = mesh.one('c1');
    expect(kube.writes.map(({verb, resource}) => `${verb} ${resource}`)).toContain('create deployments');
    expect(JSON.parse(run.stdout)).toMatchObject({warnings: [], error: {code: 'TIMEOUT'}});
    expect(leftovers()).toEqual([]);
  });
});

describe('a cluster that cannot take part', () => {
  it('is unknown, and the others are measured', async () => {
    mesh.one('c2').kube.deny({verb: 'create', resource: 'namespaces'});
    const {code, rows} = await verify();
    expect(code).toBe(4);
    expect(rows.map(rowName)).toEqual([
      'MESH601 c1 c2 unknown',
      'MESH601 c2 c1 unknown',
      'MESH602 c1 ok',
      'MESH602 c2 unknown',
    ]);
    for (const row of rows.filter(({result}) => result === 'unknown')) expect(row.error?.code).toBe('FORBIDDEN');
    expect(leftovers()).toEqual([]);
  });

  it('gets no pods if they would have no proxy', async () => {
    traffic.withoutProxy.add('c2');
    const {code} = await verify();
    expect(code).toBe(4);
    expect(
      mesh.one('c2').kube.requests.filter(({verb, resource}) => verb === 'create' && resource === 'deployments'),
    ).toEqual([]);
    expect(leftovers()).toEqual([]);
  });

  it('is not changed if the namespace is not ours', async () => {
    mesh.one('c2').kube.put(namespace(trafficNamespace, {team: 'a'}));
    const {code, rows} = await verify();
    expect([code, rows.find(({cluster, result}) => cluster === 'c2' && result === 'unknown')?.error?.code]).toEqual([
      4,
      'FOREIGN_OWNER',
    ]);
    expect(mesh.one('c2').kube.writes).toEqual([]);
    expect(leftovers()).toEqual([`Namespace ${trafficNamespace}`]);
  });

  it('is not changed if its context points to another cluster', async () => {
    const file = join(mesh.dir, 'mesh.yaml');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(mesh.one('c2').kube.uid, 'another-uid'));
    const {rows} = await verify();
    expect(rows.find(({cluster}) => cluster === 'c2')?.error?.code).toBe('UID_MISMATCH');
    expect(mesh.one('c2').kube.writes).toEqual([]);
  });

  it('is not changed while a run of another work directory uses it', async () => {
    const {kube} = mesh.one('c2');
    const heldUntil = (ms: number): void => {
      const held = namespace(trafficNamespace, ours);
      const until = new Date(Date.now() + ms).toISOString();
      const annotations = {
        'kubectl-mesh/run': 'theirs',
        'kubectl-mesh/work-directory': 'theirs',
        'kubectl-mesh/until': until,
      };
      kube.put({...held, metadata: {...held.metadata, annotations}});
    };
    heldUntil(60_000);
    const {code, rows} = await verify();
    expect([code, rows.find(({cluster}) => cluster === 'c2')?.error?.code]).toEqual([4, 'CONFLICT']);
    expect(kube.writes).toEqual([]);
    heldUntil(-1);
    expect((await verify()).code).toBe(0);
    expect(leftovers()).toEqual([]);
  });

  it('is not changed further by a run that another one has overtaken', async () => {
    const {kube} = mesh.one('c2');
    kube.before({verb: 'create', resource: 'namespaces'}, () => {
      const held = namespace(trafficNamespace, ours);
      kube.put({...held, metadata: {...held.metadata, annotations: {'kubectl-mesh/run': 'theirs'}}});
    });
    const {code, rows} = await verify();
    expect([code, rows.find(({cluster}) => cluster === 'c2')?.result]).toEqual([4, 'unknown']);
    expect(leftovers()).toEqual([`Namespace ${trafficNamespace}`]);
    expect(kube.writes.filter(({verb}) => verb === 'delete')).toEqual([]);
    expect(
      mesh.one('c1').kube.writes.filter(({verb, resource}) => verb === 'create' && resource === 'namespaces'),
    ).toHaveLength(1);
  });

  it('is unknown if its pods do not become ready in the time of the run', async () => {
    traffic.pending.add('c2');
    const {code} = await verify('--timeout', '4s');
    expect(code).toBe(124);
    expect(leftovers()).toEqual([]);
  });

  it('loses its pods again if one has no proxy, whatever a dry run showed', async () => {
    traffic.loseProxy.add('c2');
    const {code, rows} = await verify();
    expect([code, rows.find(({cluster}) => cluster === 'c2')?.error?.code]).toEqual([4, 'NOT_READY']);
    expect(leftovers()).toEqual([]);
  });
});

describe('a namespace that access role has created', () => {
  beforeEach(() => {
    for (const name of names) {
      const {kube} = mesh.one(name);
      kube.put(namespace(trafficNamespace, {...ours, 'kubectl-mesh/keep': 'true'}));
      for (const verb of ['create', 'delete']) kube.deny({verb, resource: 'namespaces'});
    }
  });
  const onlyNamespaces = names.map(() => `Namespace ${trafficNamespace}`);

  it('stays, and only the objects in it are created and removed', async () => {
    expect((await verify()).code).toBe(0);
    expect(leftovers()).toEqual(onlyNamespaces);
  });

  it.each(['serviceaccounts', 'services', 'deployments'])(
    'is cleaned up by the run after one that could not remove %s',
    async (resource) => {
      const {kube} = mesh.one('c1');
      const crash = kube.fault({verb: 'delete', resource}, {status: 500}, Infinity);
      const first = await verify();
      expect(first.code).not.toBe(0);
      expect(leftovers().length).toBeGreaterThan(2);
      crash();
      expect((await verify()).code).toBe(0);
      expect(leftovers()).toEqual(onlyNamespaces);
    },
  );

  it('loses its policies only after its pods', async () => {
    await verify();
    const deleted = mesh
      .one('c1')
      .kube.writes.filter(({verb}) => verb === 'delete')
      .map(({resource}) => resource);
    expect([...new Set(deleted)]).toEqual([
      'deployments',
      'services',
      'authorizationpolicies',
      'peerauthentications',
      'serviceaccounts',
    ]);
  });
});

describe('the usage of --traffic', () => {
  it.each([
    [['--only', 'MESH601'], 2],
    [['--traffic', '--offline'], 2],
    [['--traffic', '--only', 'MESH3'], 2],
    [['--traffic', '--skip', 'MESH6'], 2],
    [['--dry-run'], 2],
  ])('%j exits with %i', async (argv, code) => {
    expect((await runCommand(Verify, argv, mesh.env)).code).toBe(code);
  });

  it('leaves the checks out without it', async () => {
    const {rows} = await verifyJson(mesh);
    expect(rows.filter(({id}) => id.startsWith('MESH6'))).toEqual([]);
  });
});
