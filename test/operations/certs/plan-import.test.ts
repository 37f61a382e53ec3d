import {generateKeyPairSync, type KeyObject} from 'node:crypto';
import {describe, expect, it} from 'vitest';
import type {CertificateTemplate} from '../../../src/domain/x509/certificate.js';
import {encodeDer} from '../../../src/domain/asn1/der.js';
import {publicHalf, spkiHash} from '../../../src/domain/keys/keys.js';
import {encodeName} from '../../../src/domain/x509/name.js';
import {writePrivateKey} from '../../../src/domain/keys/private-key.js';
import {clusterCaName} from '../../../src/domain/x509/profile.js';
import {rootStateOf, type RootState} from '../../../src/domain/ca/workdir-state.js';
import {type CandidateKey, type ImportFacts, planImport} from '../../../src/operations/certs/plan-import.js';
import {bundleOf, memorySigner, type TinyCa, tinyClusterCa, type TinyOptions, tinyRoot} from '../../helpers/tiny-ca.js';
import {
  allActions,
  certify,
  daysFromNow,
  emptyInShort,
  extensions,
  fingerprints,
  inShort,
  loadedMesh,
  now,
  type PlanInShort,
  policyCa,
  reported,
  rootFile,
  rootOf,
  unreadableRootOf,
} from './fixtures.js';

const newKey = (): KeyObject => generateKeyPairSync('ec', {namedCurve: 'P-256'}).privateKey;

const [root, nextRoot, stranger] = await Promise.all([
  tinyRoot({now, meshID: 'ours'}),
  tinyRoot({now, meshID: 'next'}),
  tinyRoot({now, meshID: 'stranger'}),
]);
const key = newKey();
const [policy, twinOfPolicy, ours, ofC2] = await Promise.all([
  policyCa(root, 'policy'),
  policyCa(root, 'policy'),
  certify(root, key, 'c1'),
  tinyClusterCa(root, 'c2', {now}),
]);
const regional = await policyCa(policy, 'regional');
const below = async (issuer: TinyCa, options: Parameters<typeof certify>[3] = {}): Promise<TinyCa> =>
  certify(issuer, key, 'c1', options);
const [belowPolicy, belowRegional, belowNextRoot, belowStranger, renewed, ofNewKey] = await Promise.all([
  below(policy),
  below(regional),
  below(nextRoot),
  below(stranger),
  below(root, {days: 900}),
  tinyClusterCa(root, 'c1', {now}),
]);
const crossed = await certify(stranger, policy.key, 'policy', {change: extensions({basicConstraints: {ca: true}})});
const certifiedByRegional = await certify(regional, policy.key, 'policy', {
  change: extensions({basicConstraints: {ca: true}}),
});
const ofNewKeyBelowPolicy = await tinyClusterCa(policy, 'c1', {now});

/** A name with its texts encoded as PrintableString instead of UTF8String. */
function asPrintable(name: Buffer): Buffer {
  // Each attribute is its type, such as 2.5.4.3, and then the tag of its text.
  return Buffer.from(name.toString('latin1').replaceAll(/(\x06\x03\x55\x04[^])\x0c/g, '$1\x13'), 'latin1');
}

/** A cluster CA for the key below a new CA with these extensions, and that CA. */
async function belowNew(change: Parameters<typeof extensions>[0], options?: TinyOptions): Promise<readonly TinyCa[]> {
  const above = await policyCa(root, 'above', {change: extensions(change)});
  return [await below(above, options), above];
}

/** What `openssl req -x509` makes of a request: the key signs for itself. */
async function selfSigned(own: KeyObject): Promise<TinyCa> {
  const change = (template: CertificateTemplate): CertificateTemplate => {
    const subject = clusterCaName('c1');
    return {...template, subject, issuer: encodeDer(encodeName(subject))};
  };
  return certify({...root, key: own, signer: memorySigner(own)}, own, 'c1', {change});
}

