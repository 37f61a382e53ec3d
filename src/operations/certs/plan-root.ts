/** Plans the root for `certs generate`: creates it or imports its certificate, and checks that its signer can sign. */
import {rootKeyDirectory} from '../../domain/mesh/signer.js';
import {defined} from '../../domain/defined.js';
import {type ErrorReport, problem, reportError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {readableCertificates} from '../../domain/x509/certificate.js';
import {verifyChain} from '../../domain/x509/chain.js';
import {passphraseNeeded} from '../../domain/keys/passphrase.js';
import type {RootState} from '../../domain/ca/workdir-state.js';
import type {CreateRootCa, IssueClusterCa, WriteFiles} from '../../engine/action.js';
import type {SignerState} from '../../signers/signer-module.js';
import type {ClusterTrustStore} from '../../observe/root-files.js';
import {rootName, type TrustStore, trustStoreOf} from '../../domain/ca/trust-store.js';
import {meshTrustStore} from './ca-run.js';
import type {GenerateFacts, SignerFacts} from './generate-facts.js';

type PresentRoot = Extract<RootState, {kind: 'present'}>;

/** Creates a root, or imports the certificate of an existing one. */
export type RootAction = CreateRootCa | WriteFiles;

/** The decision for the root. */
export interface RootPlan {
  readonly action?: RootAction;
  /** Why the whole run is blocked. */
  readonly error?: ErrorReport;
  readonly warning?: string;
}

/** How many cluster keys are generated in parallel with the root key: more would only wait for a CPU core. */
const keysAhead = 4;
const fullControl = 'anyone who can read it controls the mesh';

/** Plans the root. `issuing`: the cluster CAs to sign. */
export function planRoot(facts: GenerateFacts, issuing: readonly IssueClusterCa[]): RootPlan {
  const {root, signer, existingRoots} = facts;
  if (root.kind === 'conflict') return {error: root.error};
  // An unavailable signer does not matter if nothing has to be signed.
  if (signer.kind === 'unavailable') {
    return root.kind === 'present' && issuing.length === 0 ? {} : {error: signer.error};
  }
  const trust = meshTrustStore(root, existingRoots);
  if ('error' in trust) return trust;
  if (signer.kind === 'ready') return planReadyRoot(facts, signer, trust.store);
  if (signer.kind === 'unchecked') return planUncheckedRoot(facts, signer, issuing);
  return root.kind === 'present' ? planPresentRoot(root, facts, issuing) : planMissingRoot(facts, issuing);
}

/** Plans for a CA that can sign: the mesh's root must be its root, or the CA itself. */
function planReadyRoot(
  {root, givenRoot, now}: GenerateFacts,
  {what, upward}: Extract<SignerState, {kind: 'ready'}>,
  trusted: TrustStore | undefined,
): RootPlan {
  const [signing, ...above] = upward;
  const top = upward.at(-1);
  const known = trusted ?? givenRoot ?? (top?.selfSigned ? trustStoreOf([top]) : undefined);
  if (!signing || !known) {
    const message = `${what} does not return its root, and there is no ${layout.rootCert} yet`;
    return blocked('FILE_MISSING', message, 'specify its root with --root FILE');
  }
  const verified = verifyChain(signing, {roots: known.roots, intermediates: above, now});
  if ('failure' in verified && verified.failure !== 'expired') {
    return blocked(
      'WORKDIR_CONFLICT',
      `${what} ("${signing.subject.text}") does not chain to the mesh's root ("${rootName(known)}"): ${verified.message}`,
      "choose an issuer that chains to the mesh's root",
      'to change the root, see docs/trust.md',
    );
  }
  return root.kind === 'present' ? {} : {action: importRoot(known, what)};
}

/** Plans for a signer that a dry run does not use: the root that a server would return is not known. */
function planUncheckedRoot(
  facts: GenerateFacts,
  {what}: Extract<SignerState, {kind: 'unchecked'}>,
  issuing: readonly IssueClusterCa[],
): RootPlan {
  const {root, givenRoot, existingRoots, loaded} = facts;
  const warning = `a dry run does not use ${what}: whether it can sign${root.kind === 'present' ? '' : ', and its root,'} was not checked`;
  const [first] = existingRoots;
  if (root.kind === 'present') return {warning};
  if (givenRoot) return {action: importRoot(givenRoot, '--root'), warning};
  const {signer} = loaded.mesh.trust;
  if (signer.type !== 'command' || signer.certificate !== undefined) return {warning};
  return first
    ? {...planMissingRootCert(first, facts.signer, issuing.length > 0), warning}
    : {action: createRoot(facts, 'elsewhere', issuing), warning};
}

function blocked(...error: Parameters<typeof problem>): RootPlan {
  return {error: problem(...error)};
}

function planPresentRoot(
  root: PresentRoot,
  {signer, rootSource, passphraseAvailable, passphraseVariableEmpty}: GenerateFacts,
  issuing: readonly IssueClusterCa[],
): RootPlan {
  const imported: RootPlan = rootSource === undefined ? {} : {action: importRoot(root, rootSource)};
  if (signer.kind !== 'key-file') return imported;
  const {keyPath} = signer;
  const other = issuing.length > 0 ? otherKeyDirectory(root, signer) : undefined;
  if (other) return other;
  if (root.key === 'clear') return {...imported, warning: `${keyPath} is not encrypted: ${fullControl}`};
  if (root.key === 'encrypted' && issuing.length > 0 && !passphraseAvailable) {
    return {error: reportError(passphraseNeeded('existing', passphraseVariableEmpty))};
  }
  const encryption = root.keyFacts?.encryption;
  if (!encryption?.weak) return imported;
  return {...imported, warning: `${keyPath} is encrypted with ${encryption.kdf}: its passphrase is cheap to guess`};
}

/** Checks root-cert.pem in the key's directory: another root is then reported before the passphrase prompt. */
function otherKeyDirectory(
  root: PresentRoot,
  {certificate, keyPath}: Extract<SignerState, {kind: 'key-file'}>,
): RootPlan | undefined {
  if (certificate === undefined || keyPath === layout.rootKey) return undefined;
  const besideKey = readableCertificates(certificate, keyPath);
  const meshKeys = new Set(root.roots.map(({spki}) => spki));
  if (besideKey.length === 0 || besideKey.some(({spki}) => meshKeys.has(spki))) return undefined;
  return blocked(
    'WORKDIR_CONFLICT',
    `${keyPath} belongs to a different root ("${besideKey[0]?.subject.text ?? ''}") than ${layout.rootCert} ("${rootName(root)}")`,
    "attach the drive with this mesh's root key, or specify its directory with --root-dir DIR",
  );
}

function planMissingRoot(facts: GenerateFacts, issuing: readonly IssueClusterCa[]): RootPlan {
  const {signer, unencrypted} = facts;
  const [first] = facts.existingRoots;
  if (first) return planMissingRootCert(first, signer, issuing.length > 0);
  // With an external CA the mesh gets its root with the first imported certificate.
  if (signer.kind === 'elsewhere' || signer.kind === 'idle') return {};
  if (signer.kind === 'rootless') return {action: createRoot(facts, 'elsewhere', issuing)};
  if (signer.kind === 'key-file' && signer.directoryMissing === true) {
    return {error: missingDirectory(signer.keyPath)};
  }
  if (!unencrypted && !facts.passphraseAvailable)
    return {error: reportError(passphraseNeeded('new', facts.passphraseVariableEmpty))};
  const warning = `${layout.rootKey} is written unencrypted (--no-passphrase): ${fullControl}`;
  const action = createRoot(facts, unencrypted ? 'clear' : 'encrypted', issuing);
  return unencrypted ? {action, warning} : {action};
}

/** The root key's directory does not exist: creating it could write the key to another disk. */
export function missingDirectory(keyPath: string): ErrorReport {
  return problem(
    'FILE_MISSING',
    `directory ${rootKeyDirectory(keyPath)} does not exist: ${layout.rootKey} must be in it`,
    'attach the drive, create the directory, or specify another one with --root-dir DIR',
  );
}

/** Plans for a work directory without root-cert.pem whose clusters have a root. */
function planMissingRootCert(store: ClusterTrustStore, signer: SignerFacts, signs: boolean): RootPlan {
  const {rootCert} = clusterLayout(store.cluster);
  if (signs) {
    const lost = signer.kind === 'key-file' ? `${layout.rootCert} and ${signer.keyPath} are` : `${layout.rootCert} is`;
    return blocked(
      'FILE_MISSING',
      `${store.cluster} already has a root, but ${lost} missing: a new root would split the mesh's trust`,
      `restore the missing files; ${rootCert} contains the root certificate`,
    );
  }
  if (store.roots.length > 0) return {action: importRoot(store, 'the clusters')};
  return blocked(
    'NOT_A_CERTIFICATE',
    `${rootCert} contains no readable certificate, and there is no ${layout.rootCert}`,
    `copy the mesh's ${layout.rootCert} to the work directory`,
  );
}

function createRoot(
  {loaded, signer}: GenerateFacts,
  protection: CreateRootCa['protection'],
  issuing: readonly IssueClusterCa[],
): CreateRootCa {
  const {meshID, trust} = loaded.mesh;
  const algorithm = trust.keyAlgorithm;
  const details = {
    clear: `${algorithm}, unencrypted key`,
    encrypted: `${algorithm}, encrypted key`,
    elsewhere: `key held by ${signer.kind === 'rootless' || signer.kind === 'unchecked' ? signer.what : 'the signer'}`,
  };
  return defined({
    kind: 'create-root-ca',
    id: 'root-ca',
    title: `create the root CA (${details[protection]})`,
    signer: trust.signer,
    algorithm,
    validityDays: trust.rootValidityDays,
    protection,
    meshID,
    keysAhead: issuing.slice(0, keysAhead).map(({cluster, algorithm: key}) => ({cluster, algorithm: key})),
  });
}

function importRoot({text}: Pick<TrustStore, 'text'>, from: string): WriteFiles {
  const title = `import ${layout.rootCert} from ${from}`;
  return {kind: 'write-files', id: 'root-cert', title, files: [{path: layout.rootCert, content: text}]};
}
