/** The root's part of `certs generate`: made, taken over, or known already; and whether its signer can sign. Pure. */
import {defined} from '../../domain/defined.js';
import {type ErrorReport, problem, reportError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {type Certificate, readableCertificates} from '../../domain/x509/certificate.js';
import {verifyChain} from '../../domain/x509/chain.js';
import {passphraseNeeded} from '../../domain/keys/passphrase.js';
import type {RootState} from '../../domain/ca/workdir-state.js';
import type {CreateRootCa, IssueClusterCa, WriteFiles} from '../../engine/action.js';
import type {SignerState} from '../../signers/signer-module.js';
import type {Blocker, Warning} from '../../engine/operation.js';
import {splitTrust} from '../shared/mesh-roots.js';
import {rootName, type TrustStore, trustStoreOf} from '../../domain/ca/trust-store.js';
import type {GenerateFacts} from './generate-facts.js';

/** A root is made, or its certificate is taken over. */
export type RootAction = CreateRootCa | WriteFiles;

/** What is done about the root. */
export interface RootPlan {
  readonly action?: RootAction;
  readonly blockers: readonly Blocker[];
  readonly warnings: readonly Warning[];
}

/** Keys made ahead while the root's is made: more would only wait for a core. */
const keysAhead = 4;

const nothing: RootPlan = {blockers: [], warnings: []};

/** Plans it. `issuing`: the cluster CAs that are to be signed. */
export function planRoot(facts: GenerateFacts, issuing: readonly IssueClusterCa[]): RootPlan {
  const {root, signer} = facts;
  if (root.kind === 'conflict') return blocked(root.error);
  // What would sign is not needed where nothing is to be signed.
  if (signer.kind === 'unavailable') {
    return root.kind === 'present' && issuing.length === 0 ? nothing : blocked(signer.error);
  }
  if (signer.kind === 'ready') return planReadyRoot(facts, signer.what, signer.upward);
  if (root.kind === 'present') return planPresentRoot(root, facts, issuing);
  return planMissingRoot(facts, issuing);
}

function blocked(error: ErrorReport): RootPlan {
  return {...nothing, blockers: [{error}]};
}

/** A CA that can sign, and stands below a root or is one: the mesh's root must be that one. */
function planReadyRoot(facts: GenerateFacts, what: string, upward: readonly Certificate[]): RootPlan {
  const {root, existingRoots, givenRoot, now} = facts;
  const [signing, ...above] = upward;
  const known = root.kind === 'present' ? root : (existingRoots[0] ?? givenRoot ?? selfSignedTop(upward));
  if (!signing || !known) {
    const message = `${what} does not send the root above it, and there is no ${layout.rootCert} yet`;
    return blocked(problem('FILE_MISSING', message, 'Name its root with --root FILE'));
  }
  const verified = verifyChain(signing, {roots: known.roots, intermediates: above, now});
  if ('failure' in verified && verified.failure !== 'expired') {
    const message = `${what} ("${signing.subject.text}") does not stand below the mesh's root ("${rootName(known)}"): ${verified.message}`;
    return blocked(
      problem(
        'WORKDIR_CONFLICT',
        message,
        "Choose the issuer that stands below the mesh's root",
        'Another root is a change of root: see docs/trust.md',
      ),
    );
  }
  if (root.kind === 'present') return nothing;
  const split = splitTrust(existingRoots);
  return split ? blocked(reportError(split)) : {...nothing, action: adoptRoot(known, what)};
}

function selfSignedTop(upward: readonly Certificate[]): TrustStore | undefined {
  const top = upward.at(-1);
  return top?.selfSigned ? trustStoreOf([top]) : undefined;
}

function planPresentRoot(
  root: Extract<RootState, {kind: 'present'}>,
  facts: GenerateFacts,
  issuing: readonly IssueClusterCa[],
): RootPlan {
  const {signer} = facts;
  const taken: RootPlan =
    facts.rootFrom === undefined ? nothing : {...nothing, action: adoptRoot(root, facts.rootFrom)};
  if (signer.kind !== 'key-file') return taken;
  const other = issuing.length > 0 ? otherKeyDirectory(root, signer) : undefined;
  if (other) return blocked(other);
  if (root.key === 'clear') {
    const message = `${signer.keyPath} is not encrypted: whoever reads it owns the mesh`;
    return {...taken, warnings: [{message}]};
  }
  if (root.key === 'encrypted' && issuing.length > 0 && !facts.passphraseAvailable) {
    return blocked(reportError(passphraseNeeded('existing')));
  }
  return {...taken, warnings: weakProtection(root, signer.keyPath)};
}

/** A directory says by its own root-cert.pem whose key it holds: better known before a passphrase is asked for. */
function otherKeyDirectory(
  root: Extract<RootState, {kind: 'present'}>,
  {certificate, keyPath}: Extract<SignerState, {kind: 'key-file'}>,
): ErrorReport | undefined {
  if (certificate === undefined || keyPath === layout.rootKey) return undefined;
  const theirs = readableCertificates(certificate, keyPath);
  const ours = new Set(root.roots.map(({spki}) => spki));
  if (theirs.length === 0 || theirs.some(({spki}) => ours.has(spki))) return undefined;
  const message = `${keyPath} belongs to another root ("${theirs[0]?.subject.text ?? ''}") than ${layout.rootCert} ("${rootName(root)}")`;
  const hint = "Plug in what this mesh's root key is on, or say where that is with --root-dir DIR";
  return problem('WORKDIR_CONFLICT', message, hint);
}

function planMissingRoot(facts: GenerateFacts, issuing: readonly IssueClusterCa[]): RootPlan {
  const {signer} = facts;
  const [first] = facts.existingRoots;
  if (first) {
    const split = splitTrust(facts.existingRoots);
    if (split) return blocked(reportError(split));
    if (issuing.length > 0) {
      const gone =
        signer.kind === 'key-file' ? `${layout.rootCert} and ${signer.keyPath} are` : `${layout.rootCert} is`;
      return blocked(
        problem(
          'FILE_MISSING',
          `${first.cluster} has a root already, but ${gone} gone: a new root would split the mesh's trust`,
          `Bring back what is gone; ${clusterLayout(first.cluster).rootCert} is the certificate`,
        ),
      );
    }
    if (first.roots.length === 0) {
      const message = `${clusterLayout(first.cluster).rootCert} has no certificate that can be read, and there is no ${layout.rootCert}`;
      const hint = `Copy the ${layout.rootCert} of the mesh to the work directory`;
      return blocked(problem('NOT_A_CERTIFICATE', message, hint));
    }
    return {...nothing, action: adoptRoot(first, 'the clusters')};
  }
  // Without a signer of its own a mesh gets its root with the first certificate that comes in.
  if (signer.kind === 'elsewhere' || signer.kind === 'idle') return nothing;
  if (signer.kind === 'rootless') return {...nothing, action: createRoot(facts, 'elsewhere', issuing)};
  if (signer.kind === 'key-file' && signer.directoryMissing === true) {
    const message = `the directory for ${signer.keyPath} is not there: a new root key would land on another disk`;
    const hint = 'Plug it in, make the directory, or say where the root key is to be kept with --root-dir DIR';
    return blocked(problem('FILE_MISSING', message, hint));
  }
  if (!facts.clear && !facts.passphraseAvailable) return blocked(reportError(passphraseNeeded('new')));
  return {
    ...nothing,
    action: createRoot(facts, facts.clear ? 'clear' : 'encrypted', issuing),
    warnings: facts.clear ? [clearWarning] : [],
  };
}

const clearWarning: Warning = {
  message: `${layout.rootKey} is written in the clear (--no-passphrase): whoever reads it owns the mesh`,
};

function weakProtection(root: Extract<RootState, {kind: 'present'}>, keyPath: string): readonly Warning[] {
  const encryption = root.keyFacts?.encryption;
  if (!encryption?.weak) return [];
  return [{message: `${keyPath} is encrypted with ${encryption.kdf}: guessing its passphrase is cheap`}];
}

function createRoot(
  {mesh, signer}: GenerateFacts,
  protection: CreateRootCa['protection'],
  issuing: readonly IssueClusterCa[],
): CreateRootCa {
  const algorithm = mesh.trust.keyAlgorithm;
  const words = {
    clear: `${algorithm}, key in the clear`,
    encrypted: `${algorithm}, key encrypted`,
    elsewhere: `key held by ${signer.kind === 'rootless' ? signer.what : 'the signer'}`,
  };
  return defined({
    kind: 'create-root-ca',
    id: 'root-ca',
    title: `create the root CA (${words[protection]})`,
    signer: mesh.trust.signer,
    algorithm,
    validityDays: mesh.trust.rootValidityDays,
    protection,
    meshID: mesh.meshID,
    keysAhead: issuing.slice(0, keysAhead).map(({cluster, algorithm: key}) => ({cluster, algorithm: key})),
  });
}

function adoptRoot({text}: Pick<TrustStore, 'text'>, from: string): WriteFiles {
  return {
    kind: 'write-files',
    id: 'root-cert',
    title: `take ${layout.rootCert} over from ${from}`,
    files: [{path: layout.rootCert, content: text}],
  };
}
