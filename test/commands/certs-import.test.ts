import {X509Certificate} from 'node:crypto';
import {existsSync} from 'node:fs';
import {afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import CertsImport from '../../src/commands/certs/import.js';
import CertsList from '../../src/commands/certs/list.js';
import CertsRequest from '../../src/commands/certs/request.js';
import {CorporateCa, pkcs7, policy, type SignOptions, subordinate} from '../helpers/corporate-ca.js';
import {openssl} from '../helpers/openssl.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

/** The company: a root, a policy CA below it, and sometimes one more. */
let root: CorporateCa;
let policyCa: CorporateCa;
let dir: TestWorkDir;
/** The work directory with requests of two clusters, copied for each test. */
let requests: Readonly<Record<string, string>>;

beforeAll(async () => {
  root = CorporateCa.root();
  policyCa = root.below('/O=Example AG/CN=Example Policy CA');
  const made = await createWorkDir();
  const run = await runCommand(CertsRequest, ['c1', 'c2', '-w', made.root, '--key-algorithm', 'ecdsa-p256']);
  expect(run.code, run.stderr).toBe(0);
  const files = await made.snapshot();
  requests = Object.fromEntries(Object.entries(files).map(([path, text]) => [path.slice(made.root.length + 1), text]));
  await made.dispose();
});
beforeEach(async () => {
  dir = await createWorkDir();
  for (const [path, text] of Object.entries(requests)) {
    await dir.write(path, text, path.endsWith('key.pem') ? 0o600 : undefined);
  }
});
afterEach(() => dir.dispose());

interface Answer {
  readonly clusters: readonly {
    readonly outcome: string;
    readonly error?: {readonly code: string; readonly message: string; readonly hints: readonly string[]};
    readonly chain?: readonly {readonly subject: string}[];
    readonly changes?: readonly string[];
    readonly refusals?: readonly {readonly id: string; readonly message: string}[];
  }[];
  readonly errors: readonly {readonly code: string; readonly message: string}[];
  readonly error?: {readonly code: string; readonly message: string};
  readonly warnings: readonly {readonly message: string}[];
}
const answer = (run: CommandRun) => answerOf(run) as Answer;

/** Imports texts or bytes as files; `--root` is the company's by default. */
async function take(
  cluster: string,
  contents: readonly (string | Buffer)[],
  more: readonly string[] = ['--root', root.certificatePath],
): Promise<CommandRun> {
  const {writeFile} = await import('node:fs/promises');
  const files = await Promise.all(
    contents.map(async (content, index) => {
      const path = `${dir.root}/answer-${String(index)}`;
      await writeFile(path, content);
      return path;
    }),
  );
  return runCommand(CertsImport, [cluster, ...files, ...more, '-o', 'json', '-w', dir.root]);
}

const csr = (cluster = 'c1'): Promise<string> => dir.read(`${cluster}/request/ca.csr`);
const sign = async (options: SignOptions = {}, ca = policyCa): Promise<string> => ca.sign(await csr(), options);

/** The policy CA's certificate for the existing request, issued once: most tests need no other one. */
const answers = new Map<string, string>();
async function answered(cluster = 'c1'): Promise<string> {
  const request = await csr(cluster);
  const made = answers.get(request) ?? policyCa.sign(request);
  answers.set(request, made);
  return made;
}

/** All files except those that the tests write. */
async function written(): Promise<Readonly<Record<string, string>>> {
  const files = Object.entries(await dir.snapshot()).filter(([path]) => !path.includes('/answer-'));
  return Object.fromEntries(files);
}

const subjects = (pems: string): readonly string[] =>
  (pems.match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem).subject);

