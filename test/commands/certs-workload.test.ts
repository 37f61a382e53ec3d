import {execFileSync} from 'node:child_process';
import {X509Certificate} from 'node:crypto';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsWorkload from '../../src/commands/certs/workload.js';
import {parseCertificates} from '../../src/domain/x509/certificate.js';
import {openssl} from '../helpers/openssl.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {bundleOf, type TinyCa, tinyClusterCa, type TinyOptions, tinyRoot} from '../helpers/tiny-ca.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

let dir: TestWorkDir;
beforeEach(async () => {
  dir = await createWorkDir();
});
afterEach(() => dir.dispose());

const folder = 'cluster1/workloads/databases/postgres';
const spiffeId = 'spiffe://cluster.local/ns/databases/sa/postgres';
const run = (...argv: string[]): Promise<CommandRun> => runCommand(CertsWorkload, [...argv, '-w', dir.root]);
const workload = (...argv: string[]): Promise<CommandRun> =>
  run('databases/postgres', '--cluster', 'cluster1', '-o', 'json', ...argv);

interface Answer {
  readonly clusters: readonly {
    readonly outcome: string;
    readonly error?: {readonly code: string; readonly message: string};
  }[];
  readonly spiffeId: string;
  readonly certificate?: {readonly fingerprint: string; readonly key: string; readonly notAfter: string};
  readonly warnings: readonly {readonly message: string}[];
  readonly error?: {readonly code: string};
}
const answer = (output: CommandRun) => answerOf(output) as Answer;
const outcome = (reported: CommandRun) => answer(reported).clusters[0]?.outcome;
const code = (printed: CommandRun) => answer(printed).error?.code ?? answer(printed).clusters[0]?.error?.code;

async function place(ca: TinyCa, above: readonly TinyCa[], cluster = 'cluster1'): Promise<void> {
  const bundle = bundleOf(ca, above);
  await dir.write(`${cluster}/ca-cert.pem`, bundle.caCert);
  await dir.write(`${cluster}/ca-key.pem`, bundle.caKey.reveal(), 0o600);
  await dir.write(`${cluster}/root-cert.pem`, bundle.rootCert);
  await dir.write(`${cluster}/cert-chain.pem`, bundle.certChain);
}

async function placeCa(options: TinyOptions = {}): Promise<TinyCa> {
  const root = await tinyRoot();
  const ca = await tinyClusterCa(root, 'cluster1', options);
  await place(ca, [root]);
  return ca;
}

const file = (name: string) => join(dir.root, folder, name);
const verified = (purpose: string) =>
  openssl([
    ...['verify', '-x509_strict', '-purpose', purpose, '-CAfile', file('root-cert.pem')],
    ...['-untrusted', file('cert-chain.pem'), file('cert-chain.pem')],
  ]);
const hours = (from: Date, to: string) => (Date.parse(to) - from.getTime()) / 3_600_000;

