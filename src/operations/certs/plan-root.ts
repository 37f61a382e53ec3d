/** The root's part of `certs generate`: made, taken over, or known already; and whether its signer can sign. Pure. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, problem, reportError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {readableCertificates} from '../../domain/x509/certificate.js';
import {verifyChain} from '../../domain/x509/chain.js';
import {passphraseNeeded} from '../../domain/keys/passphrase.js';
import type {RootState} from '../../domain/ca/workdir-state.js';
import type {CreateRootCa, IssueClusterCa, WriteFiles} from '../../engine/action.js';
import type {SignerState} from '../../signers/signer-module.js';
import type {ClusterTrustStore} from '../shared/mesh-roots.js';
import {rootName, type TrustStore, trustStoreOf} from '../../domain/ca/trust-store.js';
import {knownTrust} from './ca-run.js';
import type {GenerateFacts, SignerFacts} from './generate-facts.js';

type PresentRoot = Extract<RootState, {kind: 'present'}>;

/** A root is made, or its certificate is taken over. */
export type RootAction = CreateRootCa | WriteFiles;

/** What is done about the root. */
export interface RootPlan {
  readonly action?: RootAction;
  /** Why nothing can be done. */
  readonly error?: ErrorReport;
  readonly warning?: string;
}

/** Keys made ahead while the root's is made: more would only wait for a core. */
const keysAhead = 4;

/** Plans it. `issuing`: the cluster CAs that are to be signed. */
export function planRoot(facts: GenerateFacts, issuing: readonly IssueClusterCa[]): RootPlan {
  const {root, signer, existingRoots} = facts;
  if (root.kind === 'conflict') return {error: root.error};
  // What would sign is not needed where nothing is to be signed.
  if (signer.kind === 'unavailable') {
    return root.kind === 'present' && issuing.length === 0 ? {} : {error: signer.error};
  }
  const trust = knownTrust(root, existingRoots);
  if ('error' in trust) return trust;
  if (signer.kind === 'ready') return planReadyRoot(facts, signer, trust.store);
  return root.kind === 'present' ? planPresentRoot(root, facts, issuing) : planMissingRoot(facts, issuing);
}

/** A CA that can sign, and stands below a root or is one: the mesh's root must be that one. */
function planReadyRoot(
  {root, givenRoot, now}: GenerateFacts,
  {what, upward}: Extract<SignerState, {kind: 'ready'}>,
  trusted: TrustStore | undefined,
): RootPlan {
  const [signing, ...above] = upward;
  const top = upward.at(-1);
  const known = trusted ?? givenRoot ?? (top?.selfSigned ? trustStoreOf([top]) : undefined);
  if (!signing || !known) {
    const message = `${what} does not send the root above it, and there is no ${layout.rootCert} yet`;
    return blocked('FILE_MISSING', message, 'Name its root with --root FILE');
  }
  const verified = verifyChain(signing, {roots: known.roots, intermediates: above, now});
  if ('failure' in verified && verified.failure !== 'expired') {
    return blocked(
      'WORKDIR_CONFLICT',
      `${what} ("${signing.subject.text}") does not stand below the mesh's root ("${rootName(known)}"): ${verified.message}`,
      "Choose the issuer that stands below the mesh's root",
      'Another root is a change of root: see docs/trust.md',
    );
  }
  return root.kind === 'present' ? {} : {action: adoptRoot(known, what)};
}

function blocked(...said: Parameters<typeof problem>): RootPlan {
  return {error: problem(...said)};
}

function planPresentRoot(
  root: PresentRoot,
  {signer, rootFrom, passphraseAvailable}: GenerateFacts,
  issuing: readonly IssueClusterCa[],
): RootPlan {
  const taken: RootPlan = rootFrom === undefined ? {} : {action: adoptRoot(root, rootFrom)};
  if (signer.kind !== 'key-file') return taken;
  const {keyPath} = signer;
  const other = issuing.length > 0 ? otherKeyDirectory(root, signer) : undefined;
  if (other) return other;
  if (root.key === 'clear') return {...taken, warning: `${keyPath} is not encrypted: whoever reads it owns the mesh`};
  if (root.key === 'encrypted' && issuing.length > 0 && !passphraseAvailable) {
    return {error: reportError(passphraseNeeded('existing'))};
  }
  const encryption = root.keyFacts?.encryption;
  if (!encryption?.weak) return taken;
  return {...taken, warning: `${keyPath} is encrypted with ${encryption.kdf}: guessing its passphrase is cheap`};
}

