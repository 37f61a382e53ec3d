import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import Init from '../../src/commands/init.js';
import {parseMeshFile} from '../../src/domain/mesh/parse.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

let dir: TestWorkDir;
beforeEach(async () => {
  dir = await createWorkDir();
});
afterEach(() => dir.dispose());

const init = (...argv: string[]): Promise<CommandRun> => runCommand(Init, [...argv, '-w', dir.root]);
const initWith = (env: Record<string, string>, ...argv: string[]): Promise<CommandRun> =>
  runCommand(Init, [...argv, '-w', dir.root], env);
const mesh = async () => parseMeshFile(await dir.read('mesh.yaml'));
const codeOf = (run: CommandRun): unknown => (answerOf(run) as {error: {code: string}}).error.code;

interface Answer {
  readonly clusters: readonly {readonly name: string; readonly outcome: string}[];
  readonly changes: readonly string[];
  readonly warnings: readonly {readonly message: string}[];
  readonly dryRun?: string;
}
const answer = (run: CommandRun): Answer => answerOf(run) as Answer;

describe('init', () => {
  it('suggests the next command, with the given work directory', async () => {
    expect((await init()).stdout).toContain(`Next: kubectl mesh init NAME=CONTEXT -w ${dir.root}`);
    expect((await init('cluster1')).stdout).toContain(`Next: kubectl mesh init cluster1=CONTEXT -w ${dir.root}`);
    expect((await init('cluster1=kind-1')).stdout).toContain(
      `Next: kubectl mesh certs generate -w ${dir.root}, or kubectl mesh up -w ${dir.root} for all steps`,
    );
    expect((await initWith({WORK_DIR: dir.root})).stdout).toContain('Next: kubectl mesh certs generate, or');
  });

  it("creates mesh.yaml with the guide's defaults, and a .gitignore that excludes keys", async () => {
    const run = await init('cluster1=kind-1', 'cluster2', '-o', 'json');
    expect(run.code).toBe(0);
    expect(answer(run).clusters).toEqual([
      {name: 'cluster1', context: 'kind-1', network: 'network1', outcome: 'done'},
      {name: 'cluster2', network: 'network1', outcome: 'done'},
    ]);
    expect(await mesh()).toEqual({
      apiVersion: 'kubectl-mesh/v1alpha1',
      kind: 'Mesh',
      meshID: 'mesh1',
      clusters: [
        {name: 'cluster1', context: 'kind-1', network: 'network1'},
        {name: 'cluster2', network: 'network1'},
      ],
    });
    expect((await dir.read('.gitignore')).split('\n')).toContain('*key.pem');
  });

  it('prints each change once, on standard output', async () => {
    const run = await init('a', 'b', 'c', 'd', 'e');
    expect(run.stderr).toBe('');
    expect(run.stdout).toContain('mesh.yaml: added e');
  });

  it('changes nothing when it is run again', async () => {
    await init('cluster1=kind-1', '--mesh-id', 'm', '--network', 'n');
    const before = await dir.snapshot();
    const run = await init('cluster1=kind-1', '--mesh-id', 'm', '--network', 'n', '-o', 'json');
    expect(run.code).toBe(0);
    expect(answer(run)).toMatchObject({changes: [], clusters: [{name: 'cluster1', outcome: 'unchanged'}]});
    expect(await dir.snapshot()).toEqual(before);
  });

  it('writes nothing in a dry run, not even the directory', async () => {
    await dir.remove('.');
    const run = await init('cluster1', '--dry-run', '-o', 'json');
    expect(run.code).toBe(0);
    expect(answer(run)).toMatchObject({dryRun: 'client', clusters: [{name: 'cluster1', outcome: 'skipped'}]});
    await expect(dir.mode('.')).rejects.toThrow('ENOENT');
  });

  it('adds clusters later and preserves every line of mesh.yaml', async () => {
    const text = '# ours\napiVersion: kubectl-mesh/v1alpha1\nkind: Mesh   # always\nclusters:\n  - name: a # first\n';
    await dir.write('mesh.yaml', text);
    expect((await init('b=ctx', '--network', 'n2')).code).toBe(0);
    expect(await dir.read('mesh.yaml')).toBe(`${text}  - name: b\n    context: ctx\n    network: n2\n`);
  });

  it('writes a context that differs from the declared one to contexts.yaml', async () => {
    await init('cluster1=theirs');
    const before = await dir.read('mesh.yaml');
    const run = await init('cluster1=mine', '-o', 'json');
    expect(answer(run).clusters).toMatchObject([{name: 'cluster1', context: 'mine', outcome: 'done'}]);
    expect(answer(run).changes).toContainEqual(expect.stringMatching(/contexts\.yaml.* mine, .*mesh\.yaml$/));
    expect(await dir.read('mesh.yaml')).toBe(before);
    expect(await dir.read('contexts.yaml')).toContain('cluster1: mine');
  });

  it('swaps two contexts if both are given at once', async () => {
    await init('cluster1=one', 'cluster2=two');
    expect((await init('cluster1=two')).code).toBe(2);
    expect((await init('cluster1=two', 'cluster2=one')).code).toBe(0);
    const contexts = await dir.read('contexts.yaml');
    expect([contexts.includes('cluster1: two'), contexts.includes('cluster2: one')]).toEqual([true, true]);
  });

  const guide = {
    MESH: 'mesh9',
    CLUSTER_1: 'one',
    CTX_1: 'ctx-1',
    NETWORK_1: 'net-1',
    CLUSTER_2: 'two',
    CTX_2: 'ctx-2',
    NETWORK_2: 'net-2',
  };

  it("reads the guide's variables", async () => {
    expect((await initWith(guide, '--from-env')).code).toBe(0);
    expect(await mesh()).toMatchObject({
      meshID: 'mesh9',
      clusters: [
        {name: 'one', context: 'ctx-1', network: 'net-1'},
        {name: 'two', context: 'ctx-2', network: 'net-2'},
      ],
    });
  });

  it('reads them only on request, and flags take precedence', async () => {
    expect((await initWith(guide, 'three')).code).toBe(0);
    expect((await mesh()).meshID).toBe('mesh1');
    await dir.remove('mesh.yaml');
    expect((await initWith(guide, '--from-env', '--mesh-id', 'flag', '--network', 'all')).code).toBe(0);
    expect(await mesh()).toMatchObject({meshID: 'flag', clusters: [{network: 'all'}, {network: 'all'}]});
  });

  it.each([
    ['a name that leads outside the directory', ['../x'], {}, 'INVALID_CLUSTER_NAME'],
    ['a name in upper case', ['Cluster1'], {}, 'INVALID_CLUSTER_NAME'],
    ['an empty name', [''], {}, 'INVALID_CLUSTER_NAME'],
    ['a name with a space', ['a b'], {}, 'INVALID_CLUSTER_NAME'],
    ['a name of 64 characters', ['a'.repeat(64)], {}, 'INVALID_CLUSTER_NAME'],
    ['a name that is an option', ['--', '-f'], {}, 'INVALID_CLUSTER_NAME'],
    ['an empty context', ['a='], {}, 'USAGE'],
    ['two contexts for one cluster', ['a=x', 'a=y'], {}, 'USAGE'],
    ['one context for two clusters', ['a=x', 'b=x'], {}, 'CONTRADICTION'],
    ["another cluster's context", ['b=ctx-old'], {}, 'CONTRADICTION'],
    ['another mesh ID', ['--mesh-id', 'other'], {}, 'CONTRADICTION'],
    ['another mesh ID in MESH', ['--from-env'], {MESH: 'other', CLUSTER_1: 'old'}, 'CONTRADICTION'],
    ['another network in NETWORK_1', ['--from-env'], {NETWORK_1: 'other', CLUSTER_1: 'old'}, 'CONTRADICTION'],
    ['a network that is not a valid label', ['a', '--network', 'a b'], {}, 'USAGE'],
    ['variables that name no cluster', ['--from-env'], {MESH: 'm'}, 'MISSING_VALUE'],
    ['a context without a cluster', ['--from-env'], {CLUSTER_1: 'a', CTX_2: 'x'}, 'MISSING_VALUE'],
  ] as [string, string[], Record<string, string>, string][])(
    'rejects %s with exit code 2, and writes nothing',
    async (_what, argv, env, code) => {
      await init('old=ctx-old', '--mesh-id', 'm', '--network', 'n');
      const before = await dir.snapshot();
      const run = await runCommand(Init, ['-o', 'json', '-w', dir.root, ...argv], env);
      expect([run.code, codeOf(run)]).toEqual([2, code]);
      expect(await dir.snapshot()).toEqual(before);
    },
  );

  it('reports line and column of an invalid mesh.yaml, and does not change it', async () => {
    await dir.write('mesh.yaml', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nistio: {version: 1.30}\n');
    const run = await init('a');
    expect(run.code).toBe(2);
    expect(run.stderr).toContain('mesh.yaml:3:18: istio.version');
    expect(await dir.read('mesh.yaml')).not.toContain('clusters');
  });
});

describe("init in a directory created with Istio's Makefiles", () => {
  /** The result of `make NAME-cacerts-selfSigned` in 1.7.8, after "make clean" did not find its Makefile. */
  async function makefile17(name: string, root = 'ROOT'): Promise<void> {
    await dir.write('root-cert.pem', 'ROOT');
    await dir.write('root-key.pem', 'ROOT KEY', 0o600);
    await dir.write('root-cert.csr', 'CSR');
    await dir.write(`${name}/selfSigned-ca-key.pem`, `KEY OF ${name}`, 0o600);
    await dir.write(`${name}/selfSigned-ca-cert.pem`, `CA OF ${name}`);
    await dir.write(`${name}/selfSigned-ca-cert-chain.pem`, `CHAIN OF ${name}`);
    await dir.write(`${name}/root-cert.pem`, root);
    await dir.write(`${name}/intermediate.conf`, '[ req ]');
  }

  it("finds the clusters and copies the files of 1.7 to istiod's names beside the originals", async () => {
    await makefile17('cluster1');
    const before = await dir.snapshot();
    const run = await init('-o', 'json');
    expect(run.code).toBe(0);
    expect(answer(run)).toMatchObject({clusters: [{name: 'cluster1', outcome: 'done'}], warnings: []});
    expect(await dir.snapshot()).toMatchObject(before);
    expect(await dir.read('cluster1/ca-key.pem')).toBe('KEY OF cluster1');
    expect(await dir.mode('cluster1/ca-key.pem')).toBe(0o600);
    expect(await dir.read('cluster1/ca-cert.pem')).toBe('CA OF cluster1');
    expect(await dir.read('cluster1/cert-chain.pem')).toBe('CHAIN OF cluster1');
    expect(answer(await init('-o', 'json')).changes).toEqual([]);
  });

  it('imports the layouts of 1.6 and later byte for byte', async () => {
    for (const name of ['ca-key.pem', 'ca-cert.pem', 'cert-chain.pem', 'root-cert.pem']) {
      await dir.write(`east/${name}`, 'BYTES', name === 'ca-key.pem' ? 0o600 : 0o644);
    }
    await dir.write('root-cert.srl', '01');
    await dir.write('root-cert.pem', 'BYTES');
    await dir.write('root-key.pem', 'BYTES', 0o600);
    const before = await dir.snapshot();
    const run = await init('-o', 'json');
    expect(answer(run).clusters.map(({name}) => name)).toEqual(['east']);
    expect(answer(run).warnings).toEqual([]);
    expect(await dir.snapshot()).toMatchObject(before);
  });

  it('reports problems of the Makefile, and prints no key', async () => {
    await makefile17('cluster1');
    await makefile17('cluster2', 'ANOTHER ROOT');
    await dir.write('k8s-root-cert.pem', '');
    await dir.write('root-key.pem', 'ROOT KEY', 0o644);
    const run = await init('cluster1', '-o', 'json');
    const messages = answer(run).warnings.map(({message}) => message);
    for (const part of ['k8s-root-cert.pem is empty', 'mode 0644', 'different roots', 'init cluster2']) {
      expect(messages).toContainEqual(expect.stringContaining(part));
    }
    const journal = await dir.read('journal.jsonl');
    for (const text of [run.stdout, run.stderr, journal]) expect(text).not.toMatch(/KEY OF|ROOT KEY/);
  });

  it('reports every directory with a CA that is not a cluster, in the directory and below it', async () => {
    await dir.write('root-cert.pem', 'ROOT');
    await dir.write('root-key.pem', 'ROOT KEY', 0o600);
    for (const path of ['east', 'Cluster1', 'prod_eu', 'us.east', 'team/a', 'notes', '.hidden_1']) {
      const names =
        path === 'notes' ? ['readme.pem'] : ['ca-key.pem', 'ca-cert.pem', 'cert-chain.pem', 'root-cert.pem'];
      for (const name of names) await dir.write(`${path}/${name}`, 'ROOT', name === 'ca-key.pem' ? 0o600 : 0o644);
    }
    const run = await init('-o', 'json');
    expect([run.code, answer(run).clusters.map(({name}) => name)]).toEqual([0, ['east']]);
    const messages = answer(run).warnings.map(({message}) => message);
    expect(messages.map((message) => message.split('/ contains')[0])).toEqual([
      'Cluster1',
      'prod_eu',
      'team/a',
      'us.east',
    ]);
    expect(messages[2]).toContain('kubectl mesh init team-a --istio-name team-a=team/a');
    await dir.write('team-a/ca-cert.pem', 'ROOT');
    await init('team-a', '--istio-name', 'team-a=team/a');
    expect((await mesh()).clusters).toContainEqual({name: 'team-a', istioName: 'team/a', network: 'network1'});
  });
});

describe('init --istio-name', () => {
  it("declares Istio's name of new and of declared clusters, once", async () => {
    await init('a=kind-a');
    const run = await init('b', '--istio-name', 'a=Kubernetes', '--istio-name', 'b=Prod_EU.2', '-o', 'json');
    expect(run.code).toBe(0);
    expect((await mesh()).clusters).toEqual([
      {name: 'a', istioName: 'Kubernetes', context: 'kind-a', network: 'network1'},
      {name: 'b', istioName: 'Prod_EU.2', network: 'network1'},
    ]);
    expect(answer(await init('--istio-name', 'a=Kubernetes', '-o', 'json')).changes).toEqual([]);
  });

  it("records nothing where it is the cluster's own name", async () => {
    await init('a', '--istio-name', 'a=a');
    expect((await mesh()).clusters).toEqual([{name: 'a', network: 'network1'}]);
  });

  it.each([
    ['a name without "="', ['a'], 'USAGE'],
    ['an empty name', ['a='], 'USAGE'],
    ['a name with a space', ['a=x y'], 'USAGE'],
    ['a name that could be a flag', ['a=-x'], 'USAGE'],
    ['two names of one cluster', ['a=X', 'a=Y'], 'USAGE'],
    ['an undeclared cluster', ['c=X'], 'USAGE'],
    ['an invalid cluster', ['C=X'], 'INVALID_CLUSTER_NAME'],
    ['another name than the declared one', ['b=X'], 'CONTRADICTION'],
    ['the name of another cluster', ['a=b'], 'CONTRADICTION'],
    ["Istio's name of another cluster", ['a=Kubernetes'], 'CONTRADICTION'],
  ])('refuses %s, and changes nothing', async (_, names, code) => {
    await init('a', 'b', '--istio-name', 'b=Kubernetes');
    const before = await dir.snapshot();
    const run = await init(...names.flatMap((name) => ['--istio-name', name]), '-o', 'json');
    expect([run.code, codeOf(run)]).toEqual([2, code]);
    expect(await dir.snapshot()).toEqual(before);
  });

  it("refuses a new cluster with Istio's name of another one", async () => {
    await init('b', '--istio-name', 'b=west');
    const run = await init('west', '-o', 'json');
    expect([run.code, codeOf(run)]).toEqual([2, 'CONTRADICTION']);
  });
});