const p521 = generateKeyPairSync('ec', {namedCurve: 'P-521'}).privateKey;
const rsa1024 = generateKeyPairSync('rsa', {modulusLength: 1024}).privateKey;
const old: TinyOptions = {now: daysFromNow(-100), days: 50};

/** Certificates for the key of c1, each with the fault that it is called by. */
const faulty = {
  selfSigned: await selfSigned(key),
  namesC2: await certify(root, key, 'c2'),
  issuerEncodedOtherwise: await below(root, {
    change: (one) => ({...one, issuer: asPrintable(root.certificate.subject.der)}),
  }),
  expired: await below(root, old),
  expiredAndNoCertSign: await below(root, {...old, days: 60, change: extensions({keyUsage: ['cRLSign']})}),
  notYetValid: await below(root, {now: daysFromNow(2)}),
  notACa: await below(root, {change: extensions({basicConstraints: {ca: false}})}),
  longLivedButNoCa: await below(root, {days: 900, change: extensions({basicConstraints: {ca: false}})}),
  noCertSign: await below(root, {change: extensions({keyUsage: ['digitalSignature']})}),
  noClientAuth: await below(root, {change: extensions({extendedKeyUsage: ['serverAuth']})}),
  noServerAuth: await below(root, {change: extensions({extendedKeyUsage: ['clientAuth']})}),
  otherAuthorityKey: await below(root, {change: extensions({authorityKeyId: Buffer.from('01020304', 'hex')})}),
  outlivesRoot: await below(root, {
    change: (one) => ({...one, notAfter: new Date(root.certificate.notAfter.getTime() + 2 * 86_400_000)}),
  }),
  ofP521: await certify(root, p521, 'c1'),
  ofRsa1024: await certify(root, rsa1024, 'c1'),
};
const belowPathLengthZero = await belowNew({basicConstraints: {ca: true, pathLength: 0}});
const manyFaults = await belowNew(
  {basicConstraints: {ca: true, pathLength: 0}},
  {...old, change: extensions({extendedKeyUsage: ['clientAuth']})},
);
const expiredRoot = await tinyRoot({...old, meshID: 'old'});

/** A key of cluster c1 in one of the two files that may hold it. */
function keyIn(path: 'c1/request/ca-key.pem' | 'c1/ca-key.pem', owner: Pick<TinyCa, 'key'>): CandidateKey {
  return {path, pem: writePrivateKey(owner.key), spki: spkiHash(publicHalf(owner.key))};
}
const requestKey = keyIn('c1/request/ca-key.pem', ours);
const caKey = keyIn('c1/ca-key.pem', ours);

/** root-cert.pem as it is read; the root's key is elsewhere. */
function rootCert(...roots: readonly TinyCa[]): RootState {
  return rootStateOf({certificate: rootFile(...roots).text, key: undefined});
}
const noRoot: RootState = {kind: 'absent'};
const certificates = (...cas: readonly TinyCa[]) => ({certificates: cas.map(({certificate}) => certificate)});

/** The request of c1 waits in a mesh that has its root, and the CA returned the right certificate. */
const healthy: ImportFacts = {
  loaded: loadedMesh(),
  cluster: {name: 'c1', role: 'primary'},
  keys: [requestKey],
  unusableKeys: [],
  ...certificates(ours),
  remarks: [],
  root: rootCert(root),
  existingRoots: [],
  givenRoot: undefined,
  known: [],
  others: new Map(),
  files: {},
  hasRequest: true,
  ...{guarded: [], git: {exposed: [], unknown: undefined}},
  now,
};

interface Outcome extends PlanInShort {
  readonly refusals: readonly string[];
  /** Fingerprints of the chain that is taken. */
  readonly chain: readonly string[] | undefined;
  /** Paths of the cluster's files, and of the answered request's. */
  readonly written: readonly string[] | undefined;
  readonly answered: readonly string[] | undefined;
  /** What becomes root-cert.pem of the mesh. */
  readonly rootCert: unknown;
}

