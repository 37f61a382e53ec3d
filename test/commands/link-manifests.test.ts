import {mkdir, readdir, readFile, rename, rm, symlink, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeAll, describe, expect, it} from 'vitest';
import {parseAllDocuments} from 'yaml';
import Link from '../../src/commands/link.js';
import {readJournal} from '../../src/domain/journal/chain.js';
import type {ExportLinkResult} from '../../src/operations/discovery/export-link.js';
import type {RenewalResult} from '../../src/operations/discovery/renewal.js';
import {linkMesh, type LinkMesh} from '../helpers/link-mesh.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {tinyRoot} from '../helpers/tiny-ca.js';

let mesh: LinkMesh;
afterEach(() => mesh.stop());

const link = (...argv: string[]): Promise<CommandRun> => runCommand(Link, argv, mesh.env);

/** The documents in YAML, as kubectl reads them. */
function documents(text: string): readonly {kind: string; metadata: {name: string; namespace?: string}}[] {
  return parseAllDocuments(text).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS() as {kind: string; metadata: {name: string; namespace?: string}};
  });
}

const store = ['--secret-store', 'ClusterSecretStore/vault'];
let caData: string;
beforeAll(async () => {
  caData = Buffer.from((await tinyRoot()).certificate.pem).toString('base64');
});
const declared = (name: string): string =>
  `    apiServer:\n      url: https://${name}.example.com\n      caData: ${caData}\n`;

