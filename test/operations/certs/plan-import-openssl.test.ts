/** Certificates that openssl issues for a cluster's request, read and validated as in `certs import`. */
import {X509Certificate} from 'node:crypto';
import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {clusterCaRequest, requestPem} from '../../../src/domain/x509/csr.js';
import {publicHalf, spkiHash} from '../../../src/domain/keys/keys.js';
import {generateKey} from '../../../src/signers/keys.js';
import {writePrivateKey} from '../../../src/domain/keys/private-key.js';
import {readPart, recognize} from '../../../src/domain/x509/recognize.js';
import {rootStateOf} from '../../../src/domain/ca/workdir-state.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import {type ImportFacts, planImport} from '../../../src/operations/certs/plan-import.js';
import {CorporateCa, pkcs7, policy, type SignOptions, subordinate} from '../../helpers/corporate-ca.js';
import {openssl, temporaryFiles} from '../../helpers/openssl.js';
import {memorySigner} from '../../helpers/tiny-ca.js';
import {allActions, inShort, loadedMesh, meshYaml} from './fixtures.js';

/** The company: a root, a policy CA below it, and the request of c1 with its key. */
const root = CorporateCa.root();
const policyCa = root.below('/O=Example AG/CN=Example Policy CA');
const key = await generateKey('ecdsa-p256');
const request = requestPem(await clusterCaRequest('c1', memorySigner(key)));
const sign = (options: SignOptions = {}, ca = policyCa): string => ca.sign(request, options);

/**
 * Many CAs with one key, which is all that the certificates below them depend on: one certificate of c1 fits below each,
 * and each costs one run of openssl.
 */
const above = root.below('/CN=P');
const belowIt = sign({}, above);
const aboveWith = (options: SignOptions): readonly string[] => [belowIt, root.certify(above, options).pem];
/** Such a CA with a separate key. */
const aboveOfKey = (...key: readonly string[]): readonly string[] => {
  const ca = root.below('/CN=P', {key});
  return [sign({}, ca), ca.pem];
};

/** Certificates as `certs import` reads files. */
function read(files: readonly (string | Buffer)[]): ImportFacts['certificates'] {
  return files.flatMap((file) =>
    recognize(new Sensitive(Buffer.from(file)), 'answer').parts.flatMap((part) => readPart(part).certificates),
  );
}

/** A mesh with the company's root, or another one, and a pending request of c1. */
function factsOf(files: readonly (string | Buffer)[], roots = root.pem): ImportFacts {
  return {
    ...{loaded: loadedMesh(), cluster: {name: 'c1', role: 'primary'}, unusableKeys: [], remarks: []},
    keys: [{path: 'c1/request/ca-key.pem', pem: writePrivateKey(key), spki: spkiHash(publicHalf(key))}],
    certificates: read(files),
    root: rootStateOf({certificate: roots, key: undefined}),
    ...{existingRoots: [], givenRoot: undefined, known: [], others: new Map(), files: {}, hasRequest: true},
    ...{guarded: [], git: {exposed: [], unknown: undefined}},
    // A minute on: openssl starts its certificates at the current second.
    now: new Date(Date.now() + 60_000),
  };
}

function expectTaken(files: readonly (string | Buffer)[], ...chain: readonly string[]): void {
  const facts = factsOf(files);
  expect(inShort(planImport(facts))).toMatchObject({groups: ['always-stop: import-cluster-ca c1/ca'], blockers: []});
  const taken = planImport(facts).chain?.map(({pem}) => new X509Certificate(pem).fingerprint256);
  expect(taken).toEqual([...chain, root.pem].map((pem) => new X509Certificate(pem).fingerprint256));
}

/** Refused for these reasons; returns them. */
function expectRefused(
  files: readonly (string | Buffer)[],
  ids: readonly string[],
  roots?: string,
): ReturnType<typeof planImport>['refusals'] {
  const facts = factsOf(files, roots);
  const plan = planImport(facts);
  const {refusals} = plan;
  expect(refusals.map(({id}) => id)).toEqual(ids);
  expect(allActions(plan)).toEqual([]);
  expect(inShort(plan)).toMatchObject({groups: [], blockers: ['c1: CERTIFICATE_REFUSED']});
  return refusals;
}

