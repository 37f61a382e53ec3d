/** `verify --wait`: what it follows, how it asks for what nobody tells, and how it ends. */
import {rename, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {createDeps, type Composition} from '../../src/cli/deps.js';
import Verify from '../../src/commands/verify.js';
import {execute} from '../../src/engine/engine.js';
import {verifyMesh, type VerifyResult} from '../../src/operations/verify/verify.js';
import {
  configMap,
  type FakeCluster,
  type FakeObject,
  type FakeRequest,
  type RequestMatch,
} from '../helpers/fake-kubectl/fake-cluster.js';
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
  readonly ids: readonly string[];
}

/** Far more than any of these takes; a test that waits for it has failed. */
const long = '2m';

async function wait(timeout: string, argv: readonly string[] = [], env: Record<string, string> = {}): Promise<Waited> {
  const run = await runCommand(Verify, ['--wait', '--timeout', timeout, ...argv, '-o', 'json'], {...mesh.env, ...env});
  const result = answerOf(run) as VerifyResult;
  const bad = result.checks.filter(({result: one, impliedBy}) => !['ok', 'skipped'].includes(one) && !impliedBy);
  return {code: run.code, verdict: result.verdict, error: result.error?.code, ids: bad.map(({id}) => id)};
}

const ready = (): FakeObject => pod('istio-system/istiod-1', {}, {app: 'istiod'});
const pending = (): FakeObject => pod('istio-system/istiod-1', {status: {phase: 'Pending'}}, {app: 'istiod'});
const requests = (verb: string, resource: string): readonly FakeRequest[] =>
  kube.requests.filter((one) => one.verb === verb && one.resource === resource);
/** How often it was looked: each look lists the pods once; watches ask for one object only, for the version. */
const looks = (): number => requests('list', 'pods').filter(({query}) => query.get('limit') !== '1').length;
/** Runs at the `at`th look, before it sees a pod. */
const atLook = (at: number, run: () => void): void => {
  kube.before({verb: 'list', resource: 'pods'}, () => looks() === at && run(), 1000);
};
const once = (match: RequestMatch, run: () => void): void => {
  kube.before(match, run);
};