describe('link --output-dir', () => {
  it('writes what link would create for each cluster, and no token', async () => {
    mesh = await linkMesh(['c1', 'c2', 'c3']);
    const directory = join(mesh.dir, 'manifests');
    const run = await link('--output-dir', directory, ...store, '-o', 'json');
    expect(run.code).toBe(0);
    const files = (await readdir(directory, {recursive: true})).filter((path) => path.endsWith('.yaml')).sort();
    expect(files).toEqual(
      ['c1', 'c2', 'c3'].flatMap((name) =>
        ['reader-account', 'reader-secrets', 'remote-secrets'].map((file) => `${name}/${file}.yaml`),
      ),
    );
    const objects = (
      await Promise.all(
        ['reader-account', 'reader-secrets', 'remote-secrets'].map((file) =>
          readFile(join(directory, `c1/${file}.yaml`), 'utf8'),
        ),
      )
    ).flatMap(documents);
    expect(objects.map(({kind, metadata: {name}}) => `${kind}/${name}`)).toEqual([
      'ServiceAccount/istio-reader-service-account',
      'ClusterRole/istio-reader-clusterrole-istio-system',
      'ClusterRoleBinding/istio-reader-clusterrole-istio-system',
      'Secret/kubectl-mesh-reader-c2',
      'Secret/kubectl-mesh-reader-c3',
      'ExternalSecret/istio-remote-secret-c2',
      'ExternalSecret/istio-remote-secret-c3',
    ]);
    const requests = ['c1', 'c2', 'c3'].flatMap((name) => mesh.cluster(name).requests);
    expect(requests).toEqual([]);
    expect(await readdir(mesh.dir)).toEqual(expect.not.arrayContaining(['journal.jsonl']));
  });

  it('accesses no kubeconfig and no cluster for a declared address with its CA', async () => {
    mesh = await linkMesh(['c1', 'c2'], {clusterYaml: {c1: declared('c1'), c2: declared('c2')}});
    const run = await runCommand(Link, ['--output-dir', '-', ...store], {...mesh.env, PATH: '/nonexistent'});
    expect(run.code).toBe(0);
    expect(documents(run.stdout)).toHaveLength(10);
    expect(run.stdout).toContain('server: https://c2.example.com');
  });

  it('reads the CA from the cluster if it is declared nowhere, and nothing else', async () => {
    mesh = await linkMesh(['c1', 'c2'], {
      clusterYaml: {c1: declared('c1'), c2: '    apiServer:\n      url: https://c2.example.com\n'},
    });
    const run = await link('--output-dir', '-', ...store);
    expect(run.code).toBe(0);
    expect(run.stdout).toContain(Buffer.from('the CA of the API server').toString('base64'));
    expect(mesh.cluster('c1').requests).toEqual([]);
    const requests = mesh.cluster('c2').requests.map(({verb, resource}) => `${verb} ${resource}`);
    // The session's first request shows that the API server responds.
    expect(requests.filter((request) => request !== 'get /version')).toEqual(['get configmaps']);
  });

  it('refuses an address that only this machine reaches', async () => {
    mesh = await linkMesh(['c1', 'c2'], {
      clusterYaml: {c2: `    apiServer:\n      url: https://127.0.0.1:6443\n      caData: ${caData}\n`},
    });
    const directory = join(mesh.dir, 'manifests');
    expect((await link('--output-dir', directory, ...store)).code).toBe(5);
    expect(await readdir(mesh.dir)).not.toContain('manifests');
    expect((await link('--output-dir', directory, ...store, '--allow-local-address')).code).toBe(0);
  });

  it('never writes the credentials of a proxy', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    mesh.cluster('c2').server = {...mesh.cluster('c2').server, 'proxy-url': 'http://user:s3cret@proxy.example:3128'};
    const run = await link('--output-dir', '-', ...store, '-o', 'json');
    expect(run.code).toBe(5);
    expect((answerOf(run) as ExportLinkResult).clusters.find(({name}) => name === 'c2')?.error?.code).toBe(
      'URL_CREDENTIALS',
    );
    expect(run.stdout + run.stderr).not.toContain('s3cret');
    await mesh.stop();
    const apiServer =
      '    apiServer:\n      url: https://c2.example.com\n      proxyUrl: http://user:s3cret@proxy:3128\n';
    mesh = await linkMesh(['c1', 'c2'], {clusterYaml: {c2: apiServer}});
    expect((await link('--output-dir', '-', ...store)).code).toBe(2);
  });

  it('writes the same bytes again, shows them in a dry run, and never into the work directory itself', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    const directory = join(mesh.dir, 'manifests');
    const dry = await link('--output-dir', directory, ...store, '--dry-run');
    expect(dry.code).toBe(0);
    expect(await readdir(mesh.dir)).not.toContain('manifests');
    await link('--output-dir', directory, ...store);
    const before = await readFile(join(directory, 'c1/remote-secrets.yaml'), 'utf8');
    await link('--output-dir', directory, ...store);
    expect(await readFile(join(directory, 'c1/remote-secrets.yaml'), 'utf8')).toBe(before);
    expect((await link('--output-dir', mesh.dir, ...store)).code).toBe(2);
  });

  it('prints a command for each token that kubectl understands, by type of token', async () => {
    mesh = await linkMesh(['c1', 'c2'], {yaml: 'discovery:\n  tokenLifetime: 30d\n'});
    const bound = await link('--output-dir', '-', ...store, 'c1', '-o', 'json');
    const {files} = answerOf(bound) as ExportLinkResult;
    const text = files.find(({path}) => path === 'c1/remote-secrets.yaml')?.text ?? '';
    expect(text).toContain(
      'create token istio-reader-service-account --bound-object-kind Secret --bound-object-name kubectl-mesh-reader-c1 --duration 720h',
    );
    await mesh.stop();
    mesh = await linkMesh(['c1', 'c2'], {yaml: 'discovery:\n  token: secret\n'});
    const lasting = await link('--output-dir', '-', ...store);
    expect(lasting.stdout).toContain('get secret kubectl-mesh-token-c1 -o go-template=');
    expect(documents(lasting.stdout).filter(({metadata}) => metadata.name.startsWith('kubectl-mesh-token'))).toEqual(
      ['c2', 'c1'].map(
        (name) =>
          expect.objectContaining({
            type: 'kubernetes.io/service-account-token',
            metadata: expect.objectContaining({name: `kubectl-mesh-token-${name}`}) as object,
          }) as object,
      ),
    );
  });

  it.each([
    [['--output-dir', '-']],
    [['--secret-store', 'SecretStore/vault']],
    [['--output-dir', '-', '--secret-store', 'Vault/vault']],
    [['--cron-manifest']],
    [['--image', 'x']],
    [['--cron-manifest', '--image', 'a b']],
    [['--cron-manifest', '--image', 'x', 'c1']],
    [['--journal', 'file']],
  ])('rejects %j', async (argv) => {
    mesh = await linkMesh(['c1', 'c2']);
    expect((await link(...argv)).code).toBe(2);
  });
});