const der = (pem: string): Buffer => new X509Certificate(pem).raw;

describe('accepts a certificate as', () => {
  const leaf = sign();
  it.each<readonly [string, () => readonly (string | Buffer)[]]>([
    ['PEM, from the cluster CA to the root', () => [leaf + policyCa.pem + root.pem]],
    ['several files', () => [policyCa.pem, leaf]],
    ['DER', () => [der(leaf), der(policyCa.pem)]],
    ['PKCS#7 in PEM', () => [pkcs7([leaf, root.pem, policyCa.pem], 'PEM')]],
    ['PKCS#7 in DER', () => [pkcs7([policyCa.pem, leaf], 'DER')]],
    [
      'PKCS#7 with the label CERTIFICATE, as Microsoft tools write it',
      () => [pkcs7([leaf, policyCa.pem], 'PEM').toString().replaceAll('PKCS7', 'CERTIFICATE')],
    ],
    ['streamed PKCS#7, with indefinite lengths', () => [streamed(leaf), policyCa.pem]],
    [
      'PEM with the output of openssl x509 -text around it',
      () => [openssl(['x509', '-text'], leaf) + openssl(['x509', '-text'], policyCa.pem)],
    ],
    ['lines that end with CR LF', () => [(leaf + policyCa.pem).replaceAll('\n', '\r\n')]],
    ['UTF-16, as PowerShell writes redirected output', () => [Buffer.from(`\ufeff${leaf}${policyCa.pem}`, 'utf16le')]],
    ['base64 without markers', () => [der(leaf).toString('base64'), policyCa.pem]],
    ['openssl x509 -trustout', () => [openssl(['x509', '-trustout'], leaf), policyCa.pem]],
    [
      'a bundle with unrelated certificates',
      () => [CorporateCa.root('/CN=Foreign').pem + leaf + CorporateCa.root('/CN=Another').pem + policyCa.pem],
    ],
  ])('%s', (_form, files) => {
    expectTaken(files(), leaf, policyCa.pem);
  });

  /** A signed message that contains the certificate, from an unrelated sender. */
  function streamed(certificate: string): Buffer {
    const path = temporaryFiles({certificate, message: policyCa.pem, 's.key': '', 's.pem': '', 's.p7': ''});
    openssl([
      ...['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-noenc', '-subj', '/CN=sender'],
      ...['-keyout', path('s.key'), '-out', path('s.pem')],
    ]);
    openssl([
      ...['smime', '-sign', '-stream', '-in', path('message'), '-signer', path('s.pem'), '-inkey', path('s.key')],
      ...['-certfile', path('certificate'), '-nodetach', '-outform', 'DER', '-out', path('s.p7')],
    ]);
    const bytes = readFileSync(path('s.p7'));
    expect(bytes[1]).toBe(0x80);
    return bytes;
  }
});

const rsa = ['-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:2048'];

describe('signed with RSASSA-PSS', () => {
  const rsaCa = root.below('/CN=RSA', {key: rsa});
  const signature = (...more: readonly string[]): readonly string[] => ['rsa_padding_mode:pss', ...more];

  it.each(['sha256', 'sha384'])('and %s, a certificate is accepted, as in Go', (digest) => {
    const leaf = sign({digest, signature: signature('rsa_pss_saltlen:digest')}, rsaCa);
    expectTaken([leaf, rsaCa.pem], leaf, rsaCa.pem);
  });

  it.each<readonly [string, string, string, readonly string[]]>([
    ['SHA-1', 'insecure-signature', 'sha1', []],
    ['SHA-256 and a salt of another length', 'unknown-signature', 'sha256', ['rsa_pss_saltlen:20']],
    ['SHA-256 and a mask by SHA-1', 'unknown-signature', 'sha256', ['rsa_pss_saltlen:32', 'rsa_mgf1_md:sha1']],
  ])('and %s, a certificate is refused (%s)', (_what, id, digest, more) => {
    expectRefused([sign({digest, signature: signature(...more)}, rsaCa), rsaCa.pem], [id]);
  });
});

const constrained = (constraints: string, ...sections: readonly string[]): readonly string[] =>
  aboveWith({extensions: [...policy, `nameConstraints=${constraints}`, ...sections]});

