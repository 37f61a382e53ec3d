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

const [root, nextRoot, other] = await Promise.all([
  tinyRoot({now, meshID: 'ours'}),
  tinyRoot({now, meshID: 'next'}),
  tinyRoot({now, meshID: 'foreign'}),
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
const [belowPolicy, belowRegional, belowNextRoot, belowOther, renewed, ofNewKey] = await Promise.all([
  below(policy),
  below(regional),
  below(nextRoot),
  below(other),
  below(root, {days: 900}),
  tinyClusterCa(root, 'c1', {now}),
]);
const crossed = await certify(other, policy.key, 'policy', {change: extensions({basicConstraints: {ca: true}})});
const certifiedByRegional = await certify(regional, policy.key, 'policy', {
  change: extensions({basicConstraints: {ca: true}}),
});
const ofNewKeyBelowPolicy = await tinyClusterCa(policy, 'c1', {now});

/** A name with its values encoded as PrintableString instead of UTF8String. */
function asPrintable(name: Buffer): Buffer {
  // Each attribute consists of its type, such as 2.5.4.3, and the tag of its value.
  return Buffer.from(name.toString('latin1').replaceAll(/(\x06\x03\x55\x04[^])\x0c/g, '$1\x13'), 'latin1');
}

/** A cluster CA for the key below a new CA with these extensions, and that CA. */
async function belowNew(change: Parameters<typeof extensions>[0], options?: TinyOptions): Promise<readonly TinyCa[]> {
  const above = await policyCa(root, 'above', {change: extensions(change)});
  return [await below(above, options), above];
}

/** A request signed by `openssl req -x509`: self-signed. */
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

/** Certificates for the key of c1, each named by its fault. */
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

/** root-cert.pem as it is read; the root's key is external. */
function rootCert(...roots: readonly TinyCa[]): RootState {
  return rootStateOf({certificate: rootFile(...roots).text, key: undefined});
}
const noRoot: RootState = {kind: 'absent'};
const certificates = (...cas: readonly TinyCa[]) => ({certificates: cas.map(({certificate}) => certificate)});

/** A mesh with a root and a pending request of c1, and the right certificate from the CA. */
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
  /** Fingerprints of the imported chain. */
  readonly chain: readonly string[] | undefined;
  /** Paths of the cluster's files, and of the fulfilled request. */
  readonly written: readonly string[] | undefined;
  readonly answered: readonly string[] | undefined;
  /** The mesh's new root-cert.pem. */
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

it('imports the certificate for the request', () => {
  expect(outcomeOf({})).toEqual(accepted);
});

describe('the chain of an accepted certificate', () => {
  it.each<Row>([
    [
      'reaches the root through all intermediate CAs, whatever the order of the files',
      certificates(root, regional, belowRegional, policy),
      {chain: fingerprints(belowRegional, regional, policy, root)},
    ],
    [
      'is completed with CAs from the chains of other clusters',
      {...certificates(belowPolicy), known: [policy.certificate]},
      {chain: fingerprints(belowPolicy, policy, root)},
    ],
    [
      "leads to the mesh's root if an intermediate CA is cross-signed by another root",
      certificates(other, crossed, belowPolicy, policy),
      {chain: fingerprints(belowPolicy, policy, root)},
    ],
    [
      "leads to the mesh's root if two CAs have certified each other",
      certificates(belowRegional, certifiedByRegional, regional, policy),
      {chain: fingerprints(belowRegional, regional, policy, root)},
    ],
    [
      "ends at the mesh's first root, even if another CA issued that root",
      {...certificates(belowPolicy, root), root: rootCert(policy)},
      {chain: fingerprints(belowPolicy, policy), warnings: 1},
    ],
    ['ignores unrelated certificates', certificates(other, ofC2, ours), {chain: fingerprints(ours, root)}],
    [
      'contains a certificate once even if it was given twice',
      certificates(belowPolicy, policy, belowPolicy, policy),
      {chain: fingerprints(belowPolicy, policy, root)},
    ],
    [
      'starts with the certificate that is valid longest if several are for the key',
      certificates(ours, renewed),
      {chain: fingerprints(renewed, root)},
    ],
    [
      'starts with a shorter-lived certificate if the longest-lived one has a fault',
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

  it('is written in the order for istiod: the cluster CA first, the root last, and both roots of a rotation as roots', () => {
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

describe("the mesh's root", () => {
  const withNew = {root: noRoot, ...certificates(ours, root)};
  const takesRoot = {groups: [writeRoot, importIt], rootCert: root.certificate.pem};
  it.each<Row>([
    [
      'requires confirmation if it comes with the first certificate',
      withNew,
      {groups: [agreeToRoot, importIt], rootCert: root.certificate.pem},
    ],
    ['requires no confirmation if it is given with --root', {...withNew, givenRoot: rootFile(root)}, takesRoot],
    ['may come from --root only', {root: noRoot, givenRoot: rootFile(root)}, takesRoot],
    ['is imported from a cluster that has one', {root: noRoot, existingRoots: [rootOf('c2', root)]}, takesRoot],
    [
      'is imported from several clusters that have the same roots in another order',
      {root: noRoot, existingRoots: [rootOf('c2', root, nextRoot), rootOf('c3', nextRoot, root)]},
      {...takesRoot, rootCert: rootFile(root, nextRoot).text},
    ],
    [
      'may be given with --root even if a cluster has it',
      {root: noRoot, existingRoots: [rootOf('c2', root)], givenRoot: rootFile(root)},
      takesRoot,
    ],
    ['is not written if root-cert.pem exists', {givenRoot: rootFile(root)}, {}],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...accepted, ...expected});
  });

  it.each<Row>([
    [
      'conflicts if its file is unreadable',
      {root: rootStateOf({certificate: 'broken', key: undefined})},
      {blockers: ['c1: NOT_PEM']},
    ],
    [
      'conflicts if two clusters have different ones',
      {root: noRoot, existingRoots: [rootOf('c2', root), rootOf('c3', other)]},
      {blockers: ['c1: WORKDIR_CONFLICT']},
    ],
    [
      'conflicts if one cluster trusts one root more than another',
      {root: noRoot, existingRoots: [rootOf('c2', root), rootOf('c3', root, nextRoot)]},
      {blockers: ['c1: WORKDIR_CONFLICT']},
    ],
    [
      'conflicts if two clusters have one root in common and another one each',
      {root: noRoot, existingRoots: [rootOf('c2', root, nextRoot), rootOf('c3', root, other)]},
      {blockers: ['c1: WORKDIR_CONFLICT']},
    ],
    [
      'conflicts if two clusters have unreadable files',
      {root: noRoot, existingRoots: [unreadableRootOf('c2'), unreadableRootOf('c3')]},
      {blockers: ['c1: WORKDIR_CONFLICT']},
    ],
    [
      'conflicts if --root has another one than a cluster',
      {root: noRoot, existingRoots: [rootOf('c2', root)], givenRoot: rootFile(other)},
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
      'that is usable, the first unusable key is the reason',
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

  it('in its request, a certificate for the key of the cluster CA itself is accepted, despite an unusable key', () => {
    const facts = {keys: [caKey], unusableKeys: [reported('NOT_A_KEY')], hasRequest: false};
    expect(outcomeOf(facts)).toEqual({...accepted, answered: []});
  });
});

/** Another pending key, with its certificate. */
function keyAndCertificate(waiting: KeyObject, ca: TinyCa): Partial<ImportFacts> {
  return {keys: [keyIn('c1/request/ca-key.pem', {key: waiting})], ...certificates(ca)};
}

describe('refuses', () => {
  const refusals: readonly (readonly [what: string, change: Partial<ImportFacts>, ids: readonly string[]])[] = [
    ['a certificate for another key', certificates(ofNewKey), ['other-key']],
    ['only certificates of CAs', certificates(policy, root), ['other-key']],
    ['files without certificates', {certificates: []}, ['other-key']],
    [
      'a certificate for the request of another cluster',
      {...certificates(ofC2), others: new Map([[ofC2.certificate.spki, 'c2']])},
      ['other-cluster'],
    ],
    [
      'a certificate for the right key that names another cluster in the mesh',
      certificates(faulty.namesC2),
      ['other-cluster'],
    ],
    ['a key that another cluster uses', {others: new Map([[ours.certificate.spki, 'c2']])}, ['key-used-twice']],
    ['a request that was signed with its own key', certificates(faulty.selfSigned), ['self-signed']],
    ['a chain with a CA missing', certificates(belowRegional, policy), ['missing-issuer']],
    ['an issuer with the right name and another key', certificates(belowPolicy, twinOfPolicy), ['missing-issuer']],
    [
      "a certificate with another encoding of its issuer's name",
      certificates(faulty.issuerEncodedOtherwise),
      ['missing-issuer'],
    ],
    ["a chain to a root other than the mesh's", certificates(belowOther, other), ['other-root']],
    [
      'a chain to another root than --root',
      {...certificates(ours, root), root: noRoot, givenRoot: rootFile(other)},
      ['other-root'],
    ],
    ['a chain without a root if the mesh has none either', {root: noRoot}, ['no-root']],
    [
      'a valid chain if root-cert.pem of the only other cluster is unreadable',
      {...certificates(ours, root), root: noRoot, existingRoots: [unreadableRootOf('c2')]},
      ['bundle'],
    ],
    ['an expired certificate', certificates(faulty.expired), ['expired']],
    ['a certificate at the moment of its expiry', {now: ours.certificate.notAfter}, ['expired']],
    ['a certificate that is not valid yet', certificates(faulty.notYetValid), ['not-yet-valid']],
    ['a certificate that is not a CA', certificates(faulty.notACa), ['not-a-ca']],
    ['a key usage without keyCertSign', certificates(faulty.noCertSign), ['no-cert-sign']],
    ['an issuer that must not issue CAs', certificates(...belowPathLengthZero), ['path-length']],
    ['an extended key usage without clientAuth', certificates(faulty.noClientAuth), ['no-client-auth']],
    ['an extended key usage without serverAuth', certificates(faulty.noServerAuth), ['no-server-auth']],
    [
      'a certificate that identifies another key as its issuer',
      certificates(faulty.otherAuthorityKey),
      ['authority-key'],
    ],
    ['an RSA key of 1024 bits', keyAndCertificate(rsa1024, faulty.ofRsa1024), ['weak-key']],
    ['a P-521 key, which Envoy does not support', keyAndCertificate(p521, faulty.ofP521), ['unsupported-key']],
    ['a chain for each of its faults', certificates(...manyFaults), ['expired', 'no-server-auth', 'path-length']],
  ];
  it.each(refusals)('%s', (_what, change, ids) => {
    expect(outcomeOf(change)).toEqual({...nothing, blockers: ['c1: CERTIFICATE_REFUSED'], refusals: ids});
    const [blocker] = planImport({...healthy, ...change}).blockers;
    expect(blocker?.error.hints).toHaveLength(ids.length);
  });
});

it('has different hints for a missing issuer and for one with the right name', () => {
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
    ['one that ends at the root', certificates(belowRegional, other, belowOther, faulty.expired), ['expired']],
    [
      "one that ends at any root, if none ends at the mesh's",
      certificates(belowRegional, other, belowOther),
      ['other-root'],
    ],
    ['the one with the fewest faults', certificates(faulty.expiredAndNoCertSign, faulty.expired), ['expired']],
  ])('%s', (_which, change, ids) => {
    expect(outcomeOf(change).refusals).toEqual(ids);
  });
});

describe('an existing CA', () => {
  const before = bundleOf(ours, [root]);
  const requestGone = {keys: [caKey], hasRequest: false, files: before};
  it.each<Row>([
    [
      'is unchanged if the same certificate is imported again',
      requestGone,
      {groups: [], written: undefined, answered: undefined},
    ],
    [
      'is unchanged if the same certificate is imported again, whether or not git ignores its key',
      {...requestGone, git: {exposed: ['c1/ca-key.pem'], unknown: undefined}},
      {groups: [], written: undefined, answered: undefined},
    ],
    [
      'is unchanged, and the fulfilled request is removed, if a run was killed before it did so',
      {keys: [requestKey, caKey], files: before},
      {written: []},
    ],
    [
      'is unchanged, and the fulfilled request is removed, whether or not git ignores its key',
      {keys: [requestKey, caKey], files: before, git: {exposed: ['c1/ca-key.pem'], unknown: undefined}},
      {written: []},
    ],
    ['is unchanged, and a request without its key is removed', {...requestGone, hasRequest: true}, {written: []}],
    [
      'is unchanged, and so is a request for another key',
      {keys: [keyIn('c1/request/ca-key.pem', ofNewKey), caKey], files: before},
      {groups: [], written: undefined, answered: undefined},
    ],
    [
      'is replaced after confirmation by a renewal for the same key',
      {...requestGone, ...certificates(renewed)},
      {groups: [agreeToImport], chain: fingerprints(renewed, root), answered: []},
    ],
    [
      'is replaced after confirmation by a renewal for the same key, while another request stays pending',
      {keys: [keyIn('c1/request/ca-key.pem', ofNewKey), caKey], files: before, ...certificates(renewed)},
      {groups: [agreeToImport], chain: fingerprints(renewed, root), answered: []},
    ],
    [
      'is replaced after confirmation, including its key, by the certificate for a new request',
      {keys: [keyIn('c1/request/ca-key.pem', ofNewKey), caKey], files: before, ...certificates(ofNewKey, ours)},
      {groups: [agreeToImport], chain: fingerprints(ofNewKey, root)},
    ],
    [
      'is replaced after confirmation if its key is missing',
      {files: {...before, caKey: undefined}},
      {groups: [agreeToImport]},
    ],
    [
      'is replaced after confirmation if only a key exists',
      {keys: [caKey], files: {caKey: before.caKey}, hasRequest: false},
      {groups: [agreeToImport], answered: []},
    ],
    [
      'is written again after confirmation if its chain differs',
      {...requestGone, files: {...before, certChain: before.caCert}},
      {groups: [agreeToImport], answered: []},
    ],
    [
      'is written again after confirmation if its roots differ',
      {...requestGone, root: rootCert(root, nextRoot)},
      {groups: [agreeToImport], answered: []},
    ],
    [
      'is replaced without confirmation if only copies of public certificates exist',
      {files: {rootCert: before.rootCert, certChain: before.certChain}},
      {},
    ],
    [
      'is replaced after confirmation if its certificate is unreadable',
      {files: {...before, caCert: 'broken'}},
      {groups: [agreeToImport]},
    ],
  ])('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...accepted, ...expected});
  });

  it('mentions the key in the confirmation only if the key is replaced', () => {
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
      'a key that git does not ignore blocks everything',
      {git: {exposed: ['c1/ca-key.pem'], unknown: undefined}},
      {blockers: ['KEY_IN_GIT']},
    ],
    ['an unknown state of git is a warning', {git: {exposed: [], unknown: 'dubious ownership'}}, {warnings: 1}],
    ['other contents of the files are a warning', {remarks: ['a private key', 'a CRL']}, {warnings: 2}],
    ['a note about the mesh is a warning', {loaded: {...healthy.loaded, notes: ['a note']}}, {warnings: 1}],
    [
      'a certificate that outlives its issuer is accepted with a warning',
      certificates(faulty.outlivesRoot),
      {chain: fingerprints(faulty.outlivesRoot, root), warnings: 1},
    ],
    ['an expired root besides the right one is a warning', {root: rootCert(root, expiredRoot)}, {warnings: 1}],
    [
      'missing values are added to mesh.yaml first, then the root is written',
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

  it('the root has a separate lane, and the lane of the cluster has its name', () => {
    const {groups} = planImport({...healthy, ...certificates(ours, root), root: noRoot});
    expect(groups.map(({lanes}) => lanes.map(({key: lane, cluster}) => [lane, cluster]))).toEqual([
      [['root CA', undefined]],
      [['c1', 'c1']],
    ]);
  });

  it('a refused plan has its warnings and declares nothing', () => {
    const declaring = {...healthy.loaded, notes: ['a note'], declaration: {clusters: ['c3']}};
    const outcome = outcomeOf({loaded: declaring, remarks: ['a key'], ...certificates(ofNewKey)});
    expect(outcome).toMatchObject({groups: [], blockers: ['c1: CERTIFICATE_REFUSED'], warnings: 2});
  });
});