/** Expects four correct files that openssl verifies strictly. */
async function expectTaken(run: CommandRun, depth: number, cluster = 'c1'): Promise<void> {
  expect(answer(run).clusters, run.stderr).toMatchObject([{outcome: 'done'}]);
  expect(run.code).toBe(0);
  const files = (name: string): string => `${dir.root}/${cluster}/${name}`;
  expect(
    openssl([
      ...['verify', '-x509_strict', '-CAfile', files('root-cert.pem')],
      ...['-untrusted', files('cert-chain.pem'), files('ca-cert.pem')],
    ]),
  ).toContain('OK');
  const chain = subjects(await dir.read(`${cluster}/cert-chain.pem`));
  expect(chain).toHaveLength(depth);
  expect(chain[0]).toContain(`L=${cluster}`);
  expect(chain.at(-1)).toContain('CN=Example Root CA');
  expect(await dir.read(`${cluster}/ca-key.pem`)).toBe(requests[`${cluster}/request/ca-key.pem`]);
  expect(await dir.mode(`${cluster}/ca-key.pem`)).toBe(0o600);
  expect(existsSync(files('request'))).toBe(false);
}

/** Expects these reasons, and that nothing was written. */
async function expectRefused(run: CommandRun, ids: readonly string[]): Promise<Answer['clusters'][number]> {
  const [cluster] = answer(run).clusters;
  expect(cluster?.refusals?.map(({id}) => id)).toEqual(ids);
  expect(cluster?.error?.code).toBe('CERTIFICATE_REFUSED');
  expect(cluster?.error?.hints).not.toEqual([]);
  expect(run.code).toBe(2);
  expect(
    Object.keys(await written())
      .map((path) => path.slice(dir.root.length + 1))
      .sort(),
  ).toEqual(Object.keys(requests).sort());
  if (!cluster) throw new Error('no answer');
  return cluster;
}

// All file formats, and all reasons to reject a certificate: test/operations/certs/plan-import-openssl.test.ts.
describe('accepts the formats of CAs', () => {
  it.each<readonly [string, (leaf: string) => readonly (string | Buffer)[]]>([
    ['PEM in the wrong order', (leaf) => [root.pem + policyCa.pem + leaf]],
    ['the same certificates twice', (leaf) => [leaf + policyCa.pem, policyCa.pem + leaf + root.pem]],
    ['PKCS#7 as DER', (leaf) => [pkcs7([policyCa.pem, leaf], 'DER')]],
  ])('%s', async (_what, contents) => {
    await expectTaken(await take('c1', contents(await answered())), 3);
  });

  it('chains of any depth: directly below the root, and four levels deep', async () => {
    await expectTaken(await take('c1', [await sign({}, root)]), 2);
    const regional = policyCa.below('/O=Example AG/CN=Example Regional CA');
    const leaf = regional.sign(await csr('c2'));
    await expectTaken(await take('c2', [leaf, policyCa.pem, regional.pem], []), 4, 'c2');
  });

  it('the certificate alone, if another cluster has the issuing CAs', async () => {
    await expectTaken(await take('c1', [(await answered()) + policyCa.pem]), 3);
    await expectTaken(await take('c2', [await answered('c2')], []), 3, 'c2');
  });
});

describe("the mesh's root", () => {
  it('is confirmed by its fingerprint if it comes with the first certificate', async () => {
    const all = [(await answered()) + policyCa.pem + root.pem];
    const before = await written();
    const run = await take('c1', all, []);
    expect([run.code, answer(run).error?.code]).toEqual([5, 'CONFIRMATION_NEEDED']);
    expect(answer(run).error?.message).toContain(new X509Certificate(root.pem).fingerprint256);
    expect(await written()).toEqual(before);
    await expectTaken(await take('c1', all, ['--yes']), 3);
    expect(await dir.read('root-cert.pem')).toBe(await dir.read('c1/root-cert.pem'));
  });

  it('cannot change later', async () => {
    await expectTaken(await take('c1', [(await answered()) + policyCa.pem]), 3);
    const other = CorporateCa.root();
    const leaf = other.sign(await csr('c2'));
    const named = await take('c2', [leaf + other.pem], ['--root', other.certificatePath]);
    expect([named.code, answer(named).error?.code]).toEqual([2, 'CONTRADICTION']);
  });

  it('cannot be an intermediate', async () => {
    const run = await take('c1', [await answered()], ['--root', policyCa.certificatePath]);
    expect([run.code, answer(run).error?.code]).toEqual([2, 'NOT_A_CERTIFICATE']);
  });
});