describe('name constraints above it', () => {
  it.each<readonly [string, () => readonly string[]]>([
    ['the trust domain', () => constrained('critical,permitted;URI:cluster.local')],
    ['subdomains of the parent of the trust domain', () => constrained('critical,permitted;URI:.local')],
    ['the subject of the cluster CA', () => constrained('permitted;dirName:dn', '[dn]', 'L=c1')],
    [
      "istiod's names, and types of names that the mesh does not use",
      () => constrained('critical,permitted;DNS:svc,permitted;email:example.com'),
    ],
  ])('are accepted if they permit %s', (_what, make) => {
    const files = make();
    expectTaken(files, ...files);
  });

  it.each<readonly [string, string, () => readonly string[]]>([
    ['permit another trust domain', 'workload-names', () => constrained('critical,permitted;URI:example.com')],
    [
      'permit the parent of the trust domain, which only Go accepts',
      'workload-names',
      () => constrained('critical,permitted;URI:local'),
    ],
    ['exclude the trust domain', 'workload-names', () => constrained('critical,excluded;URI:cluster.local')],
    ["do not permit istiod's names", 'serving-names', () => constrained('critical,permitted;DNS:example.com')],
    [
      'are critical and about directory names',
      'critical-extension',
      () => constrained('critical,permitted;dirName:dn', '[dn]', 'O=Example AG'),
    ],
    [
      'permit other directory names, which istiod ignores and Envoy does not',
      'subject-names',
      () => constrained('permitted;dirName:dn', '[dn]', 'O=Example AG'),
    ],
    [
      'exclude the subject of the cluster CA',
      'subject-names',
      () => constrained('excluded;dirName:dn', '[dn]', 'L=c1'),
    ],
  ])('are refused if they %s (%s)', (_what, id, make) => {
    const [refusal] = expectRefused(make(), [id]);
    expect(refusal?.message).toContain('CN=P');
  });

  it('are checked against the trust domain, namespace and revisions of the mesh', () => {
    const yaml = 'trustDomain: mesh.example.com\nistio: {namespace: istio-2, revisions: [default, canary]}\n';
    const loaded = loadedMesh(meshYaml(yaml));
    const judge = (constraints: string) => planImport({...factsOf(constrained(constraints)), loaded});
    const own = judge('critical,permitted;URI:mesh.example.com,permitted;DNS:istio-2.svc');
    expect([own.refusals, allActions(own).length]).toEqual([[], 1]);
    const defaults = judge('critical,permitted;URI:cluster.local,permitted;DNS:istio-system.svc');
    expect(defaults.refusals.map(({id}) => id)).toEqual(['serving-names', 'workload-names']);
    expect(defaults.refusals[0]?.hint).toContain('DNS:istiod-canary.istio-2.svc');
  });

  it('lead to a hint with every DNS name that has to be permitted', () => {
    const [refusal] = expectRefused(constrained('critical,permitted;DNS:example.com'), ['serving-names']);
    for (const name of ['istiod', 'istiod-remote', 'istio-pilot']) {
      expect(refusal?.hint).toContain(`DNS:${name}.istio-system.svc`);
    }
  });
});

