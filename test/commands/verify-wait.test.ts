/** `verify --wait`: when and what it reads again, and how it ends. */
import {rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createDeps} from '../../src/cli/deps.js';
import {exitCode} from '../../src/cli/exit-code.js';
import Verify from '../../src/commands/verify.js';
import {MeshError} from '../../src/domain/errors.js';
import {execute} from '../../src/engine/engine.js';
import type {Wait} from '../../src/engine/operation.js';
import {verifyMesh, type VerifyRequest, type VerifyResult} from '../../src/operations/verify/verify.js';
import type {FakeCluster, FakeObject} from '../helpers/fake-kubectl/fake-cluster.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa, tinyLeaf} from '../helpers/tiny-ca.js';
import {istiod, pod, textsOf} from '../helpers/trust-mesh.js';
import {verifiedMesh, type VerifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;
let kube: FakeCluster;

beforeEach(async () => {
  mesh = await verifiedMesh('c1');
  kube = mesh.one('c1').kube;
});

afterEach(() => mesh.stop());

interface Waited {
  readonly code: number;
  readonly verdict: VerifyResult['verdict'];
  readonly error: string | undefined;
  /** The checks that do not pass and are not a consequence of another. */
  readonly ids: readonly string[];
  /** The pauses, in milliseconds. */
  readonly pauses: readonly number[];
  /** The progress events, in order. */
  readonly waits: readonly Wait[];
}

interface Waiting extends Partial<Pick<VerifyRequest, 'limits' | 'selection'>> {
  readonly waitMs?: number;
  readonly path?: string;
  /** Runs instead of a pause, which takes no time here; the number starts at 1. */
  readonly atPause?: (pause: number) => unknown;
}

const minute = 60_000;

/** Waits on a clock that advances only during sleeps. */
async function wait({waitMs = 2 * minute, path, atPause, ...rest}: Waiting = {}): Promise<Waited> {
  const before = process.env.PATH;
  process.env.PATH = path ?? mesh.env.PATH;
  const {deps, settings, report, close} = await createDeps(
    {'work-dir': mesh.dir, quiet: true},
    new AbortController().signal,
  ).finally(() => {
    process.env.PATH = before;
  });
  const pauses: number[] = [];
  const waits: Wait[] = [];
  let slept = 0;
  const request: VerifyRequest = {
    mesh: {clusters: []},
    selection: {only: [], skip: []},
    limits: {},
    waitMs,
    failOn: 'error',
    ...rest,
  };
  const clock = {
    now: () => new Date(Date.now() + slept),
    sleep: async (milliseconds: number) => {
      slept += milliseconds;
      pauses.push(milliseconds);
      await atPause?.(pauses.length);
    },
  };
  const result = await execute(verifyMesh, request, {
    deps: {...deps, ...clock},
    settings,
    report(event) {
      if (event.type === 'waiting') waits.push(event.wait);
      report(event);
    },
  }).finally(close);
  const bad = result.checks.filter(({result: one, impliedBy}) => !['ok', 'skipped'].includes(one) && !impliedBy);
  return {
    code: exitCode(verifyMesh.conclude(result, request)),
    verdict: result.verdict,
    error: result.error?.code,
    ids: bad.map(({id}) => id),
    pauses,
    waits,
  };
}

const only = (...ids: string[]): Pick<VerifyRequest, 'selection'> => ({selection: {only: ids, skip: []}});
const ready = (): FakeObject => pod('istio-system/istiod-1', {}, {app: 'istiod'});
const pending = (): FakeObject => pod('istio-system/istiod-1', {status: {phase: 'Pending'}}, {app: 'istiod'});
/** The reads in between: `list pods`, each once. */
function readsSince(start: number): readonly string[] {
  const reads = kube.requests.slice(start).map(({verb, resource}) => `${verb} ${resource}`);
  return [...new Set(reads)].sort();
}
const passes = (): number => kube.requests.filter(({verb, resource}) => verb === 'list' && resource === 'pods').length;

describe('passes', () => {
  it('say what is awaited, where, and for how long', async () => {
    kube.put(pending());
    const {waits} = await wait({...only('MESH402'), atPause: (pause) => pause === 3 && kube.put(ready())});
    const what = expect.stringMatching(/^MESH402 \S/) as unknown;
    expect(waits).toMatchObject(waits.map(() => ({where: 'c1', what, limitMs: 2 * minute})));
    expect(waits.map(({elapsedMs}) => Math.floor(elapsedMs / 1000))).toEqual([0, 1, 3]);
  });

  it('start after 1, 2 and 4 seconds, then every 5 seconds', async () => {
    kube.put(pending());
    const waited = await wait({...only('MESH402'), atPause: (pause) => pause === 6 && kube.put(ready())});
    expect(waited).toMatchObject({code: 0, verdict: 'ok', pauses: [1000, 2000, 4000, 5000, 5000, 5000]});
  });

  it('read only what the checks that do not pass require', async () => {
    kube.put(pending());
    let start = 0;
    const seen: (readonly string[])[] = [];
    await wait({
      selection: {only: ['MESH301', 'MESH402'], skip: []},
      atPause(pause) {
        if (pause > 1) seen.push(readsSince(start));
        start = kube.requests.length;
        if (pause === 3) kube.put(ready());
      },
    });
    expect(seen).toEqual([['list configmaps', 'list deployments', 'list pods'], expect.anything()]);
    expect(seen[1]).toEqual(seen[0]);
    // All checks pass in the third pass: a complete pass confirms it.
    expect(readsSince(start)).toContain('get secrets');
  });

  it('find new problems before all checks are reported as passing', async () => {
    kube.put(pending());
    const secret = kube.get('Secret', 'istio-system/cacerts');
    const waited = await wait({
      ...only('MESH301', 'MESH402'),
      atPause(pause) {
        if (pause === 1) {
          kube.put(ready());
          kube.remove('Secret', 'istio-system/cacerts');
        }
        if (pause === 3 && secret) kube.put(secret);
      },
    });
    expect(waited).toMatchObject({code: 0, verdict: 'ok', pauses: [1000, 2000, 4000]});
  });

  it('read no Secret with --no-secrets', async () => {
    kube.put(pending());
    await wait({limits: {noSecrets: true, noLive: true}, atPause: () => kube.put(ready())});
    expect(kube.requests.filter(({resource}) => resource === 'secrets')).toEqual([]);
  });

  it('detect a fixed file in the work directory', async () => {
    const file = join(mesh.dir, 'mesh.yaml');
    const other = join(mesh.dir, 'other.yaml');
    const text = `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: c1\n    context: ctx-c1\n    uid: ${kube.uid}\n    network: network1\n`;
    await writeFile(file, `${text}meshID: another\n`);
    await writeFile(other, `${text}meshID: mesh1\n`);
    const waited = await wait({...only('MESH406'), atPause: (pause) => pause === 2 && rename(other, file)});
    expect(waited).toMatchObject({code: 0, verdict: 'ok', pauses: [1000, 2000]});
  });

  it('read again which CA a running istiod has loaded', async () => {
    const {ca, present} = mesh.one('c1');
    const before = await tinyClusterCa(mesh.root, 'c1');
    const [old, current] = [await tinyLeaf(before), await tinyLeaf(ca)];
    present([old, before, mesh.root]);
    const waited = await wait({
      atPause(pause) {
        if (pause === 3) present([current, ca, mesh.root]);
      },
    });
    expect(waited).toMatchObject({code: 0, verdict: 'ok', pauses: [1000, 2000, 4000]});
  });
});

describe('the end', () => {
  it.each<[string, () => unknown, string[], string?]>([
    ['a missing permission', () => kube.deny({verb: 'list', resource: 'pods'}), ['MESH202']],
    ['an expired login', () => (kube.token = 'another'), ['MESH201']],
    ['a missing context', () => writeFile(join(mesh.dir, 'contexts.yaml'), 'c1: gone\n'), ['MESH201']],
    ['a missing tool', () => undefined, ['MESH201'], '/nowhere'],
  ])('comes immediately, as unknown, on %s', async (_, spoil, ids, path) => {
    await spoil();
    const waited = await wait({...(path !== undefined && {path})});
    expect(waited).toMatchObject({code: 4, verdict: 'unknown', error: undefined, pauses: []});
    expect(waited.ids).toEqual(expect.arrayContaining(ids));
  });

  it('does not come for a cluster that does not respond yet', async () => {
    const refused = {status: 502, text: 'dial tcp 127.0.0.1:6443: connect: connection refused'};
    kube.fault({}, refused, 5);
    expect(await wait()).toMatchObject({code: 0, verdict: 'ok'});
  });

  it('does not come for a cluster that stops responding, or for refusals while it starts', async () => {
    kube.put(pending());
    const message = 'deployments.apps is forbidden: User "test" cannot list resource "deployments"';
    const waited = await wait({
      atPause(pause) {
        if (pause === 1) kube.fault({}, {status: 502, text: 'dial tcp 127.0.0.1:6443: connect: connection refused'}, 1);
        if (pause === 2) kube.fault({verb: 'list', resource: 'deployments'}, {status: 403, message});
        if (pause === 3) kube.put(ready());
      },
    });
    expect(waited).toMatchObject({code: 0, verdict: 'ok'});
  });

  it('comes if a request is forbidden twice in a row', async () => {
    kube.put(pending());
    const waited = await wait({atPause: (pause) => pause === 1 && kube.deny({verb: 'list', resource: 'pods'})});
    expect(waited).toMatchObject({code: 4, verdict: 'unknown', pauses: [1000, 2000]});
  });

  it('comes immediately on an interrupt, with the rows of the last pass', async () => {
    kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1'}, 2));
    kube.before({verb: 'list', resource: 'pods'}, () => {
      setTimeout(() => process.emit('SIGTERM', 'SIGTERM'), 300);
    });
    const run = await runCommand(Verify, ['--wait', '--only', 'MESH402', '-o', 'json'], mesh.env);
    expect([run.code, answerOf(run)]).toMatchObject([130, {verdict: 'error', error: {code: 'INTERRUPTED'}}]);
  });

  it('comes with --timeout, with the rows of the last pass', async () => {
    await mesh.writeCa('c1', textsOf(bundleOf(await tinyClusterCa(mesh.root, 'c1'), [mesh.root])));
    const run = await runCommand(Verify, ['--wait', '--timeout', '1s', '--only', 'MESH301', '-o', 'json'], mesh.env);
    expect([run.code, answerOf(run)]).toMatchObject([124, {verdict: 'error', error: {code: 'TIMEOUT'}}]);
  });

  it('comes after the given time if nothing aborts the run, as in up', async () => {
    kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1'}, 2));
    const waited = await wait({...only('MESH402'), waitMs: 10_500});
    expect(waited).toMatchObject({code: 124, verdict: 'error', error: 'TIMEOUT', ids: ['MESH402']});
    expect(waited.pauses.slice(0, 3)).toEqual([1000, 2000, 4000]);
    // At the start, and after each pause except the last one, which ends the wait.
    expect(passes()).toBe(4);
  });

  it('comes with the abort signal', async () => {
    kube.put(pending());
    const stopped = new MeshError('INTERRUPTED', 'interrupted');
    const waited = await wait({atPause: () => Promise.reject(stopped)});
    expect(waited).toMatchObject({code: 130, error: 'INTERRUPTED'});
    expect(waited.ids).not.toEqual([]);
  });
});