describe('following', () => {
  it('opens one watch for each kind that is read, sees a change through it, and closes it', async () => {
    kube.put(pending());
    // Not before the look that follows the opening is over: nothing but an event can tell of it.
    once({verb: 'watch', resource: 'pods'}, () => {
      setTimeout(() => kube.put(ready()), 1500);
    });
    expect(await wait(long, ['--skip', 'MESH303'])).toMatchObject({code: 0, verdict: 'ok'});
    expect(looks()).toBe(3);
    const watched = kube.requests.filter(({verb}) => verb === 'watch');
    const names = watched.map(({resource, namespace, query}) =>
      [namespace ?? '*', resource, query.get('fieldSelector') ?? ''].join(' ').trim(),
    );
    expect(names.sort()).toEqual([...new Set(names)].sort());
    expect(names).toEqual(
      expect.arrayContaining([
        '* configmaps metadata.name=istio-ca-root-cert',
        '* namespaces',
        'istio-system configmaps',
        'istio-system deployments',
        'istio-system pods',
        'istio-system secrets metadata.name=cacerts',
      ]),
    );
    expect(watched.map(({query}) => query.get('resourceVersion'))).not.toContain(null);
    expect(kube.watches).toBe(0);
  });

  it('asks for nothing at all while nothing changes', async () => {
    kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1'}, 2));
    let quiet = 0;
    // The second look is the last: what is asked for after it would be polling.
    setTimeout(() => {
      quiet = kube.requests.length;
    }, 2000);
    expect(await wait('5s', ['--only', 'MESH402'])).toMatchObject({code: 124, error: 'TIMEOUT', ids: ['MESH402']});
    expect(looks()).toBe(2);
    expect(kube.requests.length).toBe(quiet);
  });

  it('watches only what the selected checks read, and no Secret with --no-secrets', async () => {
    kube.put(pending());
    once({verb: 'watch', resource: 'pods'}, () => kube.put(ready()));
    await wait(long, ['--only', 'MESH402']);
    const kinds = kube.requests.filter(({verb}) => verb === 'watch').map(({resource}) => resource);
    expect(kinds.sort()).toEqual(['configmaps', 'deployments', 'pods']);
    kube.put(pending());
    once({verb: 'watch', resource: 'pods'}, () => kube.put(ready()));
    await wait(long, ['--no-secrets', '--no-live']);
    expect(kube.requests.filter(({resource}) => resource === 'secrets')).toEqual([]);
  });

  it('takes no notice of the leases of old istiods', async () => {
    kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1'}, 2));
    const lease = configMap('istio-system/istio-leader', {});
    lease.metadata.annotations = {'control-plane.alpha.kubernetes.io/leader': '{}'};
    const renewing = setInterval(() => kube.put(lease), 200);
    expect(await wait('3s', ['--only', 'MESH402'])).toMatchObject({code: 124});
    clearInterval(renewing);
    expect(looks()).toBe(2);
  });

  it.each([
    ['an ended watch', () => setTimeout(() => kube.endWatches(), 700)],
    ['a version that is too old (410)', () => kube.fault({verb: 'watch', resource: 'pods'}, {status: 410})],
    ['a broken connection', () => kube.fault({verb: 'watch', resource: 'pods'}, 'drop')],
  ])('goes on after %s', async (_, spoil) => {
    kube.put(pending());
    spoil();
    // Nobody else would tell: the look that follows the opening sees it Pending.
    kube.before(
      {verb: 'watch', resource: 'pods'},
      () => requests('watch', 'pods').length === 2 && setTimeout(() => kube.put(ready()), 500),
      10,
    );
    expect(await wait(long, ['--only', 'MESH402'])).toMatchObject({code: 0, verdict: 'ok'});
    expect(requests('watch', 'pods').length).toBe(2);
  });

  it('sees a file that is mended in the work directory', async () => {
    const file = join(mesh.dir, 'mesh.yaml');
    const other = join(mesh.dir, 'other.yaml');
    const text = `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: c1\n    context: ctx-c1\n    uid: ${kube.uid}\n    network: network1\n`;
    await writeFile(file, `${text}meshID: another\n`);
    await writeFile(other, `${text}meshID: mesh1\n`);
    // As editors write: another file, moved to the name.
    setTimeout(() => void rename(other, file), 1500);
    expect(await wait(long, ['--only', 'MESH406'])).toMatchObject({code: 0, verdict: 'ok'});
  });
});

describe('what nobody tells', () => {
  it('which CA an istiod has loaded: it is asked again', async () => {
    const {ca, present} = mesh.one('c1');
    const before = await tinyClusterCa(mesh.root, 'c1');
    const [old, current] = [await tinyLeaf(before), await tinyLeaf(ca)];
    present([old, before, mesh.root]);
    atLook(4, () => {
      present([current, ca, mesh.root]);
    });
    expect(await wait(long)).toMatchObject({code: 0, verdict: 'ok'});
    expect(looks()).toBe(4);
  });

  it('is asked less and less often', async () => {
    const before = await tinyClusterCa(mesh.root, 'c1');
    mesh.one('c1').present([await tinyLeaf(before), before, mesh.root]);
    expect(await wait('6s')).toMatchObject({code: 124, ids: ['MESH303']});
    // At the start, when the watches are open, and one and two seconds after that.
    expect(looks()).toBeGreaterThan(2);
    expect(looks()).toBeLessThan(6);
  });

  it('what may be read and not watched: it is asked again, and the watch is not', async () => {
    kube.put(pending());
    kube.deny({verb: 'watch', resource: 'pods'});
    atLook(4, () => kube.put(ready()));
    expect(await wait(long)).toMatchObject({code: 0, verdict: 'ok'});
    expect(requests('watch', 'pods').length).toBe(1);
  });
});