/** A directory says by its own root-cert.pem whose key it holds: better known before a passphrase is asked for. */
function otherKeyDirectory(
  root: PresentRoot,
  {certificate, keyPath}: Extract<SignerState, {kind: 'key-file'}>,
): RootPlan | undefined {
  if (certificate === undefined || keyPath === layout.rootKey) return undefined;
  const theirs = readableCertificates(certificate, keyPath);
  const ours = new Set(root.roots.map(({spki}) => spki));
  if (theirs.length === 0 || theirs.some(({spki}) => ours.has(spki))) return undefined;
  return blocked(
    'WORKDIR_CONFLICT',
    `${keyPath} belongs to another root ("${theirs[0]?.subject.text ?? ''}") than ${layout.rootCert} ("${rootName(root)}")`,
    "Plug in what this mesh's root key is on, or say where that is with --root-dir DIR",
  );
}

function planMissingRoot(facts: GenerateFacts, issuing: readonly IssueClusterCa[]): RootPlan {
  const {signer, clear} = facts;
  const [first] = facts.existingRoots;
  if (first) return planLostRoot(first, signer, issuing.length > 0);
  // Without a signer of its own a mesh gets its root with the first certificate that comes in.
  if (signer.kind === 'elsewhere' || signer.kind === 'idle') return {};
  if (signer.kind === 'rootless') return {action: createRoot(facts, 'elsewhere', issuing)};
  if (signer.kind === 'key-file' && signer.directoryMissing === true) {
    return blocked(
      'FILE_MISSING',
      `the directory for ${signer.keyPath} is not there: a new root key would land on another disk`,
      'Plug it in, make the directory, or say where the root key is to be kept with --root-dir DIR',
    );
  }
  if (!clear && !facts.passphraseAvailable) return {error: reportError(passphraseNeeded('new'))};
  const warning = `${layout.rootKey} is written in the clear (--no-passphrase): whoever reads it owns the mesh`;
  const action = createRoot(facts, clear ? 'clear' : 'encrypted', issuing);
  return clear ? {action, warning} : {action};
}

/** Clusters have the root that the work directory lacks. */
function planLostRoot(store: ClusterTrustStore, signer: SignerFacts, signs: boolean): RootPlan {
  const {rootCert} = clusterLayout(store.cluster);
  if (signs) {
    const gone = signer.kind === 'key-file' ? `${layout.rootCert} and ${signer.keyPath} are` : `${layout.rootCert} is`;
    return blocked(
      'FILE_MISSING',
      `${store.cluster} has a root already, but ${gone} gone: a new root would split the mesh's trust`,
      `Bring back what is gone; ${rootCert} is the certificate`,
    );
  }
  if (store.roots.length > 0) return {action: adoptRoot(store, 'the clusters')};
  return blocked(
    'NOT_A_CERTIFICATE',
    `${rootCert} has no certificate that can be read, and there is no ${layout.rootCert}`,
    `Copy the ${layout.rootCert} of the mesh to the work directory`,
  );
}

function createRoot(
  {loaded, signer}: GenerateFacts,
  protection: CreateRootCa['protection'],
  issuing: readonly IssueClusterCa[],
): CreateRootCa {
  const {meshID, trust} = loaded.mesh;
  const algorithm = trust.keyAlgorithm;
  const words = {
    clear: `${algorithm}, key in the clear`,
    encrypted: `${algorithm}, key encrypted`,
    elsewhere: `key held by ${signer.kind === 'rootless' ? signer.what : 'the signer'}`,
  };
  return defined({
    kind: 'create-root-ca',
    id: 'root-ca',
    title: `create the root CA (${words[protection]})`,
    signer: trust.signer,
    algorithm,
    validityDays: trust.rootValidityDays,
    protection,
    meshID,
    keysAhead: issuing.slice(0, keysAhead).map(({cluster, algorithm: key}) => ({cluster, algorithm: key})),
  });
}

function adoptRoot({text}: Pick<TrustStore, 'text'>, from: string): WriteFiles {
  const title = `take ${layout.rootCert} over from ${from}`;
  return {kind: 'write-files', id: 'root-cert', title, files: [{path: layout.rootCert, content: text}]};
}
