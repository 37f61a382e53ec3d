import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {startFakeKube, type FakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {startFakeIstioctl, type FakeIstioctl} from '../helpers/fake-istioctl/fake-istioctl.js';
import {clusterNames, meshBox, snapshot, type Box} from './harness/box.js';
import {rows} from './harness/commands.js';
import {expectExit} from './harness/run.js';

let box: Box;
let kube: FakeKube;
let istioctl: FakeIstioctl;

beforeEach(async () => {
  kube = await startFakeKube(clusterNames.map((name) => `ctx-${name}`));
  istioctl = await startFakeIstioctl(kube.bin);
  box = await meshBox([kube.bin]);
});

afterEach(async () => {
  await istioctl.stop();
  await kube.stop();
  await box.dispose();
});

/** Files that the run must not have created or removed. `up` may have read files only. */
async function state(): Promise<unknown> {
  return {...(await snapshot(box.work)), '.journal-head.json': undefined};
}

function writes(): number {
  return clusterNames.reduce((sum, name) => sum + kube.cluster(`ctx-${name}`).writes.length, 0);
}

/** Runs a row against cluster1 and expects an exit code, with nothing written anywhere. */
async function expectRefusal(
  words: readonly string[],
  code: number,
  env: Record<string, string> = {},
): Promise<string> {
  const before = await state();
  const run = await box.run(words, {env: {...box.env, ...env}});
  expectExit(run, code, words.join(' '));
  expect(await state()).toEqual(before);
  expect(writes()).toBe(0);
  // Sockets and other temporary files are gone with the run.
  expect(await snapshot(box.tmp)).toEqual({});
  return run.stdout + run.stderr;
}

/** A folder with what the program needs itself, but neither kubectl nor istioctl nor git. */
async function barePath(): Promise<Record<string, string>> {
  for (const tool of ['sh', 'cat', 'sleep']) await box.tool(tool, `exec /bin/${tool} "$@"`);
  return {PATH: box.bin};
}

const withKubectl = rows(({tools}) => tools.includes('kubectl'));
const withIstioctl = rows(({tools}) => tools.includes('istioctl'));

describe.each(withKubectl)('%s', (_name, row) => {
  const words = row.words('cluster1');

  it('says that kubectl is absent', async () => {
    const path = await barePath();
    await box.tool('istioctl', `echo '{"clientVersion":{"version":"1.31.0"}}'`);
    expect(await expectRefusal(words, 4, path)).toContain('kubectl not found in PATH');
  });

  it('says that kubectl cannot be executed', async () => {
    await box.tool('kubectl', '');
    await box.put('../bin/kubectl', 'not a program\u0000\u0001', 0o755);
    await expectRefusal(words, 4);
  });

  it.each([
    ['prints garbage', 'head -c 20000 /dev/urandom; exit 0'],
    ['prints garbage without end and dies', 'head -c 3000000 /dev/urandom; head -c 3000000 /dev/urandom >&2; exit 7'],
    ['is silent', 'exit 0'],
    ['fails in silence', 'exit 1'],
    ['is too old', 'echo "Error: unknown flag: --append-server-path" >&2; exit 1'],
    ['is killed', 'kill -KILL $$'],
  ])('says what is wrong when kubectl %s', async (_what, script) => {
    await box.tool('kubectl', script);
    const output = await expectRefusal(words, 4);
    expect(output).toContain('kubectl');
    expect(output.length).toBeLessThan(100_000);
    expect(output).not.toMatch(/[\u0000-\u0008\u000e-\u001f]/);
  });

  it('gives up at --timeout when kubectl hangs, and leaves no kubectl behind', async () => {
    const mark = join(box.dir, 'pids');
    await box.tool('kubectl', `echo $$ >> ${mark}; exec sleep 300`);
    await expectRefusal([...words, '--timeout', '1s'], 124);
    expectGone(await box.read('../pids'));
  });

  const {takesContexts = false} = row;

  it.skipIf(takesContexts)('says that the context is missing, and which there are', async () => {
    const text = await box.read('mesh.yaml');
    await box.put('mesh.yaml', text.replace('context: ctx-cluster1', 'context: ctx-cluster'), 0o644);
    expect(await expectRefusal(words, 4)).toContain('has no context "ctx-cluster"');
  });

  it.skipIf(takesContexts)('says that no context is known', async () => {
    const text = await box.read('mesh.yaml');
    await box.put('mesh.yaml', text.replace(/ +context: ctx-cluster1\n/, ''), 0o644);
    expect(await expectRefusal(words, 2)).toContain('cluster1');
  });

  it.skipIf(takesContexts)('passes a hostile context on as a context', async () => {
    const code = words[0] === 'install' || words[0] === 'up' ? [2, 4] : [4];
    const run = await box.run([...words, '--context=--kubeconfig=/etc/passwd']);
    expect(code, run.stderr).toContain(run.code);
    for (const {args} of kube.calls) expect(args.filter((arg) => arg.startsWith('--kubeconfig'))).toEqual([]);
  });

  it('says that the cluster cannot be reached', async () => {
    kube
      .cluster('ctx-cluster1')
      .fault({}, {status: 502, text: 'dial tcp 10.0.0.1:6443: connect: connection refused'}, 999);
    expect(await expectRefusal(words, 4)).toMatch(/ctx-cluster1|cluster1/);
  });

  it('says that the API server answers nonsense', async () => {
    kube.cluster('ctx-cluster1').fault({}, {status: 200, text: '<html>Login</html>'}, 999);
    await expectRefusal(words, 4);
  });

  it('gives a silent API server up at --request-timeout', async () => {
    kube.cluster('ctx-cluster1').fault({}, 'hang', 999);
    await expectRefusal([...words, '--request-timeout', '300ms'], 4);
  });

  it('names the right that is missing', async () => {
    kube.cluster('ctx-cluster1').deny({});
    const output = await expectRefusal(words, 4);
    expect(output).toMatch(/cannot (get|list|create|update|patch) \S+/);
  });
});

describe('the real kubectl', () => {
  it.each(withKubectl)('%s says that the kubeconfig is not there', async (_name, row) => {
    const env = {PATH: `${box.bin}:${process.env.PATH ?? ''}`};
    await box.tool('istioctl', `echo '{"clientVersion":{"version":"1.31.0"}}'`);
    const words = row.words('cluster1');
    const output = await expectRefusal([...words, '--kubeconfig', join(box.dir, 'nowhere')], 4, env);
    expect(output).toContain('nowhere');
  });

  it.each([
    ['is not there', undefined],
    ['is garbage', 'garbage: [\u0000'],
    ['is empty', ''],
    ['has no such context', 'apiVersion: v1\nkind: Config\ncontexts: []\n'],
    [
      'leads nowhere',
      `apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]\nusers: [{name: u, user: {}}]\ncontexts: [{name: ctx-cluster1, context: {cluster: c, user: u}}]\n`,
    ],
    [
      'names a credential plugin that is not there',
      `apiVersion: v1\nkind: Config\nclusters: [{name: c, cluster: {server: "https://127.0.0.1:1"}}]\nusers: [{name: u, user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-plugin, interactiveMode: Never}}}]\ncontexts: [{name: ctx-cluster1, context: {cluster: c, user: u}}]\n`,
    ],
  ])('trust push says that the kubeconfig %s', async (_what, content) => {
    if (content !== undefined) await box.put('../kubeconfig', content);
    const env = {PATH: process.env.PATH ?? '', KUBECONFIG: join(box.dir, 'kubeconfig')};
    await expectRefusal(['trust', 'push', 'cluster1'], 4, env);
  });
});

describe.each(withIstioctl)('%s', (name, row) => {
  const words = row.words('cluster1');

  beforeEach(async () => {
    // Where mesh.yaml names a version, rendering asks nobody.
    const text = await box.read('mesh.yaml');
    await box.put('mesh.yaml', text.replace(/^istio:\n  version: .*\n/m, ''), 0o644);
    expect(await box.read('mesh.yaml')).not.toContain('1.31');
  });

  it.each([
    ['absent', undefined],
    ['garbage', 'head -c 20000 /dev/urandom'],
    ['silent', 'exit 0'],
    ['failing', 'echo broken >&2; exit 1'],
    ['without a version', 'echo "{}"'],
    ['killed', 'kill -KILL $$'],
  ])('says what is wrong when istioctl is %s', async (_what, script) => {
    const path = await barePath();
    await box.tool('kubectl', `exec ${join(kube.bin, 'kubectl')} "$@"`);
    if (script !== undefined) await box.tool('istioctl', script);
    const before = await state();
    const run = await box.run(words, {env: {...box.env, ...path}});
    expectExit(run, 4, words.join(' '));
    expect(run.stdout + run.stderr).toContain('istioctl');
    expect(istioctl.calls).toEqual([]);
    // `up` does what needs no istioctl first; the others change nothing.
    if (name !== 'up') expect(await state()).toEqual(before);
  });

  it('refuses an istioctl that is older than anything known', async () => {
    istioctl.version = {version: '1.4.0'};
    const run = await box.run(words);
    expect([2, 4, 5], run.stderr).toContain(run.code);
    expect(istioctl.calls).toEqual([]);
  });

  it('gives up at --timeout when istioctl hangs', async () => {
    const mark = join(box.dir, 'pids');
    await box.tool('istioctl', `echo $$ >> ${mark}; exec sleep 300`);
    const run = await box.run([...words, '--timeout', '1s']);
    expectExit(run, 124, words.join(' '));
    expectGone(await box.read('../pids'));
  });
});

describe('each right that trust push needs', () => {
  const rights: readonly (readonly [verb: string, resource: string, code: number])[] = [
    ['get', 'namespaces', 4],
    ['get', 'secrets', 4],
    ['list', 'deployments', 4],
    ['create', 'namespaces', 4],
    // The namespace is there by then: something was written.
    ['create', 'secrets', 1],
  ];
  it.each(rights)(
    '%s %s is named when it is refused, and the other clusters are done',
    async (verb, resource, code) => {
      kube.cluster('ctx-cluster2').deny({verb, resource});
      const run = await box.run(['trust', 'push', '--keep-going', '-o', 'json']);
      expectExit(run, code, `${verb} ${resource}`);
      const {clusters} = JSON.parse(run.stdout) as {
        clusters: {name: string; outcome: string; error?: {message: string}}[];
      };
      expect(clusters.map(({name}) => name)).toEqual([...clusterNames]);
      const [first, second, third] = clusters;
      expect([first?.outcome, third?.outcome]).toEqual(['done', 'done']);
      expect(second?.error?.message).toContain(`${verb} ${resource}`);
      expect(kube.cluster('ctx-cluster2').get('Secret', 'istio-system/cacerts')).toBeUndefined();
    },
  );
});

/** None of these processes runs any more. */
function expectGone(pids: string): void {
  const numbers = pids.split('\n').filter(Boolean).map(Number);
  expect(numbers.length).toBeGreaterThan(0);
  for (const pid of numbers) expect(() => process.kill(pid, 0), String(pid)).toThrow('ESRCH');
}
