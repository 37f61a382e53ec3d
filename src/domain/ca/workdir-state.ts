/**
 * What a work directory's CA files amount to: nothing, something complete and valid, something that can be completed, or
 * a conflict that names the two things that disagree. `certs generate` plans with it. Pure.
 */
import {defined} from '../defined.js';
import {type ErrorReport, MeshError, recover, reportError} from '../errors.js';
import {clusterLayout, layout} from '../mesh/layout.js';
import type {MeshNames} from '../mesh/mesh.js';
import type {Sensitive} from '../sensitive.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';
import type {CaFiles} from './ca-files.js';
import type {Certificate} from '../x509/certificate.js';
import {orderUpward} from '../x509/chain.js';
import {otherOwner} from './cluster-of-ca.js';
import {type CaInspection, inspectCaFiles} from './inspect-ca.js';
import {attributeOf} from '../x509/name.js';
import {missingRoots, parseTrustStore, rootName, sameRoots, type TrustStore} from './trust-store.js';
import {type PrivateKeyFacts, readPrivateKey} from '../keys/private-key.js';

/** The root's files as they were found. */
export interface RootFiles {
  /** root-cert.pem of the work directory. */
  readonly certificate: string | undefined;
  /** The key that signs in files: root-key.pem, here or elsewhere. Undefined also where the key never is a file. */
  readonly key: Sensitive<string> | undefined;
  /** The key's path as people know it; absent: {@link layout.rootKey}. */
  readonly keyPath?: string;
  /** The CA that the key signs for and what stands above it, where that is not a root itself. */
  readonly certificates?: readonly Certificate[];
}

/** What the root's files amount to. */
export type RootState =
  | {readonly kind: 'absent'}
  /**
   * root-cert.pem. Which CA the key signs for is known when the key is in the clear or there is only one; an encrypted key is
   * compared when it is opened.
   */
  | (TrustStore & {
      readonly kind: 'present';
      readonly key: 'missing' | 'encrypted' | 'clear';
      readonly keyFacts?: PrivateKeyFacts;
    })
  | {readonly kind: 'conflict'; readonly error: ErrorReport};

/** Judges the root's files by themselves. */
export function rootStateOf(files: RootFiles): RootState {
  return conflictOnError(() => {
    const {certificate, key, keyPath = layout.rootKey, certificates: below = []} = files;
    if (certificate === undefined) {
      if (key === undefined) return {kind: 'absent'};
      throw conflict(
        `${keyPath} is there, but ${layout.rootCert} is not`,
        `Bring ${layout.rootCert} back from where the root was made: it cannot be made again from the key`,
      );
    }
    const store = parseTrustStore(certificate, layout.rootCert);
    const {roots} = store;
    const notCa = roots.find(({extensions}) => extensions.basicConstraints?.ca !== true);
    if (notCa) throw conflict(`${layout.rootCert} holds "${notCa.subject.text}", which is not a CA`);
    if (key === undefined) return {kind: 'present', ...store, key: 'missing'};
    const keyFacts = readPrivateKey(key, keyPath);
    const {encryption, spki, label} = keyFacts;
    if (encryption === undefined && spki === undefined) {
      throw conflict(`${keyPath}: keys of PEM type "${label}" are not supported`);
    }
    const candidates = below.length > 0 ? below : roots;
    const [first, ...others] = candidates;
    // An encrypted key does not say whose it is; of the certificates below a root, the first is the CA itself.
    const likely = below.length > 0 || others.length === 0 ? first : undefined;
    const own = encryption ? likely : candidates.find((one) => one.spki === spki);
    if (!encryption && !own) {
      const where = below.length > 0 ? 'the certificate that trust.signer names' : layout.rootCert;
      throw conflict(
        `${keyPath} is not the key of ${where} ("${first?.subject.text ?? ''}")`,
        'One of the two comes from another CA: bring back the pair that belongs together',
      );
    }
    const signing = own && orderUpward(own, [...below, ...roots]);
    return defined({kind: 'present', ...store, key: encryption ? 'encrypted' : 'clear', keyFacts, signing});
  });
}