describe('rejects, with the reason, and writes nothing', () => {
  it("another cluster's certificate, and names that cluster", async () => {
    const run = await take('c1', [await answered('c2'), policyCa.pem]);
    const refused = await expectRefused(run, ['other-cluster']);
    expect(refused.error?.hints[0]).toBe(`import them with: kubectl mesh certs import c2 FILE... -w ${dir.root}`);
  });

  it('a certificate with all reasons at once', async () => {
    const above = root.below('/CN=P', {extensions: subordinate, digest: 'sha1'});
    const run = await take('c1', [await sign({start: '20200101000000Z', end: '20210101000000Z'}, above), above.pem]);
    await expectRefused(run, ['expired', 'path-length', 'insecure-signature']);
  });
});

describe('invalid input', () => {
  it.each<[string, string | Buffer, string]>([
    ['garbage', Buffer.from([1, 2, 3]), 'NOT_PEM'],
    ['an empty file', '', 'NOT_PEM'],
    ['a web page', '<html>Denied</html>', 'NOT_PEM'],
    ['a truncated PEM', '-----BEGIN CERTIFICATE-----\nMIIB\n', 'NOT_PEM'],
    ['a PKCS#7 that is cut', Buffer.from('308006092a864886f70d010702a080', 'hex'), 'NOT_A_CERTIFICATE'],
    ['DER that is no certificate', Buffer.from('30820003020101', 'hex'), 'NOT_A_CERTIFICATE'],
  ])('%s', async (_what, content, code) => {
    const before = await written();
    const run = await take('c1', [content]);
    expect([run.code, answer(run).error?.code]).toEqual([2, code]);
    expect(await written()).toEqual(before);
  });

  it('includes the request itself', async () => {
    const run = await take('c1', [await csr()]);
    expect([run.code, answer(run).error?.code]).toEqual([2, 'NOT_A_CERTIFICATE']);
    expect(answer(run).error?.message).toContain('certificate request');
  });

  it('includes a missing file', async () => {
    const run = await runCommand(CertsImport, ['c1', `${dir.root}/nothing`, '-w', dir.root, '-o', 'json']);
    expect([run.code, answer(run).error?.code]).toEqual([2, 'FILE_MISSING']);
  });

  it('includes a key: alone it is rejected, beside certificates it is ignored with a warning', async () => {
    const key = openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']);
    expect(answer(await take('c1', [key])).error?.code).toBe('NOT_A_CERTIFICATE');
    const run = await take('c1', [(await answered()) + policyCa.pem + key]);
    await expectTaken(run, 3);
    expect(answer(run).warnings.map(({message}) => message)).toContainEqual(expect.stringContaining('private key'));
    for (const [path, text] of Object.entries(await written())) {
      expect(text.includes(key.split('\n')[1] ?? 'no key'), path).toBe(false);
    }
  });

  it('includes PKCS#12, with its own message', async () => {
    const [from, to] = [`${dir.root}/answer-c`, `${dir.root}/answer-p12`];
    await dir.write('answer-c', root.pem);
    openssl(['pkcs12', '-export', '-nokeys', '-in', from, '-passout', 'pass:x', '-out', to]);
    const run = await runCommand(CertsImport, ['c1', `${dir.root}/answer-p12`, '-w', dir.root, '-o', 'json']);
    expect(answer(run).error?.code).toBe('NOT_PEM');
    expect(answer(run).error?.message).toContain('PKCS#12');
  });
});