describe('refuses', () => {
  const without = (line: string): readonly string[] => subordinate.filter((one) => !one.startsWith(line));
  const usage = (value: string): SignOptions => ({extensions: [...subordinate, `extendedKeyUsage=${value}`]});
  it.each<readonly [string, string, SignOptions]>([
    ['a leaf', 'not-a-ca', {extensions: ['basicConstraints=critical,CA:FALSE', ...without('basic')]}],
    ['a certificate without basic constraints', 'not-a-ca', {extensions: without('basic')}],
    [
      'a key usage without keyCertSign',
      'no-cert-sign',
      {extensions: ['keyUsage=critical,digitalSignature', ...without('keyUsage')]},
    ],
    ['an extended key usage without clientAuth', 'no-client-auth', usage('serverAuth')],
    ['an expired certificate', 'expired', {start: '20200101000000Z', end: '20210101000000Z'}],
    ['a certificate that is not valid yet', 'not-yet-valid', {start: '20490101000000Z', end: '20491231000000Z'}],
    ['a signature with SHA-1', 'insecure-signature', {digest: 'sha1'}],
    ['a signature with SHA-224', 'unknown-signature', {digest: 'sha224'}],
    [
      'an unknown critical extension',
      'critical-extension',
      {extensions: [...subordinate, '1.2.3.4=critical,ASN1:NULL']},
    ],
    ['the subject of another cluster', 'other-cluster', {subject: '/O=Istio/CN=Intermediate CA/L=c2'}],
  ])('%s (%s)', (_what, id, options) => {
    expectRefused([sign(options), policyCa.pem], [id]);
  });

  it.each([
    ['without serverAuth', 'codeSigning'],
    ['with only anyExtendedKeyUsage, which istiod accepts and Envoy does not', 'anyExtendedKeyUsage'],
  ])('an extended key usage %s, for both reasons', (_what, value) => {
    expectRefused([sign(usage(value)), policyCa.pem], ['no-server-auth', 'no-client-auth']);
  });

  it.each<readonly [string, string, () => readonly string[]]>([
    ['path length 0', 'path-length', () => aboveWith({extensions: subordinate})],
    [
      'a key usage without keyCertSign',
      'no-cert-sign',
      () => aboveWith({extensions: [policy[0] ?? '', 'keyUsage=critical,cRLSign', ...policy.slice(2)]}),
    ],
    ['CA:FALSE', 'not-a-ca', () => aboveWith({extensions: ['basicConstraints=CA:FALSE', ...policy.slice(1)]})],
    [
      'an expiry in the past',
      'expired',
      () => aboveWith({extensions: policy, start: '20200101000000Z', end: '20210101000000Z'}),
    ],
    ['a signature with SHA-1', 'insecure-signature', () => aboveWith({extensions: policy, digest: 'sha1'})],
    ['an RSA key of 1024 bits', 'weak-key', () => aboveOfKey('-algorithm', 'RSA', '-pkeyopt', 'rsa_keygen_bits:1024')],
  ])('a CA above it with %s (%s)', (_what, id, make) => {
    const [refusal] = expectRefused(make(), [id]);
    expect(refusal?.message).toContain('CN=P');
  });

  it('an exceeded path length further up: the root allows one CA, but two are below it', () => {
    const strict = CorporateCa.root('/CN=Strict Root', {
      extensions: ['basicConstraints=critical,CA:TRUE,pathlen:1', ...policy.slice(1, 3)],
    });
    const first = strict.below('/CN=First');
    const second = first.certify(above);
    const [refusal] = expectRefused([belowIt, first.pem, second.pem], ['path-length'], strict.pem);
    expect(refusal?.message).toContain('Strict Root');
  });

  it('a request that openssl signed with its own key', () => {
    const path = temporaryFiles({'key.pem': writePrivateKey(key).reveal(), 'ca.csr': request});
    const own = openssl(['req', '-x509', '-key', path('key.pem'), '-in', path('ca.csr')]);
    expectRefused([own], ['self-signed']);
  });

  it('a chain with a missing CA, and names that CA and its key', () => {
    const regional = policyCa.below('/O=Example AG/CN=Example Regional CA');
    const [refusal] = expectRefused([sign({}, regional), policyCa.pem], ['missing-issuer']);
    expect(refusal?.message).toContain('Example Regional CA');
    const identifier = /X509v3 Subject Key Identifier:\s*([0-9A-F:]+)/i.exec(
      openssl(['x509', '-noout', '-text'], regional.pem),
    )?.[1];
    expect(identifier).toBeDefined();
    expect(refusal?.message).toContain(identifier);
  });

  it('an issuer with the right name and another key', () => {
    const twin = root.below('/O=Example AG/CN=Example Policy CA');
    expectRefused([sign(), twin.pem], ['missing-issuer']);
  });

  it('another certificate of the issuer, whose key identifier does not match the one in the certificate', () => {
    const renewed = root.certify(policyCa, {
      extensions: policy.map((line) => (line.startsWith('subjectKey') ? 'subjectKeyIdentifier=01020304' : line)),
    });
    expectRefused([sign(), renewed.pem], ['authority-key']);
  });
});
