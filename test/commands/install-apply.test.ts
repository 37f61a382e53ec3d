import {readFile, rm, writeFile} from 'node:fs/promises';
import {writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import Init from '../../src/commands/init.js';
import InstallApply from '../../src/commands/install/apply.js';
import InstallRender from '../../src/commands/install/render.js';
import type {FakeCluster, FakeObject} from '../helpers/fake-kubectl/fake-cluster.js';
import {startFakeIstioctl, type FakeIstioctl, type IstioctlCall} from '../helpers/fake-istioctl/fake-istioctl.js';
import {installedIstiod, installInto} from '../helpers/fake-istioctl/installed-istiod.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {putCacerts, textsOf, trustMesh, type TrustMesh} from '../helpers/trust-mesh.js';

let mesh: TrustMesh;
let istioctl: FakeIstioctl;

const names = ['c1', 'c2'];
/** By cluster, as install render writes it: it depends only on mesh.yaml, so it is rendered once. */
const installYaml = new Map<string, string>();

async function start(): Promise<void> {
  mesh = await trustMesh(names, {yaml: 'meshID: mesh1\n', clusterYaml: '    network: network1\n'});
  istioctl = await startFakeIstioctl(mesh.kube.bin);
}

async function stop(): Promise<void> {
  await istioctl.stop();
  await mesh.stop();
}

beforeAll(async () => {
  await start();
  expect((await runCommand(InstallRender, [], mesh.env)).code).toBe(0);
  for (const name of names) installYaml.set(name, await readFile(join(mesh.dir, name, 'install.yaml'), 'utf8'));
  await stop();
});

beforeEach(async () => {
  await start();
  istioctl.answer = installInto(mesh.kube, istioctl);
  for (const name of names) {
    putCacerts(mesh.cluster(name), textsOf(mesh.bundle(name)));
    await writeFile(join(mesh.dir, name, 'install.yaml'), installYaml.get(name) ?? '');
  }
});

afterEach(stop);

interface Answer {
  readonly clusters: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly change?: string;
    readonly error?: {readonly code: string; readonly message: string; readonly hints: readonly string[]};
  }[];
  readonly error?: {readonly code: string; readonly message: string; readonly hints: readonly string[]};
}

const apply = (...argv: string[]): Promise<CommandRun> => runCommand(InstallApply, [...argv, '-o', 'json'], mesh.env);
const answer = (run: CommandRun): Answer => answerOf(run) as Answer;
const errorOf = (run: CommandRun) => answer(run).error ?? answer(run).clusters[0]?.error;
const contextsOf = (calls: readonly IstioctlCall[]) => calls.map(({args}) => args[args.indexOf('--context') + 1]);

/** Expects that neither istioctl nor a write reached the cluster. */
function expectUntouched(cluster: FakeCluster): void {
  expect(cluster.writes).toEqual([]);
  expect(istioctl.calls).toEqual([]);
}

