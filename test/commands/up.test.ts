import {createPrivateKey} from 'node:crypto';
import {chmod, mkdtemp, readdir, readFile, rm} from 'node:fs/promises';
import type {AddressInfo} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createServer} from 'node:tls';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import Init from '../../src/commands/init.js';
import Up from '../../src/commands/up.js';
import {parseCertificates} from '../../src/domain/x509/certificate.js';
import type {UpResult} from '../../src/operations/up.js';
import {
  startFakeIstioctl,
  type FakeIstioctl,
  type IstioctlAnswer,
  type IstioctlCall,
} from '../helpers/fake-istioctl/fake-istioctl.js';
import {configMap, type FakeCluster, type FakeObject} from '../helpers/fake-kubectl/fake-cluster.js';
import {startFakeKube, type FakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {seconds, startFakeMonitor} from '../helpers/fake-istiod.js';
import {reader, readRemotes} from '../helpers/link-mesh.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {memorySigner, tinyLeaf, type TinyCa} from '../helpers/tiny-ca.js';
import {contextOf, controlPlane} from '../helpers/verify-mesh.js';

const names = ['c1', 'c2'] as const;
let kube: FakeKube;
let istioctl: FakeIstioctl;
let dir: string;
let env: Readonly<Record<string, string>>;
const servers: {close(): void}[] = [];

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'km-up-'));
  kube = await startFakeKube(names.map((name) => `ctx-${name}`));
  istioctl = await startFakeIstioctl(kube.bin);
  istioctl.answer = install;
  env = {PATH: kube.path, WORK_DIR: dir, KUBECTL_MESH_PASSPHRASE: 'correct horse'};
  for (const name of names) await playIstiod(cluster(name));
});

afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await istioctl.stop();
  await kube.stop();
  await rm(dir, {recursive: true, force: true});
});

const cluster = (name: string): FakeCluster => kube.cluster(`ctx-${name}`);

/** Serves a certificate of the pushed CA, as soon as it is pushed. */
async function playIstiod(fake: FakeCluster): Promise<void> {
  const server = createServer((socket) => socket.on('error', () => undefined));
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const monitor = await startFakeMonitor(fake.context.replace('ctx-', ''), {});
  servers.push(monitor);
  const known = names.map((name) => [name, cluster(name)] as const);
  readRemotes(fake, {name: fake.context.replace('ctx-', ''), monitor, status: {}}, known);
  fake.forwards['istiod-1'] = {'15012': (server.address() as AddressInfo).port, '15014': monitor.port};
  fake.before({verb: 'create', resource: 'secrets', name: 'cacerts'}, ({body}) => {
    const data = (body as FakeObject).data as Record<string, string>;
    const text = (key: string): string => Buffer.from(data[key] ?? '', 'base64').toString();
    const key = createPrivateKey(text('ca-key.pem'));
    const [ca, root] = parseCertificates(text('cert-chain.pem'), 'chain').certificates;
    if (!ca || !root) throw new Error('a chain of two');
    Object.assign(monitor.says, {caEnd: seconds(ca.notAfter), rootEnd: seconds(root.notAfter)});
    const issuer: TinyCa = {key, certificate: ca, signer: memorySigner(key)};
    void tinyLeaf(issuer).then((leaf) => {
      server.setSecureContext(contextOf([leaf, issuer, {...issuer, certificate: root}]));
    });
  });
}

/** Creates the objects that istioctl and istiod create in the cluster. */
function install(call: IstioctlCall): IstioctlAnswer {
  const context = call.args[call.args.indexOf('--context') + 1] ?? '';
  const fake = kube.cluster(context);
  for (const object of controlPlane(context.replace('ctx-', ''))) fake.put(owned(object));
  for (const object of reader()) fake.put(object);
  const bundle = fake.secretText('istio-system/cacerts')['root-cert.pem'] ?? '';
  for (const space of ['default', 'istio-system', 'kube-system']) {
    fake.put(configMap(`${space}/istio-ca-root-cert`, {'root-cert.pem': bundle}));
  }
  return {stdout: '✔ Installation complete\n'};
}