function outcomeOf(change: Partial<ImportFacts>): Outcome {
  const facts = {...healthy, ...change};
  const plan = planImport(facts);
  const {chain, refusals} = planImport(facts);
  const actions = allActions(plan);
  const taken = actions.find((action) => action.kind === 'import-cluster-ca');
  const root = actions.find((action) => action.kind === 'write-files' && action.id === 'root-cert');
  return {
    ...inShort(plan),
    refusals: refusals.map(({id}) => id),
    chain: chain?.map(({fingerprint}) => fingerprint),
    written: taken?.files.map(({path}) => path),
    answered: taken?.requestFiles,
    rootCert: root?.kind === 'write-files' ? root.files.map(({content}) => content).join('') : undefined,
  };
}

const allFiles = ['c1/ca-key.pem', 'c1/ca-cert.pem', 'c1/cert-chain.pem', 'c1/root-cert.pem'];
const requestFiles = ['c1/request/ca-key.pem', 'c1/request/ca.csr'];
const importIt = 'always-stop: import-cluster-ca c1/ca';
const agreeToImport = `${importIt}!`;
const writeRoot = 'always-stop: write-files root-cert';
const agreeToRoot = `${writeRoot}!`;

const accepted: Outcome = {
  ...emptyInShort,
  ...{groups: [importIt], refusals: [], chain: fingerprints(ours, root)},
  ...{written: allFiles, answered: requestFiles, rootCert: undefined},
};
const nothing: Outcome = {
  ...{...emptyInShort, refusals: [], chain: undefined},
  ...{written: undefined, answered: undefined, rootCert: undefined},
};

type Row = readonly [behaviour: string, change: Partial<ImportFacts>, expected: Partial<Outcome>];

it('takes the certificate that answers the request', () => {
  expect(outcomeOf({})).toEqual(accepted);
});

describe('the chain of an accepted certificate', () => {
  it.each<Row>([
    [
      'reaches the root through every CA in between, in whatever order the files came',
      certificates(root, regional, belowRegional, policy),
      {chain: fingerprints(belowRegional, regional, policy, root)},
    ],
    [
      'is completed with CAs that other clusters of the mesh already stand below',
      {...certificates(belowPolicy), known: [policy.certificate]},
      {chain: fingerprints(belowPolicy, policy, root)},
    ],
    [
      'leads to the root of the mesh where a CA in between is cross-signed by another root',
      certificates(stranger, crossed, belowPolicy, policy),
      {chain: fingerprints(belowPolicy, policy, root)},
    ],
    [
      'leads to the root of the mesh where two CAs have certified each other',
      certificates(belowRegional, certifiedByRegional, regional, policy),
      {chain: fingerprints(belowRegional, regional, policy, root)},
    ],
    [
      'ends at the first root of the mesh, even if another CA issued that root',
      {...certificates(belowPolicy, root), root: rootCert(policy)},
      {chain: fingerprints(belowPolicy, policy), warnings: 1},
    ],
    [
      'ignores certificates that have nothing to do with it',
      certificates(stranger, ofC2, ours),
      {chain: fingerprints(ours, root)},
    ],
    [
      'contains a certificate once that was handed in twice',
      certificates(belowPolicy, policy, belowPolicy, policy),
      {chain: fingerprints(belowPolicy, policy, root)},
    ],
    [
      'starts with the certificate that is valid longest where several are for the key',
      certificates(ours, renewed),
      {chain: fingerprints(renewed, root)},
    ],
    [
      'starts with a shorter-lived certificate where the longest-lived one has a fault',
      certificates(ours, faulty.longLivedButNoCa),
      {chain: fingerprints(ours, root)},
    ],
    [
      'ends at the second root of root-cert.pem while the root is being rotated',
      {...certificates(belowNextRoot), root: rootCert(root, nextRoot)},
      {chain: fingerprints(belowNextRoot, nextRoot)},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...accepted, ...expected});
  });

  it('is written as istiod reads it: the cluster CA first, the root last, and both roots of a rotation as roots', () => {
    const roots = rootFile(root, nextRoot).text;
    const [action] = allActions(
      planImport({...healthy, ...certificates(policy, belowPolicy), root: rootCert(root, nextRoot)}),
    );
    if (action?.kind !== 'import-cluster-ca') throw new Error('nothing is imported');
    const {caCert, certChain} = bundleOf(belowPolicy, [policy, root]);
    expect(Object.fromEntries(action.files.map(({path, content}) => [path, content]))).toEqual({
      'c1/ca-key.pem': requestKey.pem,
      'c1/ca-cert.pem': caCert,
      'c1/cert-chain.pem': certChain,
      'c1/root-cert.pem': roots,
    });
    expect(action.certificate).toEqual({
      ...{subject: 'O=Istio, CN=Intermediate CA, L=c1', fingerprint: belowPolicy.certificate.fingerprint},
      ...{key: 'ecdsa-p256', notAfter: belowPolicy.certificate.notAfter.toISOString()},
    });
  });
});

