import {execFileSync} from 'node:child_process';
import {mkdir, mkdtemp, readFile, readdir, rm, stat, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsAdopt from '../../src/commands/certs/adopt.js';
import type {AdoptResult} from '../../src/operations/certs/adopt.js';
import {configMap, namespace, secret} from '../helpers/fake-kubectl/fake-cluster.js';
import type {FakeCluster} from '../helpers/fake-kubectl/fake-cluster.js';
import {startFakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import type {FakeKube} from '../helpers/fake-kubectl/fake-kube.js';
import type {CertificateTemplate} from '../../src/domain/pki/certificate.js';
import {openssl} from '../helpers/openssl.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import type {CommandRun} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa, tinyRoot} from '../helpers/tiny-ca.js';
import type {TinyCa} from '../helpers/tiny-ca.js';
import {istiod, textsOf} from '../helpers/trust-mesh.js';

let dir: string;
let kube: FakeKube;
let root: TinyCa;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'km-adopt-'));
  kube = await startFakeKube(['ctx-c1', 'ctx-c2']);
  root = await tinyRoot();
  await run('c1');
  await run('c2');
});
afterEach(async () => {
  await kube.stop();
  await rm(dir, {recursive: true, force: true});
});

interface Running {
  readonly meshID?: string;
  readonly network?: string;
  readonly clusterID?: string;
  readonly above?: readonly TinyCa[];
  readonly env?: Record<string, string>;
}

/** Lets a cluster run as Istio's guide makes it. */
async function run(
  name: string,
  {meshID = 'm', network = 'n1', clusterID = name, above, env}: Running = {},
): Promise<void> {
  const cluster = of(name);
  const issuers = above ?? [root];
  const [issuer = root] = issuers;
  const ca = bundleOf(await tinyClusterCa(issuer, name), issuers);
  const space = namespace('istio-system');
  cluster.put({...space, metadata: {...space.metadata, labels: {'topology.istio.io/network': network}}});
  cluster.put(secret('istio-system/cacerts', textsOf(ca)));
  cluster.put(istiod('1.30.1', {CLUSTER_ID: clusterID, ...env}));
  cluster.put(configMap('istio-system/istio', {mesh: 'trustDomain: cluster.local\n'}));
  const values = {global: {meshID, network, multiCluster: {clusterName: clusterID}}};
  cluster.put(configMap('istio-system/istio-sidecar-injector', {values: JSON.stringify(values)}));
  cluster.put(configMap('istio-system/istio-ca-root-cert', {'root-cert.pem': ca.rootCert}));
}

const rootKey = () => ({'ca-key.pem': bundleOf(root, [root]).caKey.reveal()});
const of = (name: string): FakeCluster => kube.cluster(`ctx-${name}`);
const adopt = (...argv: string[]): Promise<CommandRun> =>
  runCommand(CertsAdopt, [...argv, '-o', 'json'], {PATH: kube.path, WORK_DIR: dir});
const clustersOf = (done: CommandRun): [string, string, string | undefined][] =>
  (answerOf(done) as AdoptResult).clusters.map(({name, outcome, error}) => [name, outcome, error?.code]);
const warningsOf = (done: CommandRun): string =>
  (answerOf(done) as AdoptResult).warnings.map(({message}) => message).join('\n');
const read = (path: string): Promise<string> => readFile(join(dir, path), 'utf8');
const files = async (): Promise<string[]> => (await readdir(dir)).filter((name) => !name.startsWith('.')).sort();