describe('a workload certificate', () => {
  it('is accepted by openssl for both ends of a connection, for a day', async () => {
    await placeCa();
    const now = new Date();
    const messages = await workload();
    expect(messages.code).toBe(0);
    expect(answer(messages)).toMatchObject({spiffeId, certificate: {key: 'ecdsa-p256'}});
    for (const purpose of ['sslserver', 'sslclient']) expect(verified(purpose)).toContain('OK');
    const end = answer(messages).certificate?.notAfter ?? '';
    expect(hours(now, end)).toBeGreaterThan(23.9);
    expect(hours(now, end)).toBeLessThan(24.1);
  });

  it("matches istiod's: no subject, one critical name, both usages, no CA", async () => {
    const ca = await placeCa();
    await workload();
    const text = openssl(['x509', '-in', file('cert-chain.pem'), '-noout', '-text']);
    expect(text).toMatch(/Subject: *\n/);
    expect(text).toMatch(
      /Subject Alternative Name: critical\s+URI:spiffe:\/\/cluster\.local\/ns\/databases\/sa\/postgres\n/,
    );
    expect(text).toMatch(/Basic Constraints: critical\s+CA:FALSE/);
    expect(text).toMatch(/Key Usage: critical\s+Digital Signature, Key Encipherment\n/);
    expect(text).toMatch(/TLS Web Server Authentication, TLS Web Client Authentication/);
    const leaf = new X509Certificate(await dir.read(`${folder}/cert-chain.pem`));
    expect(leaf.checkIssued(new X509Certificate(ca.certificate.pem))).toBe(true);
  });

  it("comes with istiod's chain, the cluster's roots, and a key for its owner only", async () => {
    await placeCa();
    await workload();
    const chain = parseCertificates(await dir.read(`${folder}/cert-chain.pem`), 'cert-chain.pem').certificates;
    const above = parseCertificates(await dir.read('cluster1/cert-chain.pem'), 'cert-chain.pem').certificates;
    expect(chain.slice(1).map(({fingerprint}) => fingerprint)).toEqual(above.map(({fingerprint}) => fingerprint));
    expect(await dir.read(`${folder}/root-cert.pem`)).toBe(await dir.read('cluster1/root-cert.pem'));
    expect(await dir.mode(`${folder}/key.pem`)).toBe(0o600);
    for (const path of ['cluster1/workloads', 'cluster1/workloads/databases', folder]) {
      expect(await dir.mode(path)).toBe(0o700);
    }
    const publicOf = (args: string[]) => openssl(args);
    expect(publicOf(['pkey', '-in', file('key.pem'), '-pubout'])).toBe(
      publicOf(['x509', '-in', file('cert-chain.pem'), '-noout', '-pubkey']),
    );
  });

  it.each(['rsa-2048', 'ecdsa-p384'])('has a key of type %s on request', async (algorithm) => {
    await placeCa();
    const issued = await workload('--key-algorithm', algorithm);
    expect(answer(issued).certificate?.key).toBe(algorithm);
    expect(verified('sslserver')).toContain('OK');
  });

  it('works under a deeper hierarchy, too', async () => {
    const root = await tinyRoot();
    const policy = await tinyClusterCa(root, 'policy', {
      change: (template) => ({
        ...template,
        extensions: {...template.extensions, basicConstraints: {ca: true, pathLength: 1}},
      }),
    });
    await place(await tinyClusterCa(policy, 'cluster1'), [policy, root]);
    expect((await workload()).code).toBe(0);
    expect(verified('sslclient')).toContain('OK');
  });

  it("contains the mesh's trust domain", async () => {
    await placeCa();
    await dir.write(
      'mesh.yaml',
      'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\ntrustDomain: td.example\nclusters:\n  - name: cluster1\n',
    );
    expect(answer(await workload()).spiffeId).toBe('spiffe://td.example/ns/databases/sa/postgres');
    expect(openssl(['x509', '-in', file('cert-chain.pem'), '-noout', '-ext', 'subjectAltName'])).toContain(
      'spiffe://td.example/ns/databases/sa/postgres',
    );
  });

  it('never outlives the CA, and reports that it expires with it', async () => {
    const ca = await placeCa({days: 1});
    const issued = await workload('--validity', '720h');
    expect(answer(issued).certificate?.notAfter).toBe(ca.certificate.notAfter.toISOString());
    expect(answer(issued).warnings.some(({message}) => message.includes('expires with its CA'))).toBe(true);
  });

  it('is hidden from git, with a handwritten mesh.yaml and without .gitignore', async () => {
    await placeCa();
    await dir.write('mesh.yaml', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: cluster1\n');
    execFileSync('git', ['init', '-q', dir.root]);
    expect((await workload()).code).toBe(0);
    const seen = execFileSync('git', ['-C', dir.root, 'status', '--porcelain', '-uall'], {encoding: 'utf8'});
    expect(seen).toContain('workloads/databases/postgres/cert-chain.pem');
    expect(seen).not.toContain('key.pem');
  });

  it('is hidden from git', async () => {
    await placeCa();
    execFileSync('git', ['init', '-q', dir.root]);
    expect((await workload()).code).toBe(0);
    const seen = execFileSync('git', ['-C', dir.root, 'status', '--porcelain', '-uall'], {encoding: 'utf8'});
    expect(seen).not.toContain('key.pem');
    expect(seen).toContain('cert-chain.pem');
  });
});

describe('an existing certificate', () => {
  it('is not changed while it is valid', async () => {
    await placeCa();
    await workload();
    const before = await dir.snapshot();
    const again = await workload('--validity', '1h');
    expect([again.code, outcome(again)]).toEqual([0, 'unchanged']);
    expect(await dir.snapshot()).toEqual(before);
  });

  it('is replaced by --renew, after confirmation', async () => {
    await placeCa();
    const first = answer(await workload()).certificate?.fingerprint;
    const unconfirmed = await workload('--renew');
    expect([unconfirmed.code, code(unconfirmed)]).toEqual([5, 'CONFIRMATION_NEEDED']);
    const issued = await workload('--renew', '--yes');
    expect(outcome(issued)).toBe('done');
    expect(answer(issued).certificate?.fingerprint).not.toBe(first);
  });

  it('is replaced without a prompt after it has expired', async () => {
    await placeCa();
    await workload();
    const expired = await tinyRoot({now: new Date(Date.now() - 10 * 86_400_000), days: 1});
    await dir.write(`${folder}/cert-chain.pem`, expired.certificate.pem);
    const issued = await workload();
    expect([issued.code, outcome(issued)]).toEqual([0, 'done']);
    expect(verified('sslserver')).toContain('OK');
  });

  it.each<[string, () => Promise<void>]>([
    ['another key', async () => dir.write(`${folder}/key.pem`, openssl(['genpkey', '-algorithm', 'RSA']))],
    ['no key', async () => dir.remove(`${folder}/key.pem`)],
    ['no certificate', async () => dir.write(`${folder}/cert-chain.pem`, 'hello\n')],
    ['roots of another mesh', async () => dir.write(`${folder}/root-cert.pem`, (await tinyRoot()).certificate.pem)],
    [
      'the certificate of another workload',
      async () => {
        await run('other/sa', '--cluster', 'cluster1');
        for (const name of ['key.pem', 'cert-chain.pem']) {
          await dir.write(`${folder}/${name}`, await dir.read(`cluster1/workloads/other/sa/${name}`));
        }
      },
    ],
  ])('is a conflict if it is %s, and is replaced only on request', async (_, spoil) => {
    await placeCa();
    await workload();
    await spoil();
    const before = await dir.snapshot();
    const issued = await workload();
    expect([issued.code, code(issued)]).toEqual([2, 'WORKDIR_CONFLICT']);
    expect(await dir.snapshot()).toEqual(before);
    expect(outcome(await workload('--renew', '--yes'))).toBe('done');
    expect(verified('sslserver')).toContain('OK');
  });

  it('is unchanged in a dry run', async () => {
    await placeCa();
    const before = await dir.snapshot();
    const issued = await run('databases/postgres', '--cluster', 'cluster1', '--dry-run');
    expect(issued.code).toBe(0);
    expect(issued.stdout).toContain('would issue');
    expect(await dir.snapshot()).toEqual(before);
  });
});

describe('nothing is issued', () => {
  it.each<[string, () => Promise<unknown>, number, string]>([
    ['without a CA', () => Promise.resolve(), 2, 'FILE_MISSING'],
    [
      "without the CA's key",
      async () => {
        await placeCa();
        await dir.remove('cluster1/ca-key.pem');
      },
      2,
      'FILE_MISSING',
    ],
    [
      'with the key of another CA',
      async () => {
        await placeCa();
        await dir.write('cluster1/ca-key.pem', openssl(['genpkey', '-algorithm', 'RSA']), 0o600);
      },
      2,
      'CA_FILES_INVALID',
    ],
    [
      'by an expired CA',
      async () => placeCa({now: new Date(Date.now() - 100 * 86_400_000), days: 1}),
      2,
      'CA_FILES_INVALID',
    ],
    [
      'if git does not ignore the key',
      async () => {
        await placeCa();
        execFileSync('git', ['init', '-q', dir.root]);
        await dir.write('mesh.yaml', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: cluster1\n');
        await dir.write('.gitignore', 'nothing\n');
      },
      5,
      'KEY_IN_GIT',
    ],
  ])('%s', async (_, prepare, exit, expected) => {
    await prepare();
    const issued = await workload();
    expect([issued.code, code(issued)]).toEqual([exit, expected]);
    expect(existsSync(join(dir.root, 'cluster1/workloads'))).toBe(false);
  });

  it('if another CA issues workload certificates', async () => {
    await placeCa();
    const signer = 'trust:\n  signer: {type: external, issuer: spire}\n';
    await dir.write(
      'mesh.yaml',
      `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n${signer}clusters:\n  - name: cluster1\n`,
    );
    expect(code(await workload())).toBe('SIGNED_ELSEWHERE');
  });

  it('reports that keepClusterKeys removed the key', async () => {
    await placeCa();
    await dir.remove('cluster1/ca-key.pem');
    await dir.write(
      'mesh.yaml',
      'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\ntrust:\n  keepClusterKeys: false\nclusters:\n  - name: cluster1\n',
    );
    expect(answer(await workload()).clusters[0]?.error?.message).toContain('keepClusterKeys');
  });

  it.each([
    ['../x/default'],
    ['databases/../../../etc'],
    ['databases'],
    ['databases/'],
    ['/default'],
    ['a/b/c'],
    ['Databases/default'],
    ['databases/Default'],
    ['databases/-f'],
    [`${'n'.repeat(64)}/default`],
    [`databases/${'s'.repeat(254)}`],
    ['databases/a..b'],
    ['databases/a\nb'],
  ])('to %j', async (name) => {
    await placeCa();
    const before = await dir.snapshot();
    const issued = await run(name, '--cluster', 'cluster1', '-o', 'json');
    expect([issued.code, code(issued)]).toEqual([2, 'USAGE']);
    expect(await dir.snapshot()).toEqual(before);
  });

  it.each([['2161h'], ['0s'], ['59s'], ['a day'], ['-1h']])('for %s', async (validity) => {
    await placeCa();
    const issued = await workload('--validity', validity);
    expect([issued.code, code(issued)]).toEqual([2, 'USAGE']);
  });

  it('for a cluster that is not in mesh.yaml', async () => {
    await placeCa();
    await dir.write('mesh.yaml', 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nclusters:\n  - name: cluster2\n');
    const issued = await workload();
    expect([issued.code, code(issued)]).toEqual([2, 'UNKNOWN_CLUSTER']);
  });

  it('to a service account with the longest possible name, if its directories can be created', async () => {
    await placeCa();
    const issued = await run(`${'n'.repeat(63)}/${'s'.repeat(253)}`, '--cluster', 'cluster1', '-o', 'json');
    expect(issued.code).toBe(0);
  });
});