describe('the root of the mesh', () => {
  const withNew = {root: noRoot, ...certificates(ours, root)};
  const takesRoot = {groups: [writeRoot, importIt], rootCert: root.certificate.pem};
  it.each<Row>([
    [
      'needs consent where it comes with the first answer',
      withNew,
      {groups: [agreeToRoot, importIt], rootCert: root.certificate.pem},
    ],
    ['needs no consent where --root names it', {...withNew, givenRoot: rootFile(root)}, takesRoot],
    ['may come from --root alone', {root: noRoot, givenRoot: rootFile(root)}, takesRoot],
    ['is taken from a cluster that has one', {root: noRoot, existingRoots: [rootOf('c2', root)]}, takesRoot],
    [
      'is taken from several clusters that have the same roots in another order',
      {root: noRoot, existingRoots: [rootOf('c2', root, nextRoot), rootOf('c3', nextRoot, root)]},
      {...takesRoot, rootCert: rootFile(root, nextRoot).text},
    ],
    [
      'may be named with --root although a cluster has it, too',
      {root: noRoot, existingRoots: [rootOf('c2', root)], givenRoot: rootFile(root)},
      takesRoot,
    ],
    ['is not written where root-cert.pem is there', {givenRoot: rootFile(root)}, {}],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...accepted, ...expected});
  });

  it.each<Row>([
    [
      'is in conflict where its file cannot be read',
      {root: rootStateOf({certificate: 'broken', key: undefined})},
      {blockers: ['c1: NOT_PEM']},
    ],
    [
      'is in conflict where two clusters have different ones',
      {root: noRoot, existingRoots: [rootOf('c2', root), rootOf('c3', stranger)]},
      {blockers: ['c1: WORKDIR_CONFLICT']},
    ],
    [
      'is in conflict where one cluster trusts one root more than another',
      {root: noRoot, existingRoots: [rootOf('c2', root), rootOf('c3', root, nextRoot)]},
      {blockers: ['c1: WORKDIR_CONFLICT']},
    ],
    [
      'is in conflict where two clusters have one root in common and another one each',
      {root: noRoot, existingRoots: [rootOf('c2', root, nextRoot), rootOf('c3', root, stranger)]},
      {blockers: ['c1: WORKDIR_CONFLICT']},
    ],
    [
      'is in conflict where two clusters have files that cannot be read, whatever they once held',
      {root: noRoot, existingRoots: [unreadableRootOf('c2'), unreadableRootOf('c3')]},
      {blockers: ['c1: WORKDIR_CONFLICT']},
    ],
    [
      'is in conflict where --root names another one than a cluster has',
      {root: noRoot, existingRoots: [rootOf('c2', root)], givenRoot: rootFile(stranger)},
      {blockers: ['c1: WORKDIR_CONFLICT']},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...nothing, ...expected});
  });
});

