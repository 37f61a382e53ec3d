import {execFileSync} from 'node:child_process';
import {mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import CertsAdopt from '../../src/commands/certs/adopt.js';
import type {AdoptResult} from '../../src/operations/certs/adopt.js';
import {configMap, namespace, secret, type FakeCluster} from '../helpers/fake-kubectl/fake-cluster.js';
import {startFakeKube, type FakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa, tinyRoot, type TinyCa} from '../helpers/tiny-ca.js';
import {istiod, textsOf} from '../helpers/trust-mesh.js';
import type {AsJson} from '../helpers/suggestions.js';

let dir: string;
let kube: FakeKube;
let root: TinyCa;

beforeAll(async () => {
  root = await tinyRoot();
});
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'km-adopt-'));
  kube = await startFakeKube(['ctx-c1', 'ctx-c2']);
  await run('c1');
  await run('c2');
});
afterEach(async () => {
  await kube.stop();
  await rm(dir, {recursive: true, force: true});
});

/** Sets up a cluster as in Istio's guide. */
async function run(name: string, env: Record<string, string> = {}, clusterName = name): Promise<void> {
  const cluster = of(name);
  const ca = bundleOf(await tinyClusterCa(root, name), [root]);
  const space = namespace('istio-system');
  cluster.put({...space, metadata: {...space.metadata, labels: {'topology.istio.io/network': 'n1'}}});
  cluster.put(secret('istio-system/cacerts', textsOf(ca)));
  cluster.put(istiod('1.30.1', {CLUSTER_ID: name, ...env}));
  cluster.put(configMap('istio-system/istio', {mesh: 'trustDomain: cluster.local\n'}));
  const values = {global: {meshID: 'm', network: 'n1', multiCluster: {clusterName}}};
  cluster.put(configMap('istio-system/istio-sidecar-injector', {values: JSON.stringify(values)}));
  cluster.put(configMap('istio-system/istio-ca-root-cert', {'root-cert.pem': ca.rootCert}));
}

const of = (name: string): FakeCluster => kube.cluster(`ctx-${name}`);
const adopt = (...argv: string[]): Promise<CommandRun> =>
  runCommand(CertsAdopt, [...argv, '-o', 'json'], {PATH: kube.path, WORK_DIR: dir});
const clustersOf = (done: CommandRun): [string, string, string | undefined][] =>
  (answerOf(done) as AsJson<AdoptResult>).clusters.map(({name, outcome, error}) => [name, outcome, error?.code]);
const warningsOf = (done: CommandRun): string =>
  (answerOf(done) as AsJson<AdoptResult>).warnings.map(({message}) => message).join('\n');
const read = (path: string): Promise<string> => readFile(join(dir, path), 'utf8');
const files = async (): Promise<string[]> => (await readdir(dir)).filter((name) => !name.startsWith('.')).sort();