describe('link --cron-manifest', () => {
  const print = ['--cron-manifest', '--image', 'registry.example.com/kubectl-mesh:1'];

  it('prints a CronJob, without any access to a cluster', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    await writeFile(join(mesh.dir, 'contexts.yaml'), 'c1: ctx-c1\n');
    const run = await link(...print, '--namespace', 'mesh-jobs');
    expect(run.code).toBe(0);
    expect(documents(run.stdout).map(({kind, metadata}) => [kind, metadata.namespace])).toEqual([
      ['CronJob', 'mesh-jobs'],
    ]);
    expect(run.stdout).toContain('--from-file=mesh.yaml --from-file=contexts.yaml');
    expect(mesh.cluster('c1').requests).toEqual([]);
  });

  it.each([
    ['', [], '17 3 * * 1', false],
    ['discovery:\n  tokenLifetime: 30d\n', [], '17 3 * * *', false],
    ['', ['--granted-lifetime', '24h'], '17 */2 * * *', true],
    ['discovery:\n  tokenLifetime: 2d\n', ['--granted-lifetime', '720h'], '17 */2 * * *', true],
  ])('derives the schedule from the lifetime of the tokens (%j, %j)', async (yaml, argv, schedule, short) => {
    mesh = await linkMesh(['c1', 'c2'], {yaml});
    const result = answerOf(await link(...print, ...argv, '-o', 'json')) as RenewalResult;
    expect(result.schedule).toBe(schedule);
    expect(JSON.stringify(result.manifest).includes('--accept-short-tokens')).toBe(short);
  });

  it('refuses tokens that no job renews in time, and those that never expire', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    expect((await link(...print, '--granted-lifetime', '1h')).code).toBe(5);
    await mesh.stop();
    mesh = await linkMesh(['c1', 'c2'], {yaml: 'discovery:\n  token: secret\n'});
    expect((await link(...print)).code).toBe(2);
    await mesh.stop();
    mesh = await linkMesh(['c1']);
    expect((await link(...print)).code).toBe(2);
  });
});

describe('link --journal -', () => {
  /** Lays out the work directory as the kubelet does for a ConfigMap. */
  async function mount(): Promise<readonly string[]> {
    await mkdir(join(mesh.dir, '..data'));
    await rename(join(mesh.dir, 'mesh.yaml'), join(mesh.dir, '..data', 'mesh.yaml'));
    await symlink('..data/mesh.yaml', join(mesh.dir, 'mesh.yaml'));
    return readdir(mesh.dir);
  }

  it('links without writing into the work directory: entries on standard output, the result on standard error', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    await link();
    for (const name of ['journal.jsonl', '.journal-head.json', '.gitignore'])
      await rm(join(mesh.dir, name), {force: true});
    for (const name of ['c1', 'c2'])
      mesh.cluster(name).remove('Secret', `istio-system/istio-remote-secret-${name === 'c1' ? 'c2' : 'c1'}`);
    const before = await mount();
    const run = await link('--journal', '-', '--keep-going', '--reason', 'scheduled renewal of tokens');
    expect(run.code).toBe(0);
    expect(await readdir(mesh.dir)).toEqual(before);
    const {entries, faults, open} = readJournal(run.stdout);
    expect([faults, open]).toEqual([[], []]);
    expect(entries.filter(({kind}) => kind === 'outcome').every(({status}) => status === 'done')).toBe(true);
    expect(new Set(entries.map(({command}) => command))).toEqual(new Set(['link']));
    expect(entries.length).toBeGreaterThan(3);
    expect(run.stderr).toContain('c1');
    const again = await link('--journal', '-');
    expect([again.code, again.stdout]).toEqual([0, '']);
  });

  it('changes nothing if the UIDs of the clusters are not recorded', async () => {
    mesh = await linkMesh(['c1', 'c2']);
    const before = await mount();
    const run = await link('--journal', '-');
    expect(run.code).toBe(1);
    expect(run.stderr).toContain('--journal');
    expect(await readdir(mesh.dir)).toEqual(before);
    expect(
      mesh
        .cluster('c1')
        .all('Secret')
        .filter(({metadata}) => metadata.name.startsWith('istio-remote')),
    ).toEqual([]);
  });
});