describe('without a key', () => {
  it.each<Row>([
    ['there is nothing to import a certificate for', {keys: []}, {blockers: ['c1: FILE_MISSING']}],
    [
      'that can be used, the first unusable key is the reason',
      {keys: [], unusableKeys: [reported('UNSUPPORTED_KEY'), reported('NOT_A_KEY')]},
      {blockers: ['c1: UNSUPPORTED_KEY']},
    ],
    [
      'the conflict of the root is reported first',
      {keys: [], root: {kind: 'conflict', error: reported('NOT_A_CERTIFICATE')}},
      {blockers: ['c1: NOT_A_CERTIFICATE']},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...nothing, ...expected});
  });

  it('in its request, a certificate for the key of the cluster CA itself is taken, and an unusable key is no obstacle', () => {
    const facts = {keys: [caKey], unusableKeys: [reported('NOT_A_KEY')], hasRequest: false};
    expect(outcomeOf(facts)).toEqual({...accepted, answered: []});
  });
});

/** Another key that waits, with its certificate. */
function keyAndCertificate(waiting: KeyObject, ca: TinyCa): Partial<ImportFacts> {
  return {keys: [keyIn('c1/request/ca-key.pem', {key: waiting})], ...certificates(ca)};
}

describe('refuses', () => {
  const refusals: readonly (readonly [what: string, change: Partial<ImportFacts>, ids: readonly string[]])[] = [
    ['a certificate for another key', certificates(ofNewKey), ['other-key']],
    ['certificates of CAs alone', certificates(policy, root), ['other-key']],
    ['files without certificates', {certificates: []}, ['other-key']],
    [
      'the answer to the request of another cluster',
      {...certificates(ofC2), others: new Map([[ofC2.certificate.spki, 'c2']])},
      ['other-cluster'],
    ],
    [
      'a certificate for the right key that names another cluster of the mesh',
      certificates(faulty.namesC2),
      ['other-cluster'],
    ],
    ['a key that another cluster uses', {others: new Map([[ours.certificate.spki, 'c2']])}, ['key-used-twice']],
    ['a request that was signed with its own key', certificates(faulty.selfSigned), ['self-signed']],
    ['a chain with a CA missing', certificates(belowRegional, policy), ['missing-issuer']],
    ['an issuer that has the right name and another key', certificates(belowPolicy, twinOfPolicy), ['missing-issuer']],
    [
      "a certificate that encodes its issuer's name in another way",
      certificates(faulty.issuerEncodedOtherwise),
      ['missing-issuer'],
    ],
    ['a chain to a root that is not the root of the mesh', certificates(belowStranger, stranger), ['other-root']],
    [
      'a chain to another root than --root names',
      {...certificates(ours, root), root: noRoot, givenRoot: rootFile(stranger)},
      ['other-root'],
    ],
    ['a chain without a root where the mesh has none either', {root: noRoot}, ['no-root']],
    [
      'a chain that fits where root-cert.pem of the only other cluster cannot be read',
      {...certificates(ours, root), root: noRoot, existingRoots: [unreadableRootOf('c2')]},
      ['bundle'],
    ],
    ['an expired certificate', certificates(faulty.expired), ['expired']],
    ['a certificate at the very end of its life', {now: ours.certificate.notAfter}, ['expired']],
    ['a certificate that is not valid yet', certificates(faulty.notYetValid), ['not-yet-valid']],
    ['a certificate that is not a CA', certificates(faulty.notACa), ['not-a-ca']],
    ['a key usage without keyCertSign', certificates(faulty.noCertSign), ['no-cert-sign']],
    ['a CA that may have no CA below it', certificates(...belowPathLengthZero), ['path-length']],
    ['an extended key usage without clientAuth', certificates(faulty.noClientAuth), ['no-client-auth']],
    ['an extended key usage without serverAuth', certificates(faulty.noServerAuth), ['no-server-auth']],
    [
      'a certificate that identifies another key as its issuer',
      certificates(faulty.otherAuthorityKey),
      ['authority-key'],
    ],
    ['an RSA key of 1024 bits', keyAndCertificate(rsa1024, faulty.ofRsa1024), ['weak-key']],
    ['a P-521 key, which Envoy does not know', keyAndCertificate(p521, faulty.ofP521), ['unsupported-key']],
    ['a chain for every one of its faults', certificates(...manyFaults), ['expired', 'no-server-auth', 'path-length']],
  ];
  it.each(refusals)('%s', (_what, change, ids) => {
    expect(outcomeOf(change)).toEqual({...nothing, blockers: ['c1: CERTIFICATE_REFUSED'], refusals: ids});
    const [blocker] = planImport({...healthy, ...change}).blockers;
    expect(blocker?.error.hints).toHaveLength(ids.length);
  });
});