// Decisions about names, files, keys and roots: test/operations/certs/plan-adopt.test.ts.
describe('certs adopt', () => {
  it('names clusters as istiod does, writes the running state, and changes no cluster', async () => {
    const done = await adopt('ctx-c1', 'ctx-c2');
    expect(done.code).toBe(0);
    expect(clustersOf(done)).toEqual([
      ['c1', 'done', undefined],
      ['c2', 'done', undefined],
    ]);
    expect(await files()).toEqual(['c1', 'c2', 'journal.jsonl', 'mesh.yaml', 'root-cert.pem']);
    expect((await readdir(join(dir, 'c1'))).sort()).toEqual(['ca-cert.pem', 'cert-chain.pem', 'root-cert.pem']);
    const yaml = await read('mesh.yaml');
    const lines = ['meshID: m', 'context: ctx-c1', 'network: n1', 'version: "1.30"', 'keyAlgorithm: ecdsa-p256'];
    for (const line of lines) expect(yaml).toContain(line);
    expect([...of('c1').writes, ...of('c2').writes]).toEqual([]);
    expect((await adopt('ctx-c1', 'ctx-c2')).stdout).toContain('"changes": []');
  });

  it.each(['Kubernetes', 'Prod_EU.2', 'team/a'])('keeps the name that istiod and its proxies use: %s', async (name) => {
    await run('c1', {CLUSTER_ID: name}, name);
    const done = await adopt('west=ctx-c1', 'ctx-c2');
    expect([done.code, clustersOf(done)[0]]).toEqual([0, ['west', 'done', undefined]]);
    expect((answerOf(done) as AsJson<AdoptResult>).clusters[0]?.istioName).toBe(name);
    expect(await read('mesh.yaml')).toContain(`- name: west\n    istioName: ${name}\n`);
    expect((answerOf(await adopt('ctx-c1', 'ctx-c2')) as AsJson<AdoptResult>).changes).toEqual([]);
  });

  it('adds the running name to a cluster that mesh.yaml declares already', async () => {
    await run('c1', {CLUSTER_ID: 'Kubernetes'}, 'Kubernetes');
    await writeFile(
      join(dir, 'mesh.yaml'),
      'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: west\n    context: ctx-c1\n',
    );
    expect(clustersOf(await adopt('ctx-c1'))).toEqual([['west', 'done', undefined]]);
    expect(await read('mesh.yaml')).toContain('- name: west\n    istioName: Kubernetes\n');
  });

  it('writes nothing in a dry run, and lists the files that it would write', async () => {
    const done = await adopt('ctx-c1', '--dry-run');
    expect([done.code, await files()]).toEqual([0, []]);
    expect((answerOf(done) as AsJson<AdoptResult>).clusters[0]?.files).toContain('c1/ca-cert.pem');
  });

  it.each([
    ['no context', [], 2],
    ['a context twice', ['ctx-c1', 'ctx-c1'], 2],
    ['a name that leads outside the directory', ['../x=ctx-c1'], 2],
    ['an empty context', ['c1='], 2],
    ['a context that does not exist', ['nowhere'], 4],
  ])('refuses %s and writes nothing', async (_, words, code) => {
    expect((await runCommand(CertsAdopt, words, {PATH: kube.path, WORK_DIR: dir})).code).toBe(code);
    expect(await files()).toEqual([]);
  });

  it('adopts the other clusters if one cannot be read, and names the missing permission', async () => {
    of('c2').deny({verb: 'get', resource: 'secrets'});
    const done = await adopt('ctx-c1', 'c2=ctx-c2');
    expect([done.code, clustersOf(done)]).toEqual([
      4,
      [
        ['c1', 'done', undefined],
        ['c2', 'unknown', 'FORBIDDEN'],
      ],
    ]);
    expect(await read('mesh.yaml')).not.toContain('ctx-c2');
  });

  it('requires only permissions of the reader role: Secrets by name, no ConfigMap and no other namespace', async () => {
    for (const resource of ['configmaps', 'deployments']) of('c1').deny({verb: 'get', resource});
    of('c1').deny({verb: 'get', resource: 'namespaces', name: 'istio-system'});
    of('c1').deny({verb: 'list', resource: 'secrets'});
    const done = await adopt('ctx-c1');
    expect([done.code, clustersOf(done)]).toEqual([0, [['c1', 'done', undefined]]]);
  });

  it('overwrites no file: another CA in the work directory is a conflict of that cluster only', async () => {
    const other = bundleOf(await tinyClusterCa(root, 'c1'), [root]);
    await mkdir(join(dir, 'c1'));
    await writeFile(join(dir, 'c1/ca-cert.pem'), other.caCert);
    const done = await adopt('ctx-c1', 'ctx-c2');
    expect([done.code, clustersOf(done)]).toEqual([
      2,
      [
        ['c1', 'failed', 'WORKDIR_CONFLICT'],
        ['c2', 'done', undefined],
      ],
    ]);
    expect(await read('c1/ca-cert.pem')).toBe(other.caCert);
  });

  it('does not copy the key of a self-signed istiod, and declares its cluster as the signer', async () => {
    of('c1').remove('Secret', 'istio-system/cacerts');
    const [cert, key] = [root.certificate.pem, bundleOf(root, [root]).caKey.reveal()];
    of('c1').put(secret('istio-system/istio-ca-secret', {'ca-cert.pem': cert, 'ca-key.pem': key}));
    const done = await adopt('ctx-c1', '--with-keys', '--yes');
    expect(done.code).toBe(0);
    expect(await files()).toEqual(['journal.jsonl', 'mesh.yaml', 'root-cert.pem']);
    expect(await read('mesh.yaml')).toContain('signer: {type: cluster, context: ctx-c1}');
    expect(warningsOf(done)).toContain('istio-ca-secret');
  });

  it('never copies a root key, whatever the name of the Secret', async () => {
    of('c1').put(secret('istio-system/cacerts', textsOf(bundleOf(root, [root]))));
    const done = await adopt('ctx-c1', '--with-keys', '--yes');
    expect(done.code).toBe(0);
    expect((await readdir(join(dir, 'c1'))).includes('ca-key.pem')).toBe(false);
  });

  it("recognizes a Kubernetes signer by istiod's environment, without cacerts", async () => {
    const provider = 'k8s.io/issuers.example.com/mesh';
    await run('c1', {EXTERNAL_CA: 'ISTIOD_RA_KUBERNETES_API', PILOT_CERT_PROVIDER: provider});
    of('c1').remove('Secret', 'istio-system/cacerts');
    expect((await adopt('ctx-c1')).code).toBe(0);
    expect(await read('mesh.yaml')).toContain('signerName: issuers.example.com/mesh');
    expect(await read('root-cert.pem')).toBe(root.certificate.pem);
  });

  it('recognizes the remote cluster of another primary, which has no CA', async () => {
    of('c2').remove('Deployment', 'istio-system/istiod');
    const done = await adopt('ctx-c1', 'c2=ctx-c2');
    expect(clustersOf(done)[1]).toEqual(['c2', 'unknown', 'NOT_FOUND']);
  });

  it('prompts before it copies keys, writes them with mode 0600, and adds them to .gitignore', async () => {
    const refused = await adopt('ctx-c1', '--with-keys');
    expect([refused.code, await files()]).toEqual([5, []]);
    execFileSync('git', ['init', '-q', dir]);
    await writeFile(join(dir, '.gitignore'), '!*.pem\n');
    await writeFile(join(dir, 'mesh.yaml'), 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n');
    const exposed = await adopt('ctx-c1', '--with-keys', '--yes');
    expect([exposed.code, exposed.stdout.includes('KEY_IN_GIT')]).toEqual([5, true]);
    await writeFile(join(dir, '.gitignore'), '*key.pem\n');
    expect((await adopt('ctx-c1', '--with-keys', '--yes')).code).toBe(0);
    expect((await stat(join(dir, 'c1/ca-key.pem'))).mode & 0o777).toBe(0o600);
    expect((await read('journal.jsonl')).includes('PRIVATE KEY')).toBe(false);
  });
});