/** The labels and the field manager of istioctl's objects. */
function owned(object: FakeObject): FakeObject {
  const labels = {
    ...object.metadata.labels,
    'install.operator.istio.io/owning-resource': 'kubectl-mesh',
    'operator.istio.io/managed': 'Reconcile',
    'operator.istio.io/component': object.metadata.labels?.['operator.istio.io/component'] ?? 'Pilot',
  };
  const managedFields = [{manager: 'istio-operator', operation: 'Apply', time: '2026-01-01T00:00:01Z', fieldsV1: {}}];
  return {...object, metadata: {...object.metadata, labels, managedFields}};
}

const fromNothing = ['--mesh-id', 'mesh1', '--network', 'network1', '--key-algorithm', 'ecdsa-p256'];

async function up(...argv: string[]): Promise<{code: number; result: UpResult}> {
  const run: CommandRun = await runCommand(Up, [...argv, '-o', 'json'], env);
  return {code: run.code, result: answerOf(run) as UpResult};
}

function outcomes({steps}: UpResult): readonly string[] {
  return steps.map(({command, outcome}) => `${command} ${outcome}`);
}

describe('up', () => {
  it('creates a verified mesh from nothing, and changes nothing when run again', async () => {
    const first = await up('c1', '--context', 'ctx-c1', ...fromNothing);
    expect(outcomes(first.result)).toEqual([
      'certs generate done',
      'trust push done',
      'install render done',
      'install apply done',
      'link unchanged',
      'verify done',
    ]);
    expect([first.code, first.result.verdict]).toEqual([0, 'ok']);
    expect(first.result.clusters).toEqual([{name: 'c1', outcome: 'done'}]);
    const written = cluster('c1').writes.length;
    const second = await up();
    expect(outcomes(second.result)).toEqual([
      'certs generate unchanged',
      'trust push unchanged',
      'install render unchanged',
      'install apply unchanged',
      'link unchanged',
      'verify done',
    ]);
    expect([second.code, second.result.clusters]).toEqual([0, [{name: 'c1', outcome: 'unchanged'}]]);
    expect(cluster('c1').writes).toHaveLength(written);
    expect(istioctl.calls).toHaveLength(1);
  });

  it('signs with a root key in another directory, and continues without it', async () => {
    const stick = await mkdtemp(join(tmpdir(), 'km-stick-'));
    const first = await up('c1', '--context', 'ctx-c1', ...fromNothing, '--root-dir', stick);
    expect([first.code, first.result.verdict]).toEqual([0, 'ok']);
    expect((await readdir(stick)).sort()).toEqual(['root-cert.pem', 'root-key.pem']);
    expect(await readdir(dir)).not.toContain('root-key.pem');
    await rm(stick, {recursive: true});
    expect((await up()).code).toBe(0);
  });

  it('prints no key and no passphrase', async () => {
    const run = await runCommand(Up, ['c1', '--context', 'ctx-c1', ...fromNothing, '-o', 'json'], env);
    expect(run.code).toBe(0);
    expect(run.stdout + run.stderr).not.toMatch(/PRIVATE KEY|correct horse/);
  });

  it('stops at the step that fails, reports completed steps, and resumes there', async () => {
    istioctl.answer = () => ({exitCode: 1, stderr: 'Error: cannot pull the image\n'});
    const first = await up('c1', '--context', 'ctx-c1', ...fromNothing);
    expect(first.code).toBe(1);
    expect(outcomes(first.result)).toEqual([
      'certs generate done',
      'trust push done',
      'install render done',
      'install apply failed',
      'link skipped',
      'verify skipped',
    ]);
    expect(first.result.verdict).toBeUndefined();
    expect(first.result.clusters).toMatchObject([{name: 'c1', outcome: 'failed', error: {code: 'TOOL_FAILED'}}]);
    const key = await readFile(join(dir, 'c1/ca-key.pem'), 'utf8');
    istioctl.answer = install;
    const second = await up('c1');
    expect(second.code).toBe(0);
    expect(outcomes(second.result)).toEqual([
      'certs generate unchanged',
      'trust push unchanged',
      'install render unchanged',
      'install apply done',
      'link unchanged',
      'verify done',
    ]);
    expect(await readFile(join(dir, 'c1/ca-key.pem'), 'utf8')).toBe(key);
  });

  it('prints the error and the command that resumes', async () => {
    cluster('c1').deny({verb: 'get', resource: 'secrets'});
    const run = await runCommand(Up, ['c1', '--context', 'ctx-c1', ...fromNothing], env);
    expect(run.code).toBe(4);
    expect(run.stdout).toMatch(/^certs generate {2}done$/m);
    expect(run.stdout).toMatch(/^trust push {6}unknown$/m);
    expect(run.stdout).toMatch(/c1: unknown: cannot get secrets/);
    expect(run.stdout).toMatch(/^install apply {3}not started$/m);
    expect(run.stdout).toContain(
      'Done: certs generate. To continue: kubectl mesh up c1 --context ctx-c1 --mesh-id mesh1 --network network1',
    );
    expect(cluster('c1').writes).toEqual([]);
    expect(istioctl.calls).toEqual([]);
  });

  it('continues with the clusters that succeeded, with --keep-going', async () => {
    await runCommand(Init, ['c1=ctx-c1', 'c2=ctx-c2'], env);
    cluster('c1').deny({verb: 'create', resource: 'secrets'});
    const {code, result} = await up('--keep-going', '--key-algorithm', 'ecdsa-p256');
    expect(code).not.toBe(0);
    expect(result.clusters.map(({name, outcome}) => [name, outcome === 'done'])).toEqual([
      ['c1', false],
      ['c2', true],
    ]);
    expect(istioctl.calls.map(({args}) => args[args.indexOf('--context') + 1])).toEqual(['ctx-c2']);
  });

  it('lets the clusters read each other, and changes nothing when run again', async () => {
    await runCommand(Init, ['c1=ctx-c1', 'c2=ctx-c2', '--mesh-id', 'mesh1', '--network', 'network1'], env);
    const first = await up('--key-algorithm', 'ecdsa-p256');
    expect([first.code, first.result.verdict]).toEqual([0, 'ok']);
    expect(outcomes(first.result)).toContain('link done');
    expect(cluster('c1').get('Secret', 'istio-system/istio-remote-secret-c2')).toBeDefined();
    const again = await up();
    expect([again.code, outcomes(again.result)]).toEqual([0, expect.arrayContaining(['link unchanged'])]);
    const dry = await up('--dry-run');
    expect([dry.code, outcomes(dry.result)]).toEqual([0, expect.arrayContaining(['link unchanged'])]);
  });

  it('is an error for a cluster that is not in mesh.yaml, before anything is changed', async () => {
    await up('c1', '--context', 'ctx-c1', ...fromNothing);
    const {code, result} = await up('c9');
    expect(code).toBe(2);
    expect(result.steps[0]).toMatchObject({command: 'certs generate', error: {code: 'UNKNOWN_CLUSTER'}});
    expect(result.steps.slice(1).every(({outcome}) => outcome === 'skipped')).toBe(true);
  });

  it('does not rename a running cluster', async () => {
    await up('c1', '--context', 'ctx-c1', ...fromNothing);
    const calls = istioctl.calls.length;
    for (const object of controlPlane('Kubernetes')) kube.cluster('ctx-c1').put(owned(object));
    const {code, result} = await up('--upgrade', '--take-over', '--yes');
    expect([code, result.clusters[0]?.error?.code, istioctl.calls.length]).toEqual([5, 'CLUSTER_RENAME', calls]);
  });

  it('reports findings at the end that it does not fix', async () => {
    await up('c1', '--context', 'ctx-c1', ...fromNothing);
    await chmod(join(dir, 'c1/ca-key.pem'), 0o644);
    const {code, result} = await up();
    expect([code, result.verdict]).toEqual([3, 'error']);
    expect(result.steps.at(-1)).toMatchObject({command: 'verify', outcome: 'failed'});
    const lines = (await runCommand(Up, [], env)).stdout.trim().split('\n');
    expect(lines).toContain('verify          error');
    expect(lines.find((line) => line.startsWith('mesh '))).toMatch(/^mesh {2}1 error, \d+ ok$/);
    expect(lines.slice(-2)).toEqual([
      expect.stringMatching(/^Verdict: error \(1 error, /),
      'Done: certs generate, trust push, install render, install apply, link. To continue: kubectl mesh up',
    ]);
  });

  it('ends as verify does: a line for the mesh and each cluster, every check with -v', async () => {
    const brief = (await runCommand(Up, ['c1', '--context', 'ctx-c1', ...fromNothing], env)).stdout.trim().split('\n');
    expect(brief.slice(5)).toEqual([
      'verify          ok',
      '',
      expect.stringMatching(/^mesh {2}\d+ checks ok$/),
      expect.stringMatching(/^c1 {4}\d+ checks ok$/),
      '',
      expect.stringMatching(/^Verdict: ok \(\d+ ok/),
    ]);
    const full = (await runCommand(Up, ['-v'], env)).stdout;
    expect(full).toMatch(/^ {2}ok {7}MESH301 {2}/m);
  });

  it('shows without a terminal what verify waits for', async () => {
    istioctl.answer = (call) => {
      const answer = install(call);
      const pod = cluster('c1').get('Pod', 'istio-system/istiod-1');
      if (!pod) throw new Error('istiod');
      cluster('c1').put({...pod, status: {phase: 'Pending'}});
      setTimeout(() => {
        cluster('c1').put(pod);
      }, 2500);
      return answer;
    };
    const run = await runCommand(Up, ['c1', '--context', 'ctx-c1', ...fromNothing], env);
    expect([run.code, run.stderr]).toEqual([0, expect.stringMatching(/^c1: waiting: MESH\d+ .*\(0 s of 5 min\)$/m)]);
    expect(run.stderr.match(/waiting:/g)).toHaveLength(1);
  });
});

describe('up --dry-run', () => {
  it('prints the plan, marks steps that depend on an earlier one, and changes nothing', async () => {
    const run = await runCommand(Up, ['c1', '--context', 'ctx-c1', ...fromNothing, '--dry-run'], env);
    expect(run.code).toBe(0);
    expect(run.stdout).toMatch(/^certs generate {2}would change$/m);
    expect(run.stdout).toMatch(/^trust push {6}known after certs generate$/m);
    expect(run.stdout).toMatch(/^install apply {3}known after (?:trust push|install render)$/m);
    expect(run.stdout).toMatch(/^verify {10}known after install apply$/m);
    expect(await readdir(dir)).toEqual([]);
    expect(cluster('c1').writes).toEqual([]);
    expect(istioctl.calls).toEqual([]);
  });

  it('reports no changes for steps after a refused one', async () => {
    await up('c1', '--context', 'ctx-c1', ...fromNothing);
    cluster('c1').deny({verb: 'get', resource: 'secrets'});
    const run = await runCommand(Up, ['c1', '--dry-run'], env);
    expect(run.code).toBe(4);
    expect(run.stdout).toMatch(/^trust push {6}unknown$/m);
    expect(run.stdout).toMatch(/^install apply {3}not reached$/m);
    expect(run.stdout).toMatch(/^verify {10}not reached$/m);
    expect(run.stdout).not.toContain('would change');
  });

  it('reports a mesh without findings', async () => {
    await up('c1', '--context', 'ctx-c1', ...fromNothing);
    const before = cluster('c1').writes.length;
    const {code, result} = await up('--dry-run');
    expect([code, result.dryRun, result.verdict]).toEqual([0, 'client', 'ok']);
    expect(result.steps.filter(({outcome}) => outcome === 'unchanged')).toHaveLength(5);
    expect(cluster('c1').writes).toHaveLength(before);
  });
});