it('gives other advice for an issuer that is missing than for one that has the right name', () => {
  const [missing, otherKey, otherEncoding] = [
    [belowRegional, policy],
    [belowPolicy, twinOfPolicy],
    [faulty.issuerEncodedOtherwise],
  ].map((cas) => planImport({...healthy, ...certificates(...cas)}).refusals[0]);
  expect(otherKey?.hint).toBe(otherEncoding?.hint);
  expect(missing?.hint).not.toBe(otherKey?.hint);
  expect(missing?.message).toContain('L=regional');
});

it('names the certificate for another key, not the CAs above it', () => {
  const [refusal] = planImport({...healthy, ...certificates(root, policy, ofNewKeyBelowPolicy)}).refusals;
  expect(refusal?.message).toContain('L=c1');
  expect(refusal?.message).not.toContain('L=policy');
});

describe('of several chains with faults, the faults are reported of', () => {
  it.each<readonly [string, Partial<ImportFacts>, readonly string[]]>([
    ['one that ends at the root', certificates(belowRegional, stranger, belowStranger, faulty.expired), ['expired']],
    [
      'one that ends at any root, where none ends at that of the mesh',
      certificates(belowRegional, stranger, belowStranger),
      ['other-root'],
    ],
    ['the one with the fewest faults', certificates(faulty.expiredAndNoCertSign, faulty.expired), ['expired']],
  ])('%s', (_which, change, ids) => {
    expect(outcomeOf(change).refusals).toEqual(ids);
  });
});

describe('what is there already', () => {
  const before = bundleOf(ours, [root]);
  const requestGone = {keys: [caKey], hasRequest: false, files: before};
  it.each<Row>([
    [
      'stays where the same certificate comes again',
      requestGone,
      {groups: [], written: undefined, answered: undefined},
    ],
    [
      'stays where the same certificate comes again, whatever git thinks of keys that are not written',
      {...requestGone, git: {exposed: ['c1/ca-key.pem'], unknown: undefined}},
      {groups: [], written: undefined, answered: undefined},
    ],
    [
      'stays, and the answered request is removed, where a run was killed before it did so',
      {keys: [requestKey, caKey], files: before},
      {written: []},
    ],
    [
      'stays, and the answered request is removed, whatever git thinks of keys that are not written',
      {keys: [requestKey, caKey], files: before, git: {exposed: ['c1/ca-key.pem'], unknown: undefined}},
      {written: []},
    ],
    ['stays, and a request without its key is removed', {...requestGone, hasRequest: true}, {written: []}],
    [
      'stays, and so does a request for another key',
      {keys: [keyIn('c1/request/ca-key.pem', ofNewKey), caKey], files: before},
      {groups: [], written: undefined, answered: undefined},
    ],
    [
      'is replaced with consent by a renewal for the same key',
      {...requestGone, ...certificates(renewed)},
      {groups: [agreeToImport], chain: fingerprints(renewed, root), answered: []},
    ],
    [
      'is replaced with consent by a renewal for the same key, while another request goes on waiting',
      {keys: [keyIn('c1/request/ca-key.pem', ofNewKey), caKey], files: before, ...certificates(renewed)},
      {groups: [agreeToImport], chain: fingerprints(renewed, root), answered: []},
    ],
    [
      'is replaced with consent by the answer to a new request, key and all',
      {keys: [keyIn('c1/request/ca-key.pem', ofNewKey), caKey], files: before, ...certificates(ofNewKey, ours)},
      {groups: [agreeToImport], chain: fingerprints(ofNewKey, root)},
    ],
    [
      'is replaced with consent where its key is missing',
      {files: {...before, caKey: undefined}},
      {groups: [agreeToImport]},
    ],
    [
      'is replaced with consent where only a key is there',
      {keys: [caKey], files: {caKey: before.caKey}, hasRequest: false},
      {groups: [agreeToImport], answered: []},
    ],
    [
      'is written again with consent where its chain differs',
      {...requestGone, files: {...before, certChain: before.caCert}},
      {groups: [agreeToImport], answered: []},
    ],
    [
      'is written again with consent where its roots differ',
      {...requestGone, root: rootCert(root, nextRoot)},
      {groups: [agreeToImport], answered: []},
    ],
    [
      'is replaced without consent where only copies of public certificates are there',
      {files: {rootCert: before.rootCert, certChain: before.certChain}},
      {},
    ],
    [
      'is replaced with consent where its certificate cannot be read',
      {files: {...before, caCert: 'broken'}},
      {groups: [agreeToImport]},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...accepted, ...expected});
  });

  it('names the key in the question only where the key is replaced', () => {
    const newRequest = {keys: [keyIn('c1/request/ca-key.pem', ofNewKey), caKey], files: before};
    const [sameKey, newKeyToo] = [certificates(renewed), certificates(ofNewKey)].map(
      (change) => allActions(planImport({...healthy, ...newRequest, ...change}))[0]?.confirm,
    );
    expect(sameKey).not.toMatch(/\bkey\b/);
    expect(newKeyToo).toMatch(/\bkey\b/);
    expect([sameKey, newKeyToo]).toEqual([1, 2].map(() => expect.stringContaining('2028-05-31') as string));
  });
});