describe('an existing CA', () => {
  it('is unchanged if the same certificate is imported again', async () => {
    const all = [(await answered()) + policyCa.pem];
    await expectTaken(await take('c1', all), 3);
    const before = await written();
    const run = await take('c1', all);
    expect(answer(run).clusters).toMatchObject([{outcome: 'unchanged'}]);
    expect(await written()).toEqual(before);
  });

  it('is completed after a run that was killed before it removed the request', async () => {
    const all = [(await answered()) + policyCa.pem];
    await expectTaken(await take('c1', all), 3);
    for (const name of ['ca-key.pem', 'ca.csr']) {
      await dir.write(`c1/request/${name}`, requests[`c1/request/${name}`] ?? '', 0o600);
    }
    const before = await dir.read('c1/ca-cert.pem');
    await expectTaken(await take('c1', all), 3);
    expect(await dir.read('c1/ca-cert.pem')).toBe(before);
  });

  it('is replaced only after confirmation, by a renewal of the same key', async () => {
    const request = await csr();
    await expectTaken(await take('c1', [(await answered()) + policyCa.pem]), 3);
    const renewed = policyCa.sign(request);
    const before = await written();
    const run = await take('c1', [renewed]);
    expect([run.code, answer(run).error?.code]).toEqual([5, 'CONFIRMATION_NEEDED']);
    expect(await written()).toEqual(before);
    await expectTaken(await take('c1', [renewed], ['--yes']), 3);
    expect(await dir.read('c1/ca-cert.pem')).toBe(renewed);
  });

  it('is replaced, including its key, with its key by the certificate for a new request', async () => {
    await expectTaken(await take('c1', [(await answered()) + policyCa.pem]), 3);
    const key = await dir.read('c1/ca-key.pem');
    await runCommand(CertsRequest, ['c1', '--renew', '--key-algorithm', 'ecdsa-p256', '-w', dir.root]);
    expect(await dir.read('c1/ca-key.pem')).toBe(key);
    const run = await take('c1', [await answered()], ['--yes']);
    expect(answer(run).clusters).toMatchObject([{outcome: 'done'}]);
    expect(await dir.read('c1/ca-key.pem')).not.toBe(key);
  });
});

it('writes nothing in a dry run, and shows the chain', async () => {
  const before = await written();
  const run = await take('c1', [(await answered()) + policyCa.pem], ['--root', root.certificatePath, '--dry-run']);
  expect(answer(run).clusters).toMatchObject([{outcome: 'skipped', chain: [{}, {}, {}]}]);
  expect(await written()).toEqual(before);
});

it('reports differences from the request, and accepts harmless ones', async () => {
  const extensions = [...policy, 'subjectAltName=DNS:istiod.istio-system.svc'];
  const run = await take('c1', [(await sign({extensions, subject: '/O=Example AG/CN=Mesh c1/L=c1'})) + policyCa.pem]);
  await expectTaken(run, 3);
  const [life, subject, ...others] = answer(run).clusters[0]?.changes ?? [];
  expect(life).toMatch(/365 days instead of 730 days .*clusterValidity/);
  expect(subject).toContain('Mesh c1');
  expect(others).toEqual([expect.stringContaining('path length'), expect.stringContaining('istiod.istio-system.svc')]);
});

it('does not report a lifetime that matches the declared one', async () => {
  const declared = (await dir.read('mesh.yaml')).replace(/^trust:$/m, 'trust:\n  clusterValidity: 365d');
  await dir.write('mesh.yaml', declared);
  expect(declared).toContain('clusterValidity');
  const changes = answer(await take('c1', [(await answered()) + policyCa.pem])).clusters[0]?.changes ?? [];
  expect(changes.filter((change) => change.includes('days'))).toEqual([]);
});

it("does not move a cluster's directory that was given as a file", async () => {
  const run = await runCommand(CertsImport, ['c1', `${dir.root}/c2`, '-o', 'json', '-w', dir.root]);
  expect([run.code, answer(run).error?.code]).toEqual([2, 'WORKDIR_CONFLICT']);
  expect(run.stdout).not.toContain('move');
});

it('shows every certificate of a deep chain in certs list', async () => {
  await expectTaken(await take('c1', [(await answered()) + policyCa.pem]), 3);
  const run = await runCommand(CertsList, ['c1', '-w', dir.root]);
  expect(run.code).toBe(0);
  expect(run.stdout).toContain('Example Policy CA');
});

it('writes .gitignore with the key if the work directory has none, and not again', async () => {
  await dir.remove('.gitignore');
  const chain = await answered();
  const answers = [chain, policyCa.pem];
  const {code, stdout} = await take('c1', answers);
  expect([code, stdout]).toEqual([0, expect.any(String)]);
  expect(await dir.read('.gitignore')).toContain('*key.pem');
  await dir.remove('.gitignore');
  expect((await take('c1', answers)).code).toBe(0);
  await expect(dir.read('.gitignore')).rejects.toThrow();
});
