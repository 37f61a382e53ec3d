import {X509Certificate} from 'node:crypto';
import {existsSync} from 'node:fs';
import {afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import CertsImport from '../../src/commands/certs/import.js';
import CertsList from '../../src/commands/certs/list.js';
import CertsRequest from '../../src/commands/certs/request.js';
import {CorporateCa, foreignRequest, pkcs7, policy, type SignOptions, subordinate} from '../helpers/corporate-ca.js';
import {openssl} from '../helpers/openssl.js';
import {answerOf, type CommandRun, runCommand} from '../helpers/run-command.js';
import {createWorkDir, type TestWorkDir} from '../helpers/work-dir.js';

/** The company: a root, a policy CA below it, and sometimes one more. */
let root: CorporateCa;
let policyCa: CorporateCa;
let dir: TestWorkDir;
/** The work directory with requests of two clusters, to be copied for each test. */
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

/** Imports texts or bytes as files; `--root` is the company's unless said otherwise. */
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

/** Everything but what the tests themselves put there. */
async function written(): Promise<Readonly<Record<string, string>>> {
  const files = Object.entries(await dir.snapshot()).filter(([path]) => !path.includes('/answer-'));
  return Object.fromEntries(files);
}

const der = (pem: string): Buffer => new X509Certificate(pem).raw;
const subjects = (pems: string): readonly string[] =>
  (pems.match(/-----BEGIN[^]+?-----END CERTIFICATE-----/g) ?? []).map((pem) => new X509Certificate(pem).subject);

/** The four files are right, and openssl verifies them strictly. */
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

/** Nothing was written, and the reasons are these. */
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

describe('takes what CAs return', () => {
  const forms: readonly (readonly [string, (leaf: string) => readonly (string | Buffer)[]])[] = [
    ['PEM in the right order', (leaf) => [leaf + policyCa.pem + root.pem]],
    ['PEM in the wrong order', (leaf) => [root.pem + policyCa.pem + leaf]],
    ['several files', (leaf) => [policyCa.pem, leaf]],
    ['the same certificates twice', (leaf) => [leaf + policyCa.pem, policyCa.pem + leaf + root.pem]],
    ['DER', (leaf) => [der(leaf), der(policyCa.pem)]],
    ['PKCS#7 as PEM', (leaf) => [pkcs7([leaf, root.pem, policyCa.pem], 'PEM')]],
    ['PKCS#7 as DER', (leaf) => [pkcs7([policyCa.pem, leaf], 'DER')]],
    [
      "PKCS#7 under the label CERTIFICATE, as Microsoft's tools write it",
      (leaf) => [pkcs7([leaf, policyCa.pem], 'PEM').toString().replaceAll('PKCS7', 'CERTIFICATE')],
    ],
    [
      'the text of openssl x509 -text around it',
      (leaf) => [openssl(['x509', '-text'], leaf) + openssl(['x509', '-text'], policyCa.pem)],
    ],
    ['lines that end with CR LF', (leaf) => [(leaf + policyCa.pem).replaceAll('\n', '\r\n')]],
    ['UTF-16, as PowerShell redirects', (leaf) => [Buffer.from(`\ufeff${leaf}${policyCa.pem}`, 'utf16le')]],
    ['base64 without markers', (leaf) => [der(leaf).toString('base64'), policyCa.pem]],
    ['openssl x509 -trustout', (leaf) => [openssl(['x509', '-trustout'], leaf), policyCa.pem]],
    [
      'a bundle with certificates that have nothing to do with it',
      (leaf) => [CorporateCa.root('/CN=Stranger').pem + leaf + CorporateCa.root('/CN=Another').pem + policyCa.pem],
    ],
  ];
  it.each(forms)('%s', async (_what, contents) => {
    await expectTaken(await take('c1', contents(await sign())), 3);
  });

  it('a streamed PKCS#7, whose lengths are indefinite', async () => {
    const leaf = await sign();
    for (const [name, text] of Object.entries({leaf, policy: policyCa.pem})) await dir.write(name, text);
    openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', `${dir.root}/s.key`]);
    openssl(['req', '-x509', '-key', `${dir.root}/s.key`, '-subj', '/CN=sender', '-out', `${dir.root}/s.pem`]);
    openssl([
      ...['smime', '-sign', '-stream', '-in', `${dir.root}/policy`, '-signer', `${dir.root}/s.pem`],
      ...['-inkey', `${dir.root}/s.key`, '-certfile', `${dir.root}/leaf`, '-nodetach'],
      ...['-outform', 'DER', '-out', `${dir.root}/s.p7`],
    ]);
    const {readFile} = await import('node:fs/promises');
    const streamed = await readFile(`${dir.root}/s.p7`);
    expect(streamed[1]).toBe(0x80);
    for (const name of ['leaf', 'policy', 's.key', 's.pem', 's.p7']) await dir.remove(name);
    await expectTaken(await take('c1', [streamed, policyCa.pem]), 3);
  });

  it('a CA of its own depth: directly below the root, and four deep', async () => {
    await expectTaken(await take('c1', [await sign({}, root)]), 2);
    const regional = policyCa.below('/O=Example AG/CN=Example Regional CA');
    const leaf = regional.sign(await csr('c2'));
    await expectTaken(await take('c2', [leaf, policyCa.pem, regional.pem], []), 4, 'c2');
  });

  it('the certificate alone, when another cluster has shown what stands above it', async () => {
    await expectTaken(await take('c1', [(await sign()) + policyCa.pem]), 3);
    await expectTaken(await take('c2', [policyCa.sign(await csr('c2'))], []), 3, 'c2');
  });

  it('a cross-signed policy CA: the way up that ends at the root of the mesh', async () => {
    const other = CorporateCa.root('/CN=Other Root');
    const crossed = other.certify(policyCa, {subject: '/O=Example AG/CN=Example Policy CA'});
    await expectTaken(await take('c1', [other.pem + crossed.pem + (await sign()) + policyCa.pem]), 3);
  });
});

describe('the root of the mesh', () => {
  it('is agreed to by its fingerprint when it comes with the first answer', async () => {
    const all = [(await sign()) + policyCa.pem + root.pem];
    const before = await written();
    const run = await take('c1', all, []);
    expect([run.code, answer(run).error?.code]).toEqual([5, 'CONFIRMATION_NEEDED']);
    expect(answer(run).error?.message).toContain(new X509Certificate(root.pem).fingerprint256);
    expect(await written()).toEqual(before);
    await expectTaken(await take('c1', all, ['--yes']), 3);
    expect(await dir.read('root-cert.pem')).toBe(await dir.read('c1/root-cert.pem'));
  });

  it('is asked for when nothing has it', async () => {
    await expectRefused(await take('c1', [(await sign()) + policyCa.pem], []), ['no-root']);
  });

  it('cannot be another one later', async () => {
    await expectTaken(await take('c1', [(await sign()) + policyCa.pem]), 3);
    const stranger = CorporateCa.root();
    const leaf = stranger.sign(await csr('c2'));
    const run = await take('c2', [leaf + stranger.pem], []);
    expect(answer(run).clusters[0]?.refusals).toMatchObject([{id: 'other-root'}]);
    const named = await take('c2', [leaf + stranger.pem], ['--root', stranger.certificatePath]);
    expect([named.code, answer(named).error?.code]).toEqual([2, 'CONTRADICTION']);
  });

  it('is no intermediate that was given as one', async () => {
    const run = await take('c1', [await sign()], ['--root', policyCa.certificatePath]);
    expect([run.code, answer(run).error?.code]).toEqual([2, 'NOT_A_CERTIFICATE']);
  });
});

const rsaPolicy = (): CorporateCa =>
  root.below('/CN=RSA', {key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048']});

it.each(['sha256', 'sha384'])('takes RSASSA-PSS with %s as Go does', async (digest) => {
  const above = rsaPolicy();
  const answer = await sign({digest, signature: ['rsa_padding_mode:pss', 'rsa_pss_saltlen:digest']}, above);
  expect((await take('c1', [answer, above.pem])).code).toBe(0);
});

const constrain = (permitted: string): readonly string[] => [
  ...policy,
  `nameConstraints=${permitted.startsWith('dirName') ? '' : 'critical,'}permitted;${permitted}`,
  '[dn]',
  'L=c1',
];
it.each(['URI:cluster.local', 'dirName:dn', 'URI:.local', 'DNS:svc,permitted;email:example.com'])(
  'takes name constraints that permit what the mesh needs: %s',
  async (permitted) => {
    const above = root.below('/CN=P', {extensions: constrain(permitted)});
    expect((await take('c1', [await sign({}, above), above.pem])).code).toBe(0);
  },
);

describe('refuses, with the reason, and writes nothing', () => {
  const without = (line: string): readonly string[] => subordinate.filter((one) => !one.startsWith(line));
  const signed: readonly (readonly [string, string, SignOptions])[] = [
    ['a leaf', 'not-a-ca', {extensions: ['basicConstraints=critical,CA:FALSE', ...without('basic')]}],
    ['no basic constraints', 'not-a-ca', {extensions: without('basic')}],
    ['no keyCertSign', 'no-cert-sign', {extensions: ['keyUsage=critical,digitalSignature', ...without('keyUsage')]}],
    ['an EKU without clientAuth', 'no-client-auth', {extensions: [...subordinate, 'extendedKeyUsage=serverAuth']}],
    ['an expired one', 'expired', {start: '20200101000000Z', end: '20210101000000Z'}],
    ['one that is not valid yet', 'not-yet-valid', {start: '20490101000000Z', end: '20491231000000Z'}],
    ['SHA-1', 'insecure-signature', {digest: 'sha1'}],
    ['SHA-224', 'unknown-signature', {digest: 'sha224'}],
    [
      'an unknown critical extension',
      'critical-extension',
      {extensions: [...subordinate, '1.2.3.4=critical,ASN1:NULL']},
    ],
    ['the name of another cluster', 'other-cluster', {subject: '/O=Istio/CN=Intermediate CA/L=c2'}],
  ];
  it.each(signed)('%s (%s)', async (_what, id, options) => {
    await expectRefused(await take('c1', [await sign(options), policyCa.pem]), [id]);
  });

  it('an EKU without serverAuth, for both reasons', async () => {
    const extensions = [...subordinate, 'extendedKeyUsage=codeSigning'];
    await expectRefused(await take('c1', [await sign({extensions}), policyCa.pem]), [
      'no-server-auth',
      'no-client-auth',
    ]);
  });

  it('anyExtendedKeyUsage alone, which istiod takes and proxies do not', async () => {
    const extensions = [...subordinate, 'extendedKeyUsage=anyExtendedKeyUsage'];
    await expectRefused(await take('c1', [await sign({extensions}), policyCa.pem]), [
      'no-server-auth',
      'no-client-auth',
    ]);
  });

  const aboves: readonly (readonly [string, string, () => CorporateCa])[] = [
    ['path length 0', 'path-length', () => root.below('/CN=P', {extensions: subordinate})],
    [
      'no keyCertSign',
      'no-cert-sign',
      () => root.below('/CN=P', {extensions: [policy[0] ?? '', 'keyUsage=critical,cRLSign', ...policy.slice(2)]}),
    ],
    [
      'CA:FALSE',
      'not-a-ca',
      () => root.below('/CN=P', {extensions: ['basicConstraints=CA:FALSE', ...policy.slice(1)]}),
    ],
    ['an end that has come', 'expired', () => root.below('/CN=P', {start: '20200101000000Z', end: '20210101000000Z'})],
    ['SHA-1', 'insecure-signature', () => root.below('/CN=P', {digest: 'sha1'})],
    [
      'RSA 1024',
      'weak-key',
      () => root.below('/CN=P', {key: ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024']}),
    ],
    [
      'a curve that istiod does not know',
      'unsupported-key',
      () => root.below('/CN=P', {key: ['-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:secp256k1']}),
    ],
    [
      'name constraints without the trust domain',
      'workload-names',
      () => root.below('/CN=P', {extensions: [...policy, 'nameConstraints=critical,permitted;URI:example.com']}),
    ],
    [
      "name constraints without istiod's name",
      'serving-names',
      () => root.below('/CN=P', {extensions: [...policy, 'nameConstraints=critical,permitted;DNS:example.com']}),
    ],
    [
      'name constraints that permit the parent of the trust domain, which only Go takes for the domain',
      'workload-names',
      () => root.below('/CN=P', {extensions: [...policy, 'nameConstraints=critical,permitted;URI:local']}),
    ],
    [
      'name constraints that exclude the trust domain',
      'workload-names',
      () => root.below('/CN=P', {extensions: [...policy, 'nameConstraints=critical,excluded;URI:cluster.local']}),
    ],
    [
      'name constraints on directory names',
      'critical-extension',
      () =>
        root.below('/CN=P', {
          extensions: [...policy, 'nameConstraints=critical,permitted;dirName:dn', '[dn]', 'O=Example AG'],
        }),
    ],
    [
      'name constraints on directory names, which istiod passes over and proxies do not',
      'subject-names',
      () =>
        root.below('/CN=P', {extensions: [...policy, 'nameConstraints=permitted;dirName:dn', '[dn]', 'O=Example AG']}),
    ],
    [
      "name constraints that exclude the cluster CA's subject",
      'subject-names',
      () => root.below('/CN=P', {extensions: [...policy, 'nameConstraints=excluded;dirName:dn', '[dn]', 'L=c1']}),
    ],
  ];
  it.each(aboves)('a CA above it with %s (%s)', async (_what, id, make) => {
    const above = make();
    const refused = await expectRefused(await take('c1', [await sign({}, above), above.pem]), [id]);
    expect(refused.refusals?.[0]?.message).toContain('CN=P');
  });

  it.each<[string, string, string, readonly string[]]>([
    ['SHA-1', 'insecure-signature', 'sha1', []],
    ['SHA-256 and a salt of another length', 'unknown-signature', 'sha256', ['rsa_pss_saltlen:20']],
    ['SHA-256 and a mask by SHA-1', 'unknown-signature', 'sha256', ['rsa_pss_saltlen:32', 'rsa_mgf1_md:sha1']],
  ])('RSASSA-PSS with %s (%s)', async (_what, id, digest, more) => {
    const above = rsaPolicy();
    const answer = await sign({digest, signature: ['rsa_padding_mode:pss', ...more]}, above);
    await expectRefused(await take('c1', [answer, above.pem]), [id]);
  });

  it('a path length that is used up further along: the root allows one CA, two stand below', async () => {
    const strict = CorporateCa.root('/CN=Strict Root', {
      extensions: ['basicConstraints=critical,CA:TRUE,pathlen:1', ...policy.slice(1, 3)],
    });
    const first = strict.below('/CN=First');
    const second = first.below('/CN=Second');
    const run = await take('c1', [await sign({}, second), first.pem, second.pem], ['--root', strict.certificatePath]);
    const refused = await expectRefused(run, ['path-length']);
    expect(refused.refusals?.[0]?.message).toContain('Strict Root');
  });

  it('another key', async () => {
    const run = await take('c1', [policyCa.sign(foreignRequest('/CN=x')), policyCa.pem]);
    await expectRefused(run, ['other-key']);
  });

  it("another cluster's answer, and names that cluster", async () => {
    const run = await take('c1', [policyCa.sign(await csr('c2')), policyCa.pem]);
    const refused = await expectRefused(run, ['other-cluster']);
    expect(refused.error?.hints[0]).toBe(`kubectl mesh certs import -w ${dir.root} c2 FILE...`);
  });

  it('the request signed with its own key', async () => {
    const own = openssl([
      'req',
      '-x509',
      '-key',
      `${dir.root}/c1/request/ca-key.pem`,
      '-in',
      `${dir.root}/c1/request/ca.csr`,
    ]);
    await expectRefused(await take('c1', [own]), ['self-signed']);
  });

  it('a chain with a hole, and names who is missing', async () => {
    const regional = policyCa.below('/O=Example AG/CN=Example Regional CA');
    const refused = await expectRefused(await take('c1', [await sign({}, regional), policyCa.pem]), ['missing-issuer']);
    expect(refused.refusals?.[0]?.message).toContain('Example Regional CA');
    expect(refused.refusals?.[0]?.message).toContain(
      /X509v3 Subject Key Identifier:\s*([0-9A-F:]+)/i.exec(openssl(['x509', '-noout', '-text'], regional.pem))?.[1],
    );
  });

  it('an issuer of the right name and another key', async () => {
    const twin = root.below('/O=Example AG/CN=Example Policy CA');
    const refused = await expectRefused(await take('c1', [await sign(), twin.pem]), ['missing-issuer']);
    expect(refused.refusals?.[0]?.message).toContain('another key signed it');
  });

  it("a CA's other certificate, whose key identifier is not the one that its signatures name", async () => {
    const renewed = root.certify(policyCa, {
      extensions: policy.map((line) => (line.startsWith('subjectKey') ? 'subjectKeyIdentifier=01020304' : line)),
    });
    await expectRefused(await take('c1', [await sign(), renewed.pem]), ['authority-key']);
  });

  it('a key that another cluster has, too', async () => {
    await dir.write('c2/request/ca.csr', await csr());
    const refused = await expectRefused(await take('c1', [await sign(), policyCa.pem]), ['key-used-twice']);
    expect(refused.refusals?.[0]?.message).toContain('c2');
  });

  it('every reason at once', async () => {
    const above = root.below('/CN=P', {extensions: subordinate, digest: 'sha1'});
    const run = await take('c1', [await sign({start: '20200101000000Z', end: '20210101000000Z'}, above), above.pem]);
    await expectRefused(run, ['expired', 'path-length', 'insecure-signature']);
  });
});

describe('what is no answer', () => {
  it.each<[string, string | Buffer, string]>([
    ['garbage', Buffer.from([1, 2, 3]), 'NOT_PEM'],
    ['an empty file', '', 'NOT_PEM'],
    ['a web page', '<html>Denied</html>', 'NOT_PEM'],
    ['a cut PEM', '-----BEGIN CERTIFICATE-----\nMIIB\n', 'NOT_PEM'],
    ['a PKCS#7 that is cut', Buffer.from('308006092a864886f70d010702a080', 'hex'), 'NOT_A_CERTIFICATE'],
    ['DER that is no certificate', Buffer.from('30820003020101', 'hex'), 'NOT_A_CERTIFICATE'],
  ])('%s', async (_what, content, code) => {
    const before = await written();
    const run = await take('c1', [content]);
    expect([run.code, answer(run).error?.code]).toEqual([2, code]);
    expect(await written()).toEqual(before);
  });

  it('is the request itself', async () => {
    const run = await take('c1', [await csr()]);
    expect([run.code, answer(run).error?.code]).toEqual([2, 'NOT_A_CERTIFICATE']);
    expect(answer(run).error?.message).toContain('certificate request');
  });

  it('is a file that is not there', async () => {
    const run = await runCommand(CertsImport, ['c1', `${dir.root}/nothing`, '-w', dir.root, '-o', 'json']);
    expect([run.code, answer(run).error?.code]).toEqual([2, 'FILE_MISSING']);
  });

  it('is a key: alone it is refused, beside certificates it is left out with a warning', async () => {
    const key = openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256']);
    expect(answer(await take('c1', [key])).error?.code).toBe('NOT_A_CERTIFICATE');
    const run = await take('c1', [(await sign()) + policyCa.pem + key]);
    await expectTaken(run, 3);
    expect(answer(run).warnings.map(({message}) => message)).toContainEqual(expect.stringContaining('private key'));
    for (const [path, text] of Object.entries(await written())) {
      expect(text.includes(key.split('\n')[1] ?? 'no key'), path).toBe(false);
    }
  });

  it('a PKCS#12 is told apart', async () => {
    openssl([
      'req',
      '-x509',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=x',
      '-keyout',
      `${dir.root}/answer-k`,
      '-out',
      `${dir.root}/answer-c`,
    ]);
    openssl([
      'pkcs12',
      '-export',
      '-in',
      `${dir.root}/answer-c`,
      '-inkey',
      `${dir.root}/answer-k`,
      '-passout',
      'pass:x',
      '-out',
      `${dir.root}/answer-p12`,
    ]);
    const run = await runCommand(CertsImport, ['c1', `${dir.root}/answer-p12`, '-w', dir.root, '-o', 'json']);
    expect(answer(run).error?.code).toBe('NOT_PEM');
    expect(answer(run).error?.message).toContain('PKCS#12');
  });
});

describe('what is there already', () => {
  it('is unchanged when the same answer comes again', async () => {
    const all = [(await sign()) + policyCa.pem];
    await expectTaken(await take('c1', all), 3);
    const before = await written();
    const run = await take('c1', all);
    expect(answer(run).clusters).toMatchObject([{outcome: 'unchanged'}]);
    expect(await written()).toEqual(before);
  });

  it('is finished after a run that was killed before it removed the request', async () => {
    const all = [(await sign()) + policyCa.pem];
    await expectTaken(await take('c1', all), 3);
    for (const name of ['ca-key.pem', 'ca.csr']) {
      await dir.write(`c1/request/${name}`, requests[`c1/request/${name}`] ?? '', 0o600);
    }
    const before = await dir.read('c1/ca-cert.pem');
    await expectTaken(await take('c1', all), 3);
    expect(await dir.read('c1/ca-cert.pem')).toBe(before);
  });

  it('is replaced only with agreement, by a renewal of the same key', async () => {
    const request = await csr();
    await expectTaken(await take('c1', [(await sign()) + policyCa.pem]), 3);
    const renewed = policyCa.sign(request);
    const before = await written();
    const run = await take('c1', [renewed]);
    expect([run.code, answer(run).error?.code]).toEqual([5, 'CONFIRMATION_NEEDED']);
    expect(await written()).toEqual(before);
    await expectTaken(await take('c1', [renewed], ['--yes']), 3);
    expect(await dir.read('c1/ca-cert.pem')).toBe(renewed);
  });

  it('is replaced by the answer to a new request, key and all', async () => {
    await expectTaken(await take('c1', [(await sign()) + policyCa.pem]), 3);
    const key = await dir.read('c1/ca-key.pem');
    await runCommand(CertsRequest, ['c1', '--renew', '--key-algorithm', 'ecdsa-p256', '-w', dir.root]);
    expect(await dir.read('c1/ca-key.pem')).toBe(key);
    const run = await take('c1', [await sign()], ['--yes']);
    expect(answer(run).clusters).toMatchObject([{outcome: 'done'}]);
    expect(await dir.read('c1/ca-key.pem')).not.toBe(key);
  });
});

it('writes nothing in a dry run, and shows the chain', async () => {
  const before = await written();
  const run = await take('c1', [(await sign()) + policyCa.pem], ['--root', root.certificatePath, '--dry-run']);
  expect(answer(run).clusters).toMatchObject([{outcome: 'skipped', chain: [{}, {}, {}]}]);
  expect(await written()).toEqual(before);
});

it('says what the CA made other than was asked for, and takes what does no harm', async () => {
  const extensions = [...policy, 'subjectAltName=DNS:istiod.istio-system.svc'];
  const run = await take('c1', [(await sign({extensions, subject: '/O=Example AG/CN=Mesh c1/L=c1'})) + policyCa.pem]);
  await expectTaken(run, 3);
  const [life, subject, ...others] = answer(run).clusters[0]?.changes ?? [];
  expect(life).toMatch(/365 days instead of 730 days .*clusterValidity/);
  expect(subject).toContain('Mesh c1');
  expect(others).toEqual([expect.stringContaining('path length'), expect.stringContaining('istiod.istio-system.svc')]);
});

it('says nothing of a life that is the declared one', async () => {
  const declared = (await dir.read('mesh.yaml')).replace(/^trust:$/m, 'trust:\n  clusterValidity: 365d');
  await dir.write('mesh.yaml', declared);
  expect(declared).toContain('clusterValidity');
  const changes = answer(await take('c1', [(await sign()) + policyCa.pem])).clusters[0]?.changes ?? [];
  expect(changes.filter((change) => change.includes('days'))).toEqual([]);
});

it("says which DNS names to permit where name constraints forbid istiod's own", async () => {
  const limited = root.below('/CN=P', {extensions: [...policy, 'nameConstraints=critical,permitted;DNS:example.com']});
  const run = await take('c1', [(await sign({}, limited)) + limited.pem]);
  expect(answer(run).clusters[0]?.error?.hints.join()).toMatch(/DNS:\S*istio/);
});

it("does not have a cluster's directory moved away that was named as a file", async () => {
  const run = await runCommand(CertsImport, ['c1', `${dir.root}/c2`, '-o', 'json', '-w', dir.root]);
  expect([run.code, answer(run).error?.code]).toEqual([2, 'WORKDIR_CONFLICT']);
  expect(run.stdout).not.toContain('move');
});

it('says that there is no key to import for', async () => {
  await dir.remove('c1/request');
  const run = await take('c1', [root.pem]);
  expect([run.code, answer(run).clusters[0]?.error?.code]).toEqual([2, 'FILE_MISSING']);
});

it('shows every certificate of a deep chain in certs list', async () => {
  await expectTaken(await take('c1', [(await sign()) + policyCa.pem]), 3);
  const run = await runCommand(CertsList, ['c1', '-w', dir.root]);
  expect(run.code).toBe(0);
  expect(run.stdout).toContain('Example Policy CA');
});

it('writes a .gitignore with the key where the work directory has none, and none when run again', async () => {
  await dir.remove('.gitignore');
  const chain = await sign();
  const answers = [chain, policyCa.pem];
  const {code, stdout} = await take('c1', answers);
  expect([code, stdout]).toEqual([0, expect.any(String)]);
  expect(await dir.read('.gitignore')).toContain('*key.pem');
  await dir.remove('.gitignore');
  expect((await take('c1', answers)).code).toBe(0);
  await expect(dir.read('.gitignore')).rejects.toThrow();
});