describe('besides the certificates', () => {
  it.each<Row>([
    [
      'keys that git would publish stop everything',
      {git: {exposed: ['c1/ca-key.pem'], unknown: undefined}},
      {blockers: ['KEY_IN_GIT']},
    ],
    ['git that does not answer is a warning', {git: {exposed: [], unknown: 'dubious ownership'}}, {warnings: 1}],
    ['what else was in the files is a warning', {remarks: ['a private key', 'a CRL']}, {warnings: 2}],
    ['a note about the mesh is a warning', {loaded: {...healthy.loaded, notes: ['a note']}}, {warnings: 1}],
    [
      'a certificate that outlives its issuer is accepted with a warning',
      certificates(faulty.outlivesRoot),
      {chain: fingerprints(faulty.outlivesRoot, root), warnings: 1},
    ],
    ['an expired root beside the right one is a warning', {root: rootCert(root, expiredRoot)}, {warnings: 1}],
    [
      'what mesh.yaml does not say yet is declared first, then comes the root',
      {
        loaded: {
          ...healthy.loaded,
          texts: {...healthy.loaded.texts, gitignore: undefined},
          declaration: {gitignore: true},
        },
        ...certificates(ours, root),
        root: noRoot,
      },
      {
        groups: ['always-stop: write-files declare', agreeToRoot, importIt],
        rootCert: root.certificate.pem,
      },
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...accepted, ...expected});
  });

  it('the root has a lane of its own, and the lane of the cluster is named after it', () => {
    const {groups} = planImport({...healthy, ...certificates(ours, root), root: noRoot});
    expect(groups.map(({lanes}) => lanes.map(({key: lane, cluster}) => [lane, cluster]))).toEqual([
      [['root CA', undefined]],
      [['c1', 'c1']],
    ]);
  });

  it('a refusal keeps its warnings and declares nothing', () => {
    const declaring = {...healthy.loaded, notes: ['a note'], declaration: {clusters: ['c3']}};
    const outcome = outcomeOf({loaded: declaring, remarks: ['a key'], ...certificates(ofNewKey)});
    expect(outcome).toMatchObject({groups: [], blockers: ['c1: CERTIFICATE_REFUSED'], warnings: 2});
  });
});
