import {mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {delimiter, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import InstallRender from '../../src/commands/install/render.js';
import {startFakeIstioctl, type FakeIstioctl} from '../helpers/fake-istioctl/fake-istioctl.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';

let bin: string;
let workDir: string;
let istioctl: FakeIstioctl;

beforeEach(async () => {
  bin = await mkdtemp(join(tmpdir(), 'ib-'));
  workDir = await mkdtemp(join(tmpdir(), 'iw-'));
  istioctl = await startFakeIstioctl(bin);
});

afterEach(async () => {
  await istioctl.stop();
  await rm(bin, {recursive: true, force: true});
  await rm(workDir, {recursive: true, force: true});
});

function render(...argv: string[]): Promise<CommandRun> {
  return runCommand(InstallRender, [...argv, '-w', workDir], {PATH: `${bin}${delimiter}${process.env.PATH ?? ''}`});
}

const file = (path: string): Promise<string> => readFile(join(workDir, path), 'utf8');

async function declare(text: string): Promise<void> {
  await writeFile(join(workDir, 'mesh.yaml'), `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n${text}`);
}

const guide = ['cluster1', '--mesh-id', 'mesh1', '--network', 'network1'];
const declared = `meshID: mesh1\nclusters:\n  - {name: cluster1, network: network1}\n  - {name: cluster2, network: network1}\n`;

describe('install render', () => {
  it('works in an empty work directory and records the mesh ID and the network', async () => {
    const run = await render(...guide);
    expect(run).toMatchObject({code: 0});
    expect(await file('cluster1/install.yaml')).toContain('clusterName: cluster1');
    const mesh = await file('mesh.yaml');
    expect(mesh).toContain('meshID: mesh1');
    expect(mesh).toContain('network: network1');
    expect(mesh).not.toContain('istio:');
  });

  it.each([[[]], [['--dry-run']], [['-o', 'json']]])(
    'never shows, copies or replaces a root key to which a cloned link leads (%j)',
    async (flags) => {
      await declare(declared);
      await mkdir(join(workDir, 'cluster1'));
      await writeFile(join(workDir, 'root-key.pem'), 'the root key');
      await symlink('../root-key.pem', join(workDir, 'cluster1/install.yaml'));
      const run = await render(...flags);
      expect(run.code).toBe(5);
      expect(`${run.stdout}${run.stderr}`).not.toContain('the root key');
      expect(await file('root-key.pem')).toBe('the root key');
      expect(await readdir(join(workDir, 'cluster1'))).toEqual(['install.yaml']);
    },
  );

  it('changes nothing and does not prompt when run again', async () => {
    await render(...guide);
    const before = await file('journal.jsonl');
    const run = await render('-o', 'json');
    expect(answerOf(run)).toMatchObject({clusters: [{name: 'cluster1', outcome: 'unchanged'}]});
    expect(await file('journal.jsonl')).toBe(before);
  });

  it("uses istioctl's version, and reports it", async () => {
    istioctl.version = {version: '1.7.8'};
    const run = await render(...guide, '-o', 'json');
    expect(answerOf(run)).toMatchObject({
      schemaVersion: 1,
      clusters: [{outcome: 'done', istioVersion: '1.7.8', versionFrom: 'istioctl', dialect: '1.6 to 1.7'}],
    });
    expect(await file('cluster1/install.yaml')).toContain('meshExpansion');
  });

  it('prefers the version in the flag, and records it', async () => {
    const run = await render(...guide, '--istio-version', '1.10', '-o', 'json');
    expect(answerOf(run)).toMatchObject({clusters: [{istioVersion: '1.10', versionFrom: '--istio-version'}]});
    expect(istioctl.versionCalls).toEqual([]);
    expect(await file('mesh.yaml')).toMatch(/version: ["']?1\.10["']\n/);
  });

  it('treats an unknown newer version as the newest known one, with a warning', async () => {
    istioctl.version = {version: '1.77.0'};
    const run = await render(...guide);
    expect(run.code).toBe(0);
    expect(run.stderr).toContain('1.77.0');
  });

  it.each([
    [['cluster1', '--network', 'n'], 'MISSING_VALUE'],
    [['cluster1', '--mesh-id', 'm'], 'MISSING_VALUE'],
    [[...guide, '--istio-version', 'latest'], 'USAGE'],
    [[...guide, '--istio-version', '1.4'], 'USAGE'],
    [['../x', '--mesh-id', 'm', '--network', 'n'], 'INVALID_CLUSTER_NAME'],
    [[...guide, '--output-file', 'x.yaml'], 'USAGE'],
    [['cluster1', 'cluster2', '--mesh-id', 'm', '--network', 'n', '--output-file', '-'], 'USAGE'],
    [[], 'MESH_YAML_MISSING'],
  ])('rejects %j as a usage error, and writes nothing', async (argv, code) => {
    const run = await render(...argv, '--json');
    expect(run.code).toBe(2);
    const answer = answerOf(run) as {error?: {code: string}; clusters?: {error: {code: string}}[]};
    expect((answer.error ?? answer.clusters?.[0]?.error)?.code).toBe(code);
    expect(
      await readdir(workDir).then((names) => names.filter((name) => name.includes('cluster1') || name === 'mesh.yaml')),
    ).toEqual([]);
  });

  it('rejects a flag that contradicts mesh.yaml, naming both', async () => {
    await declare(declared);
    const run = await render('--mesh-id', 'other', '--json');
    expect(run.code).toBe(2);
    expect(answerOf(run)).toMatchObject({error: {code: 'CONTRADICTION'}});
  });

  it.each([
    ['is absent', 'TOOL_MISSING', '/nonexistent'],
    ['prints garbage', 'TOOL_OUTPUT', undefined],
  ])('cannot determine the version if istioctl %s, unless it is given', async (_what, code, path) => {
    istioctl.version = {raw: 'garbage'};
    const env = {PATH: path ?? `${bin}${delimiter}${process.env.PATH ?? ''}`};
    const run = await runCommand(InstallRender, [...guide, '-w', workDir, '--json'], env);
    expect(run.code).toBe(4);
    expect(answerOf(run)).toMatchObject({
      error: {code, hints: [expect.stringContaining('--istio-version'), expect.anything()]},
    });
    expect((await runCommand(InstallRender, [...guide, '-w', workDir, '--istio-version', '1.30'], env)).code).toBe(0);
  });

  it('renders every cluster in mesh.yaml, each with the others if the version requires it', async () => {
    await declare(`${declared}istio: {version: "1.6"}\n`);
    expect((await render()).code).toBe(0);
    for (const cluster of ['cluster1', 'cluster2']) {
      const text = await file(`${cluster}/install.yaml`);
      expect(text).toContain('fromRegistry: cluster1');
      expect(text).toContain('fromRegistry: cluster2');
    }
  });

  it('changes nothing in a dry run, and prints the plan', async () => {
    const run = await render(...guide, '--dry-run', '-o', 'json');
    expect(run.code).toBe(0);
    expect(answerOf(run)).toMatchObject({dryRun: 'client', clusters: [{outcome: 'skipped'}]});
    expect(await readdir(workDir)).toEqual([]);
  });

  it('never loses a handwritten or edited file', async () => {
    await declare(declared);
    await mkdir(join(workDir, 'cluster1'));
    const mine = 'apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: {profile: demo}\n';
    await writeFile(join(workDir, 'cluster1/install.yaml'), mine);
    const first = await render('cluster1', '-o', 'json');
    const {clusters} = answerOf(first) as {clusters: {kept: string; diff: string[]}[]};
    expect(await file(clusters[0]?.kept ?? '')).toBe(mine);
    expect(clusters[0]?.diff).toContain('- spec: {profile: demo}');
    expect(first.stderr).toContain('is saved as');

    const edited = `${await file('cluster1/install.yaml')}  hub: elsewhere\n`;
    await writeFile(join(workDir, 'cluster1/install.yaml'), edited);
    const second = await render('cluster1', '-o', 'json');
    const kept = (answerOf(second) as {clusters: {kept: string}[]}).clusters[0]?.kept ?? '';
    expect(await file(kept)).toBe(edited);
    expect(await file(clusters[0]?.kept ?? '')).toBe(mine);
  });

  it('replaces its own older output without a copy or a prompt', async () => {
    await declare(declared);
    await render('cluster1');
    await declare(declared.replace('mesh1', 'mesh9'));
    const run = await render('cluster1', '-o', 'json');
    const {clusters} = answerOf(run) as {clusters: {kept?: string; diff: string[]}[]};
    expect(clusters).toMatchObject([{outcome: 'done', diff: ['-       meshID: mesh1', '+       meshID: mesh9']}]);
    expect(clusters[0]?.kept).toBeUndefined();
    expect((await readdir(join(workDir, 'cluster1'))).sort()).toEqual(['install.yaml']);
  });

  it('merges overlays, and names an invalid file', async () => {
    await declare(`${declared}istio: {overlays: [o.yaml]}\n`);
    expect(answerOf(await render('cluster1', '--json'))).toMatchObject({clusters: [{error: {code: 'FILE_MISSING'}}]});
    await writeFile(join(workDir, 'o.yaml'), 'spec: {values: {global: {network: other}}}');
    const wrong = await render('cluster1', '--json');
    expect(wrong.code).toBe(2);
    expect(answerOf(wrong)).toMatchObject({clusters: [{error: {code: 'OVERLAY_INVALID'}}]});
    await writeFile(join(workDir, 'o.yaml'), 'spec: {values: {pilot: {autoscaleMin: 2}}}');
    expect((await render('cluster1')).code).toBe(0);
    expect(await file('cluster1/install.yaml')).toContain('autoscaleMin: 2');
  });
});

describe('install render --output-file -', () => {
  it('names the cluster with -o name', async () => {
    const printed = await render(...guide, '--output-file', '-', '-o', 'name');
    expect([printed.code, printed.stdout]).toEqual([0, 'cluster1\n']);
  });

  it('prints the bytes of the file, and writes nothing', async () => {
    const printed = await render(...guide, '--output-file', '-');
    expect(printed.code).toBe(0);
    expect(await readdir(workDir)).toEqual([]);
    await render(...guide);
    expect(printed.stdout).toBe(await file('cluster1/install.yaml'));
  });

  it('prints warnings on standard error', async () => {
    istioctl.version = {version: 'unknown'};
    const printed = await render(...guide, '--output-file', '-');
    expect(printed.stdout.startsWith('# Made by')).toBe(true);
    expect(printed.stderr).toContain('unknown');
  });

  it('prints nothing to standard output on failure', async () => {
    const printed = await render('cluster1', '--output-file', '-');
    expect(printed).toMatchObject({code: 2, stdout: ''});
  });
});