describe('certs adopt', () => {
  it('names clusters as istiod does, writes what runs, and changes no cluster', async () => {
    const done = await adopt('ctx-c1', 'ctx-c2');
    expect(done.code).toBe(0);
    expect(clustersOf(done)).toEqual([
      ['c1', 'done', undefined],
      ['c2', 'done', undefined],
    ]);
    expect(await files()).toEqual(['c1', 'c2', 'journal.jsonl', 'mesh.yaml', 'root-cert.pem']);
    expect((await readdir(join(dir, 'c1'))).sort()).toEqual(['ca-cert.pem', 'cert-chain.pem', 'root-cert.pem']);
    const yaml = await read('mesh.yaml');
    for (const line of ['meshID: m', 'context: ctx-c1', 'network: n1', 'version: "1.30"']) expect(yaml).toContain(line);
    expect([...of('c1').writes, ...of('c2').writes]).toEqual([]);
    expect((await adopt('ctx-c1', 'ctx-c2')).stdout).toContain('"changes": []');
  });

  it('declares the key algorithm that all cluster CAs have, so that a renewal keeps it', async () => {
    expect((await adopt('ctx-c1')).code).toBe(0);
    expect(await read('mesh.yaml')).toContain('keyAlgorithm: ecdsa-p256');
  });

  it('declares no key algorithm where they differ, or where a cluster was not looked at', async () => {
    const made = openssl([
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-noenc',
      '-keyout',
      '-',
      '-subj',
      '/O=Istio',
      '-days',
      '9',
    ]);
    const [key = '', certificate = ''] = made.split(/(?=-----BEGIN CERTIFICATE)/);
    const texts = {
      'ca-cert.pem': certificate,
      'ca-key.pem': key,
      'cert-chain.pem': certificate,
      'root-cert.pem': certificate,
    };
    of('c2').put(secret('istio-system/cacerts', texts));
    await adopt('ctx-c1', 'ctx-c2');
    expect(await read('mesh.yaml')).not.toContain('keyAlgorithm');
    await adopt('ctx-c1');
    expect(await read('mesh.yaml')).not.toContain('keyAlgorithm');
  });

  it('writes nothing in a dry run, and says what it would write', async () => {
    const done = await adopt('ctx-c1', '--dry-run');
    expect([done.code, await files()]).toEqual([0, []]);
    expect((answerOf(done) as AdoptResult).clusters[0]?.files).toContain('c1/ca-cert.pem');
  });

  it.each([
    ['no context', [], 2],
    ['a context twice', ['ctx-c1', 'ctx-c1'], 2],
    ['a name that would leave the directory', ['../x=ctx-c1'], 2],
    ['an empty context', ['c1='], 2],
    ['a context that does not exist', ['nowhere'], 4],
    ['another name than istiod has', ['other=ctx-c1'], 2],
  ])('refuses %s and writes nothing', async (_, words, code) => {
    expect((await runCommand(CertsAdopt, words, {PATH: kube.path, WORK_DIR: dir})).code).toBe(code);
    expect(await files()).toEqual([]);
  });

  it('adopts the others where one may not be read, and says which right is missing', async () => {
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

  it('needs no right that the role of a reader has not: Secrets by name, no ConfigMap and no other namespace', async () => {
    for (const resource of ['configmaps', 'deployments']) of('c1').deny({verb: 'get', resource});
    of('c1').deny({verb: 'get', resource: 'namespaces', name: 'istio-system'});
    of('c1').deny({verb: 'list', resource: 'secrets'});
    const done = await adopt('ctx-c1');
    expect([done.code, clustersOf(done)]).toEqual([0, [['c1', 'done', undefined]]]);
  });

  it.each<[string, Running]>([
    ['another mesh ID', {meshID: 'other'}],
    ['the same name', {clusterID: 'c1'}],
  ])('keeps a cluster out that runs with %s', async (_, running) => {
    await run('c2', running);
    const done = await adopt('ctx-c1', 'ctx-c2');
    expect(done.code).toBe(2);
    expect(clustersOf(done).map(([, outcome, code]) => [outcome, code])).toEqual([
      ['done', undefined],
      ['failed', 'CONTRADICTION'],
    ]);
  });

  it('says that the roots of clusters differ, and then writes no root of the mesh', async () => {
    await run('c2', {above: [await tinyRoot()]});
    const done = await adopt('ctx-c1', 'ctx-c2');
    expect(done.code).toBe(0);
    expect(warningsOf(done)).toContain('refuse each other');
    expect(await files()).toEqual(['c1', 'c2', 'journal.jsonl', 'mesh.yaml']);
  });

  it('overwrites no file: another CA in the work directory is a conflict of that cluster alone', async () => {
    const stranger = bundleOf(await tinyClusterCa(root, 'c1'), [root]);
    await mkdir(join(dir, 'c1'));
    await writeFile(join(dir, 'c1/ca-cert.pem'), stranger.caCert);
    const done = await adopt('ctx-c1', 'ctx-c2');
    expect([done.code, clustersOf(done)]).toEqual([
      2,
      [
        ['c1', 'failed', 'WORKDIR_CONFLICT'],
        ['c2', 'done', undefined],
      ],
    ]);
    expect(await read('c1/ca-cert.pem')).toBe(stranger.caCert);
  });

  it('takes a deeper chain as it is', async () => {
    const policy = await tinyClusterCa(root, 'policy', {
      change: (template) => ({...template, extensions: {...template.extensions, basicConstraints: {ca: true}}}),
    });
    await run('c1', {above: [policy, root]});
    expect((await adopt('ctx-c1')).code).toBe(0);
    expect(await read('c1/cert-chain.pem')).toBe(of('c1').secretText('istio-system/cacerts')['cert-chain.pem']);
    expect(await read('root-cert.pem')).toBe(root.certificate.pem);
  });

  it("takes cert-manager's layout apart, and declares who fills it", async () => {
    const {caCert, caKey, rootCert} = bundleOf(await tinyClusterCa(root, 'c1'), [root]);
    const made = secret('istio-system/cacerts', {'tls.crt': caCert, 'tls.key': caKey.reveal(), 'ca.crt': rootCert});
    const annotations = {'cert-manager.io/certificate-name': 'istio-ca'};
    of('c1').put({...made, type: 'kubernetes.io/tls', metadata: {...made.metadata, annotations}});
    expect((await adopt('ctx-c1')).code).toBe(0);
    expect(await read('c1/ca-cert.pem')).toBe(caCert);
    expect(await read('mesh.yaml')).toContain('issuer: cert-manager');
  });

  it('leaves the key of a self-signed istiod where it is, and declares that its cluster signs', async () => {
    of('c1').remove('Secret', 'istio-system/cacerts');
    const [cert, key] = [root.certificate.pem, bundleOf(root, [root]).caKey.reveal()];
    of('c1').put(secret('istio-system/istio-ca-secret', {'ca-cert.pem': cert, 'ca-key.pem': key}));
    const done = await adopt('ctx-c1', '--with-keys', '--yes');
    expect(done.code).toBe(0);
    expect(await files()).toEqual(['journal.jsonl', 'mesh.yaml', 'root-cert.pem']);
    expect(await read('mesh.yaml')).toContain('signer: {type: cluster, context: ctx-c1}');
    expect(warningsOf(done)).toContain('istio-ca-secret');
  });

  it('never copies a key that is the root itself, whatever the Secret is called', async () => {
    of('c1').put(secret('istio-system/cacerts', textsOf(bundleOf(root, [root]))));
    const done = await adopt('ctx-c1', '--with-keys', '--yes');
    expect(done.code).toBe(0);
    expect((await readdir(join(dir, 'c1'))).includes('ca-key.pem')).toBe(false);
  });

  it.each<[string, () => Promise<Record<string, string>>]>([
    [
      'the key of the root beside the certificate of a cluster CA',
      async () => ({...textsOf(bundleOf(await tinyClusterCa(root, 'c1'), [root])), ...rootKey()}),
    ],
    [
      'the key of a root under a certificate that another root made for it',
      async () => {
        const other = await tinyRoot({meshID: 'other'});
        const change = (template: CertificateTemplate) => ({...template, publicKey: root.signer.publicKey});
        const crossed = {...(await tinyClusterCa(other, 'c1', {change})), key: root.key};
        const files = textsOf(bundleOf(crossed, [other]));
        return {...files, 'root-cert.pem': (files['root-cert.pem'] ?? '') + root.certificate.pem};
      },
    ],
    [
      'a key whose certificate cannot be read',
      async () => ({...textsOf(bundleOf(await tinyClusterCa(root, 'c1'), [root])), 'ca-cert.pem': 'broken'}),
    ],
  ])('never copies %s', async (_, texts) => {
    of('c1').put(secret('istio-system/cacerts', await texts()));
    await adopt('ctx-c1', '--with-keys', '--yes');
    expect((await readdir(dir, {recursive: true})).filter((name) => name.endsWith('key.pem'))).toEqual([]);
  });

  it.each(['ca-cert.pem', 'cert-chain.pem', 'root-cert.pem'])(
    'writes no key that somebody left among the certificates of %s',
    async (name) => {
      const texts = textsOf(bundleOf(await tinyClusterCa(root, 'c1'), [root]));
      of('c1').put(secret('istio-system/cacerts', {...texts, [name]: (texts[name] ?? '') + rootKey()['ca-key.pem']}));
      const done = await adopt('ctx-c1', 'ctx-c2', '--with-keys', '--yes');
      expect([done.code, clustersOf(done)]).toEqual([
        2,
        [
          ['c1', 'failed', 'BUNDLE_INVALID'],
          ['c2', 'done', undefined],
        ],
      ]);
      expect(await files()).not.toContain('c1');
    },
  );

  it('takes no root out of an istio-ca-secret whose certificate has a key beside it', async () => {
    of('c1').remove('Secret', 'istio-system/cacerts');
    const {'ca-key.pem': key} = rootKey();
    of('c1').put(secret('istio-system/istio-ca-secret', {'ca-cert.pem': root.certificate.pem + key}));
    expect((await adopt('ctx-c1')).code).toBe(0);
    expect(await files()).toEqual(['journal.jsonl', 'mesh.yaml']);
  });

  it.each([
    ['istio-csr', {ENABLE_CA_SERVER: 'false'}, 'issuer: istio-csr'],
    [
      'a signer of Kubernetes',
      {EXTERNAL_CA: 'ISTIOD_RA_KUBERNETES_API', PILOT_CERT_PROVIDER: 'k8s.io/issuers.example.com/mesh'},
      'signerName: issuers.example.com/mesh',
    ],
  ])('knows %s by the environment of istiod, where there is no cacerts', async (_, env, declared) => {
    await run('c1', {env});
    of('c1').remove('Secret', 'istio-system/cacerts');
    expect((await adopt('ctx-c1')).code).toBe(0);
    expect(await read('mesh.yaml')).toContain(declared);
    expect(await read('root-cert.pem')).toBe(root.certificate.pem);
  });

  it('tells a remote of another primary, which has no CA', async () => {
    of('c2').remove('Deployment', 'istio-system/istiod');
    const done = await adopt('ctx-c1', 'c2=ctx-c2');
    expect(clustersOf(done)[1]).toEqual(['c2', 'unknown', 'NOT_FOUND']);
  });

  it('asks before it copies keys, keeps them 0600, and keeps them out of git', async () => {
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