describe('install apply', () => {
  it('passes istioctl exactly the bytes that install render printed', async () => {
    const printed = await runCommand(InstallRender, ['c1', '--output-file', '-'], mesh.env);
    const run = await apply('c1');
    expect(run.code).toBe(0);
    expect(answer(run).clusters).toMatchObject([{name: 'c1', outcome: 'done', change: 'install'}]);
    expect(istioctl.calls).toHaveLength(1);
    expect(istioctl.calls[0]?.content).toBe(printed.stdout);
    expect(istioctl.calls[0]?.args).toEqual([
      'install',
      '-y',
      '--readiness-timeout',
      '300s',
      '-f',
      expect.not.stringContaining(mesh.dir) as string,
      '--context',
      'ctx-c1',
    ]);
  });

  it('repeats the given target flags in the suggested command', async () => {
    mesh.cluster('c1').remove('Secret', 'istio-system/cacerts');
    const run = await apply('c1', '--context', 'ctx-c1');
    expect(run.code).toBe(5);
    expect(errorOf(run)?.hints).toContainEqual(expect.stringContaining('kubectl mesh trust push c1 --context ctx-c1'));
  });

  it("installs one cluster first, then the rest, and shows istioctl's output", async () => {
    const run = await apply();
    expect(run.code).toBe(0);
    expect(contextsOf(istioctl.calls)).toEqual(['ctx-c1', 'ctx-c2']);
    expect(run.stderr).toContain('Installation complete');
  });

  it('does not start another cluster after the first failed', async () => {
    istioctl.answer = () => ({exitCode: 1, stderr: 'Error: boom\n'});
    const run = await apply();
    expect(run.code).toBe(1);
    expect(contextsOf(istioctl.calls)).toEqual(['ctx-c1']);
    expect(answer(run).clusters).toMatchObject([{outcome: 'failed'}, {outcome: 'skipped'}]);
  });

  it('changes nothing in a dry run', async () => {
    const before = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    for (const kind of ['client', 'server']) {
      const run = await apply(`--dry-run=${kind}`);
      expect(run.code).toBe(0);
      expect(answer(run)).toMatchObject({dryRun: kind, clusters: [{outcome: 'skipped', change: 'install'}, {}]});
    }
    expectUntouched(mesh.cluster('c1'));
    expect(await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8')).toBe(before);
  });
});

describe('run again', () => {
  it('is unchanged, without running istioctl, if nothing has changed', async () => {
    await apply('c1');
    const writes = mesh.cluster('c1').writes.length;
    const run = await apply('c1');
    expect(run.code).toBe(0);
    expect(answer(run).clusters).toMatchObject([{outcome: 'unchanged', change: 'unchanged'}]);
    expect(istioctl.calls).toHaveLength(1);
    expect(mesh.cluster('c1').writes).toHaveLength(writes);
  });

  it('applies the same bytes again without a prompt if another manager took a field', async () => {
    await apply('c1');
    mesh.cluster('c1').put(installedIstiod({time: '2026-01-02T00:00:00Z'}));
    const run = await apply('c1');
    expect(run.code).toBe(0);
    expect(answer(run).clusters).toMatchObject([{outcome: 'done', change: 'repair'}]);
    expect(istioctl.calls).toHaveLength(2);
  });

  it('resumes after a failure without a prompt', async () => {
    istioctl.answer = (call) => ({...installInto(mesh.kube, istioctl)(call), exitCode: 1});
    expect((await apply('c1')).code).toBe(1);
    istioctl.answer = installInto(mesh.kube, istioctl);
    const run = await apply('c1');
    expect(run.code).toBe(0);
    expect(answer(run).clusters).toMatchObject([{outcome: 'done', change: 'repair'}]);
  });

  it('prompts before different bytes replace the running installation', async () => {
    await apply('c1');
    const text = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    await writeFile(join(mesh.dir, 'mesh.yaml'), text.replace('mesh1', 'mesh2'));
    await runCommand(InstallRender, ['c1'], mesh.env);
    const refused = await apply('c1');
    expect(refused.code).toBe(5);
    expect(errorOf(refused)?.code).toBe('CONFIRMATION_NEEDED');
    expect(istioctl.calls).toHaveLength(1);
    const run = await apply('c1', '-y');
    expect(run.code).toBe(0);
    expect(answer(run).clusters).toMatchObject([{change: 'replace', outcome: 'done'}]);
  });
});

describe('refusals', () => {
  it.each<[string, () => unknown, string, number]>([
    [
      'no cacerts',
      () => {
        mesh.cluster('c1').remove('Secret', 'istio-system/cacerts');
      },
      'NO_CACERTS',
      5,
    ],
    [
      'cacerts without a key',
      () => {
        const certificates = Object.entries(textsOf(mesh.bundle('c1'))).filter(([name]) => name !== 'ca-key.pem');
        putCacerts(mesh.cluster('c1'), Object.fromEntries(certificates));
      },
      'NO_CACERTS',
      5,
    ],
    [
      'a tls.crt that takes precedence over the same four files',
      () => {
        putCacerts(mesh.cluster('c1'), {
          ...textsOf(mesh.bundle('c1')),
          'tls.crt': mesh.bundle('c2').caCert,
          'ca.crt': mesh.bundle('c2').rootCert,
        });
      },
      'NO_CACERTS',
      5,
    ],
    ['no install.yaml', () => rm(join(mesh.dir, 'c1/install.yaml')), 'FILE_MISSING', 2],
    [
      'an older running Istio version',
      () => mesh.cluster('c1').put(installedIstiod({version: '1.30.3'})),
      'VERSION_CHANGE',
      5,
    ],
    [
      'an Istio that Helm installed',
      () =>
        mesh.cluster('c1').put(
          installedIstiod({
            labels: {'install.operator.istio.io/owning-resource': 'unknown'},
            annotations: {'meta.helm.sh/release-name': 'istiod'},
          }),
        ),
      'FOREIGN_OWNER',
      5,
    ],
    [
      'a running istiod with another clusterName',
      () => mesh.cluster('c1').put(installedIstiod({clusterName: 'Kubernetes'})),
      'CLUSTER_RENAME',
      5,
    ],
    [
      'a cluster without read permission',
      () => {
        mesh.cluster('c1').deny({verb: 'list', resource: 'clusterroles'});
      },
      'FORBIDDEN',
      4,
    ],
    [
      'a cluster that does not respond',
      () => {
        mesh.cluster('c1').fault({resource: 'secrets'}, {status: 500}, 99);
      },
      'API_ERROR',
      4,
    ],
    [
      'invalid output of istioctl',
      () => {
        istioctl.version = {raw: 'garbage'};
      },
      'TOOL_OUTPUT',
      4,
    ],
    ['a missing istioctl', () => rm(join(mesh.kube.bin, 'istioctl')), 'TOOL_MISSING', 4],
  ])('%s: nothing is changed', async (_what, arrange, code, exit) => {
    await arrange();
    const run = await apply('c1', '-y');
    expect(errorOf(run)?.code).toBe(code);
    expect(run.code).toBe(exit);
    expectUntouched(mesh.cluster('c1'));
  });

  it('reports the differences of a stale install.yaml, and the command that fixes it', async () => {
    const text = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    await writeFile(join(mesh.dir, 'mesh.yaml'), text.replace('mesh1', 'mesh2'));
    const run = await apply('c1');
    expect(run.code).toBe(5);
    const error = answer(run).clusters[0]?.error;
    expect(error).toMatchObject({code: 'STALE_INSTALL'});
    expect(error?.message).toContain('meshID: mesh2');
    expect(error?.hints[0]).toBe('render it with: kubectl mesh install render c1');
    expectUntouched(mesh.cluster('c1'));
  });

  it('never rename a running cluster, whatever is allowed, until its clusterName is declared', async () => {
    mesh.cluster('c1').put(installedIstiod({clusterName: 'Prod_EU.2'}));
    const all = ['--upgrade', '--force-version', '--take-over', '--accept-uid', '-y'];
    expect(errorOf(await apply('c1', ...all))?.code).toBe('CLUSTER_RENAME');
    expectUntouched(mesh.cluster('c1'));
    const hint = errorOf(await apply('c1'))?.hints[1] ?? '';
    expect(hint).toContain('kubectl mesh init c1 --istio-name c1=Prod_EU.2');
    expect((await runCommand(Init, ['c1', '--istio-name', 'c1=Prod_EU.2'], mesh.env)).code).toBe(0);
    expect((await runCommand(InstallRender, ['c1'], mesh.env)).code).toBe(0);
    const run = await apply('c1', '-y');
    expect(run.code).toBe(0);
    expect(istioctl.calls[0]?.content).toContain('clusterName: Prod_EU.2');
  });

  it.each<[string, string[], () => void]>([
    ['--upgrade', ['--upgrade'], () => mesh.cluster('c1').put(installedIstiod({version: '1.30.3'}))],
    ['--force-version', ['--force-version'], () => mesh.cluster('c1').put(installedIstiod({version: '1.32.0'}))],
    [
      '--take-over',
      ['--take-over'],
      () =>
        mesh.cluster('c1').put(
          installedIstiod({
            labels: {'install.operator.istio.io/owning-resource': 'unknown'},
            annotations: {'meta.helm.sh/release-name': 'istiod'},
          }),
        ),
    ],
  ])('%s allows it, after confirmation', async (_flag, argv, arrange) => {
    arrange();
    expect(errorOf(await apply('c1', ...argv))?.code).toBe('CONFIRMATION_NEEDED');
    const run = await apply('c1', ...argv, '-y');
    expect(run.code).toBe(0);
    expect(istioctl.calls).toHaveLength(1);
  });

  it('include another cluster behind the same context, before anything is written', async () => {
    await apply('c1');
    const calls = istioctl.calls.length;
    const text = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    await writeFile(join(mesh.dir, 'mesh.yaml'), text.replace(/uid: .*/, 'uid: another-uid'));
    const run = await apply('c1', '-y');
    expect(run.code).toBe(5);
    expect(errorOf(run)?.code).toBe('UID_MISMATCH');
    expect(istioctl.calls).toHaveLength(calls);
    expect((await apply('c1', '--accept-uid')).code).toBe(0);
  });

  it('does not run istioctl with impersonation', async () => {
    const run = await apply('c1', '--as', 'jane');
    expect(run.code).toBe(2);
    expect(errorOf(run)?.code).toBe('UNSUPPORTED_FLAG');
    expectUntouched(mesh.cluster('c1'));
  });

  it('do not stop the others with --keep-going', async () => {
    mesh.cluster('c1').remove('Secret', 'istio-system/cacerts');
    const run = await apply('--keep-going');
    expect(run.code).toBe(5);
    expect(answer(run).clusters).toMatchObject([{outcome: 'refused'}, {outcome: 'done'}]);
    expect(contextsOf(istioctl.calls)).toEqual(['ctx-c2']);
  });

  it('does not record the UID of a refused cluster, even with --keep-going', async () => {
    expect((await apply()).code).toBe(0);
    const path = join(mesh.dir, 'mesh.yaml');
    const strange = (await readFile(path, 'utf8')).replace(/uid: .*/, 'uid: another-uid');
    await writeFile(path, strange);
    const run = await apply('--keep-going');
    expect(run.code).toBe(5);
    expect(answer(run).clusters).toMatchObject([
      {outcome: 'refused', error: {code: 'UID_MISMATCH'}},
      {outcome: 'unchanged'},
    ]);
    expect(await readFile(path, 'utf8')).toBe(strange);
  });
});

describe('concurrent changes and warnings', () => {
  it('applies only the bytes that were planned', async () => {
    mesh.cluster('c1').before({verb: 'create', resource: 'configmaps'}, () => {
      writeFileSync(join(mesh.dir, 'c1/install.yaml'), 'kind: IstioOperator\n');
    });
    const run = await apply('c1');
    expect(errorOf(run)?.code).toBe('STALE_INSTALL');
    expect(istioctl.calls).toEqual([]);
  });

  it('prompts before it replaces another network label', async () => {
    const label = (network: string): FakeObject => ({
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: {name: 'istio-system', labels: {'topology.istio.io/network': network}},
    });
    mesh.cluster('c1').put(label('other'));
    expect(errorOf(await apply('c1'))).toMatchObject({code: 'CONFIRMATION_NEEDED'});
    expectUntouched(mesh.cluster('c1'));
    expect((await apply('c1', '-y')).code).toBe(0);
    expect(mesh.cluster('c1').get('Namespace', 'istio-system')?.metadata.labels).toMatchObject(
      label('network1').metadata.labels ?? {},
    );
  });

  it('stores the journal entry of the last write in the record, without counting it as a change', async () => {
    await apply('c1');
    const name = 'istio-system/kubectl-mesh-install';
    const head = mesh.cluster('c1').get('ConfigMap', name)?.metadata.annotations?.['kubectl-mesh/journal-head'] ?? '';
    const entries = (await readFile(join(mesh.dir, 'journal.jsonl'), 'utf8')).trim().split('\n');
    const intent = entries.find((line) => head.length > 0 && line.includes(`"hash":"${head.split(':')[1] ?? ''}"`));
    expect(intent).toContain('"action":"c1/install-note"');
    expect((await apply('c1')).code).toBe(0);
    expect(istioctl.calls).toHaveLength(1);
  });

  it('reads and plans again if the record was written concurrently', async () => {
    await apply('c1');
    mesh.cluster('c1').put(installedIstiod({time: '2026-01-02T00:00:00Z'}));
    mesh.cluster('c1').before({verb: 'update', resource: 'configmaps'}, () => {
      const record = mesh.cluster('c1').get('ConfigMap', 'istio-system/kubectl-mesh-install');
      if (record) mesh.cluster('c1').put(record);
    });
    expect((await apply('c1')).code).toBe(0);
    expect(istioctl.calls).toHaveLength(2);
  });

  it.each([
    ['networking.istio.io/v1alpha3', 'EnvoyFilter'],
    ['networking.k8s.io/v1', 'NetworkPolicy'],
    ['policy/v1', 'PodDisruptionBudget'],
  ])('applies again if an object of %s %s was removed', async (apiVersion, kind) => {
    const {metadata} = installedIstiod();
    mesh.cluster('c1').put({apiVersion, kind, metadata: {...metadata, name: 'part'}});
    expect((await apply('c1')).code).toBe(0);
    expect(answer(await apply('c1')).clusters).toMatchObject([{change: 'unchanged'}]);
    mesh.cluster('c1').remove(kind, 'istio-system/part');
    expect(answer(await apply('c1')).clusters).toMatchObject([{change: 'repair'}]);
  });

  it('refuses a Kubernetes version that no longer serves the APIs of the Istio version', async () => {
    istioctl.version = {version: '1.13.9'};
    await runCommand(InstallRender, [], mesh.env);
    const run = await apply('c1');
    expect(run.code).toBe(5);
    expect(errorOf(run)).toMatchObject({
      code: 'KUBERNETES_VERSION',
      message: expect.stringContaining('1.34') as unknown,
    });
    expectUntouched(mesh.cluster('c1'));
    expect((await apply('c1', '--force-version')).code).toBe(0);
  });
});

describe('a second revision', () => {
  const gateway = (change: Record<string, string> = {}): FakeObject => {
    const {metadata, ...object} = installedIstiod();
    const labels = {...metadata.labels, 'operator.istio.io/component': 'IngressGateways', ...change};
    return {...object, metadata: {...metadata, name: 'istio-ingressgateway', labels: {...labels, app: 'gateway'}}};
  };

  beforeEach(async () => {
    const text = await readFile(join(mesh.dir, 'mesh.yaml'), 'utf8');
    await writeFile(join(mesh.dir, 'mesh.yaml'), `${text}istio:\n  revisions: [default, other]\n`);
    expect((await runCommand(InstallRender, ['c1'], mesh.env)).code).toBe(0);
    mesh.cluster('c1').put(installedIstiod());
  });

  it('names the shared objects that it changes, and requires confirmation', async () => {
    mesh.cluster('c1').put(gateway());
    expect(errorOf(await apply('c1'))).toMatchObject({
      code: 'CONFIRMATION_NEEDED',
      message: expect.stringContaining('the ingress gateway of revision default') as unknown,
    });
    expectUntouched(mesh.cluster('c1'));
    const run = await apply('c1', '--dry-run');
    const alsoChanges = ['the ingress gateway of revision default'];
    expect(answer(run).clusters).toMatchObject([{change: 'install', alsoChanges}]);
    expect((await apply('c1', '-y')).code).toBe(0);
  });

  it('refuses a shared gateway of another owner or version', async () => {
    mesh.cluster('c1').put(gateway({'install.operator.istio.io/owning-resource': 'prod'}));
    expect(errorOf(await apply('c1', '-y'))?.code).toBe('FOREIGN_OWNER');
    mesh.cluster('c1').put(gateway({'operator.istio.io/version': '1.30.3'}));
    expect(errorOf(await apply('c1', '-y'))?.code).toBe('VERSION_CHANGE');
    expectUntouched(mesh.cluster('c1'));
    expect((await apply('c1', '-y', '--upgrade')).code).toBe(0);
  });
});

describe('a failure of istioctl', () => {
  const notReady = 'Error: failed to install manifests: failed to wait for resource: resources not ready after 5s\n';

  it("names the pod that is not ready and the reason, and keeps istioctl's output", async () => {
    istioctl.answer = () => ({exitCode: 1, stderr: notReady});
    const cluster = mesh.cluster('c1');
    cluster.put({
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: {name: 'istiod-1', namespace: 'istio-system'},
      status: {
        phase: 'Pending',
        containerStatuses: [{name: 'discovery', ready: false, state: {waiting: {reason: 'ImagePullBackOff'}}}],
      },
    });
    const run = await apply('c1');
    expect(run.code).toBe(1);
    const error = errorOf(run);
    expect(error?.code).toBe('NOT_READY');
    expect(error?.message).toContain('Pod istiod-1: container discovery ImagePullBackOff');
    expect(error?.message).toContain('resources not ready after 5s');
  });

  it('is reported even if the cluster can no longer be reached', async () => {
    istioctl.answer = () => {
      mesh.cluster('c1').deny({resource: 'pods'});
      return {exitCode: 1, stderr: notReady};
    };
    const error = errorOf(await apply('c1'));
    expect(error?.message).toContain('cannot list the pods');
  });

  it('is not a readiness problem if istioctl rejects the document', async () => {
    istioctl.answer = () => ({exitCode: 1, stderr: 'Error: generate config: unknown field "x"\n'});
    expect(errorOf(await apply('c1'))?.code).toBe('TOOL_FAILED');
  });

  it('that hangs is stopped with the command', async () => {
    istioctl.answer = () => ({hang: true});
    const run = await apply('c1', '--timeout', '2s');
    expect(run.code).toBe(124);
    expect(answer(run).clusters).toMatchObject([{outcome: 'cancelled'}]);
    expect(errorOf(run)?.message).toContain('may be partly installed');
    expect(errorOf(run)?.hints).toContainEqual('to complete it, run: kubectl mesh install apply c1');
    expect(run.stderr).toMatch(/^c1: cancelled: /m);
    expect(run.stderr).not.toContain('failed:');
  });

  it('that hangs in the second cluster does not hide the outcome of the first', async () => {
    istioctl.answer = (call) =>
      contextsOf([call])[0] === contextsOf(istioctl.calls)[0] ? installInto(mesh.kube, istioctl)(call) : {hang: true};
    const run = await apply('--timeout', '4s');
    expect(run.code).toBe(124);
    expect(answer(run).clusters).toMatchObject([{outcome: 'done'}, {outcome: 'cancelled'}]);
    expect(answer(run).clusters[1]?.error?.message).toContain('may be partly installed');
  });

  it('that cannot be recorded is a warning, and istioctl runs again next time', async () => {
    istioctl.answer = (call) => {
      mesh.cluster('c1').deny({verb: 'update', resource: 'configmaps'});
      return installInto(mesh.kube, istioctl)(call);
    };
    const run = await apply('c1');
    expect(run.code).toBe(0);
    expect(answerOf(run)).toMatchObject({clusters: [{outcome: 'done'}], warnings: [{cluster: 'c1'}]});
  });
});