/** What a cluster's files amount to. */
export type ClusterState =
  | {readonly kind: 'absent'}
  /** Everything is there and valid; the key may be elsewhere (a git checkout, `trust.keepClusterKeys: false`). */
  | {readonly kind: 'valid'; readonly inspection: CaInspection; readonly keyMissing: boolean}
  /** Certificate and key are valid; these files can be made from what is there. */
  | {readonly kind: 'completable'; readonly missing: readonly ('rootCert' | 'certChain')[]; readonly ca: Certificate}
  | {readonly kind: 'conflict'; readonly error: ErrorReport};

/** Judges a cluster's files, by themselves, against the mesh's root and against the names of all its clusters (`declared`). */
export function clusterStateOf(
  name: string,
  files: CaFiles,
  root: RootState,
  {declared, names, now}: {readonly declared: readonly string[]; readonly names: MeshNames; readonly now: Date},
): ClusterState {
  return conflictOnError(() => {
    const paths = clusterLayout(name);
    const ours = root.kind === 'present' ? root : undefined;
    const renew = kubectlMesh('certs generate', words`${name} --renew`);
    const there = (['caCert', 'caKey', 'rootCert', 'certChain'] as const).find((part) => files[part] !== undefined);
    if (there === undefined) return {kind: 'absent'};
    if (files.caCert === undefined) {
      throw conflict(
        `${paths[there]} is there, but ${paths.caCert} is not`,
        advice`Bring ${paths.caCert} back, or make a new cluster CA with: ${renew}`,
      );
    }
    const missing = (['rootCert', 'certChain'] as const).filter((part) => files[part] === undefined);
    if (missing.length > 0 && !ours) {
      const lacking = missing.map((part) => paths[part]).join(' and ');
      throw conflict(`${paths.caCert} is there, but ${lacking} is not`, 'Bring the missing files back');
    }
    const {rootCert = ours?.text} = files;
    // What would be written: the cluster CA, then the roots; order and completeness are judged on that.
    const {certChain = `${files.caCert}${rootCert ?? ''}`} = files;
    const inspection = inspectCaFiles({...files, rootCert, certChain}, {now, ...names, keyMayBeMissing: true});
    const wrong = inspection.findings.find(({severity}) => severity === 'error');
    if (wrong) {
      throw conflict(`${name}: ${wrong.message}`, advice`Make a new cluster CA under the same root with: ${renew}`);
    }
    const {certificate, roots = []} = inspection;
    // Directories change places in a move or a restore; a CA in the wrong one would be pushed into the wrong cluster.
    const owner = certificate && otherOwner(attributeOf(certificate.subject, 'L'), name, declared);
    if (owner !== undefined) {
      throw conflict(
        `${paths.caCert} ("${certificate?.subject.text ?? ''}") is the CA of ${owner}, not of ${name}`,
        `If the directories ${name} and ${owner} changed places, move them back`,
        advice`Otherwise make a new cluster CA with: ${renew}`,
      );
    }
    // A cluster trusts exactly the mesh's roots, in whatever order and with whatever text around them.
    if (ours && !sameRoots(roots, ours.roots)) {
      const other = rootName({roots: [...missingRoots(roots, ours.roots), ...roots]});
      throw conflict(
        `${paths.rootCert} ("${other}") differs from ${layout.rootCert} ("${rootName(ours)}")`,
        advice`Bring back the root that ${name} was made with, or put ${name} under this root with: ${renew}`,
      );
    }
    if (missing.length > 0 && certificate) return {kind: 'completable', missing, ca: certificate};
    return {kind: 'valid', inspection, keyMissing: files.caKey === undefined};
  });
}

function conflict(message: string, ...hints: readonly Hint[]): MeshError {
  return new MeshError('WORKDIR_CONFLICT', message, {hints});
}

/** What is wrong with files is a state, not an exception: other clusters go on. */
function conflictOnError<State>(judge: () => State): State | {readonly kind: 'conflict'; readonly error: ErrorReport} {
  return recover(judge, (error) => ({kind: 'conflict', error: reportError(error)}));
}