describe('the end', () => {
  it.each<[string, () => unknown, string[], Record<string, string>]>([
    ['a right that is missing', () => kube.deny({verb: 'list', resource: 'pods'}), ['MESH202'], {}],
    ['a login that has expired', () => (kube.token = 'another'), ['MESH201'], {}],
    ['a context that is not there', () => writeFile(join(mesh.dir, 'contexts.yaml'), 'c1: gone\n'), ['MESH201'], {}],
    ['a tool that is missing', () => undefined, ['MESH201'], {PATH: '/nowhere'}],
  ])('comes at once, as unknown, at %s', async (_, spoil, ids, env) => {
    await spoil();
    const waited = await wait(long, [], env);
    expect(waited).toMatchObject({code: 4, verdict: 'unknown', error: undefined});
    expect(waited.ids).toEqual(expect.arrayContaining(ids));
    expect(kube.requests.filter(({verb}) => verb === 'watch')).toEqual([]);
  });

  it('does not come at a cluster that does not answer yet', async () => {
    const refused = {status: 502, text: 'dial tcp 127.0.0.1:6443: connect: connection refused'};
    kube.fault({}, refused, 5);
    expect(await wait(long)).toMatchObject({code: 0, verdict: 'ok'});
  });

  it('does not come at a cluster that stops answering, nor at what it refuses while it starts', async () => {
    kube.put(pending());
    const refused = {status: 502, text: 'dial tcp 127.0.0.1:6443: connect: connection refused'};
    once({verb: 'watch', resource: 'pods'}, () => {
      setTimeout(() => {
        kube.fault({}, refused, 1);
        kube.endWatches();
        kube.fault(
          {verb: 'list', resource: 'deployments'},
          {
            status: 403,
            message: 'deployments.apps is forbidden: User "test" cannot list resource "deployments"',
          },
        );
        kube.put(ready());
      }, 1500);
    });
    expect(await wait(long)).toMatchObject({code: 0, verdict: 'ok'});
  });

  it('comes at once when it is interrupted, and leaves no watch', async () => {
    kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1'}, 2));
    once({verb: 'watch', resource: 'pods'}, () => {
      setTimeout(() => process.emit('SIGTERM', 'SIGTERM'), 500);
    });
    const run = await runCommand(Verify, ['--wait', '-o', 'json'], mesh.env);
    expect([run.code, answerOf(run)]).toMatchObject([130, {error: {code: 'INTERRUPTED'}}]);
    expect(kube.watches).toBe(0);
  });

  it('comes with the time that is given, with the rows as they were last', async () => {
    await mesh.writeCa('c1', textsOf(bundleOf(await tinyClusterCa(mesh.root, 'c1'), [mesh.root])));
    expect(await wait('2s', ['--only', 'MESH301'])).toMatchObject({code: 124, error: 'TIMEOUT', ids: ['MESH301']});
  });

  it('comes with the time that is given where nothing stops the run, as in up', async () => {
    kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1'}, 2));
    const {deps, settings, report, close} = await depsOf();
    const request = {
      mesh: {clusters: [], context: undefined, istioNamespace: undefined},
      selection: {only: ['MESH402'], skip: []},
      limits: {noSecrets: false, noLive: false, offline: false},
      waitMs: 1500,
      failOn: 'error',
      typed: {},
    } as const;
    const result = await execute(verifyMesh, request, {deps, settings, report}).finally(close);
    expect([result.error?.code, result.verdict, looks()]).toEqual(['TIMEOUT', 'error', 2]);
  });
});

/** What `up` runs its steps with: nothing that aborts. */
async function depsOf(): Promise<Composition> {
  const before = process.env.PATH;
  process.env.PATH = mesh.env.PATH;
  try {
    return await createDeps({'work-dir': mesh.dir, quiet: true}, new AbortController().signal);
  } finally {
    process.env.PATH = before;
  }
}
