/**
 * The state of a work directory's CA files: absent, valid, completable, or a conflict whose message names the two files that
 * disagree. `certs generate` plans from it. Pure.
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
import type {NamedCluster} from '../mesh/istio-name.js';
import type {CaInspection} from './inspect-ca.js';
import {inspectFiles} from './inspect-files.js';
import {isBlocking} from './istiod-rules.js';
import {attributeOf} from '../x509/name.js';
import {parseRootCert} from './root-cert.js';
import {missingRoots, rootName, sameRoots, type TrustStore} from './trust-store.js';
import {type PrivateKeyFacts, readPrivateKey} from '../keys/private-key.js';

/** The files of the root CA, as read. */
export interface RootFiles {
  /** root-cert.pem of the work directory. */
  readonly certificate: string | undefined;
  /** The signing key: root-key.pem in the work directory or elsewhere. Also undefined for a signer without a key file. */
  readonly key: Sensitive<string> | undefined;
  /** The key's path for messages; default: {@link layout.rootKey}. */
  readonly keyPath?: string;
  /** The CA of the key, and the certificates above it, if the CA is not a root itself. */
  readonly certificates?: readonly Certificate[];
}

/** The state of the root CA. */
export type RootState =
  | {readonly kind: 'absent'}
  /**
   * root-cert.pem exists. The CA of the key is known if the key is unencrypted or there is only one CA; an encrypted key is
   * compared when it is decrypted.
   */
  | (TrustStore & {
      readonly kind: 'present';
      readonly key: 'missing' | 'encrypted' | 'clear';
      readonly keyFacts?: PrivateKeyFacts;
    })
  | {readonly kind: 'conflict'; readonly error: ErrorReport};

/** Checks the files of the root CA. */
export function rootStateOf(files: RootFiles): RootState {
  return conflictOnError(() => {
    const {certificate, key, keyPath = layout.rootKey, certificates: below = []} = files;
    if (certificate === undefined) {
      if (key === undefined) return {kind: 'absent'};
      throw conflict(
        `${keyPath} exists, but ${layout.rootCert} is missing`,
        `restore ${layout.rootCert} from where the root CA was created: it cannot be recreated from the key`,
      );
    }
    const store = parseRootCert(certificate);
    const {roots} = store;
    const notCa = roots.find(({extensions}) => extensions.basicConstraints?.ca !== true);
    if (notCa) throw conflict(`${layout.rootCert} contains "${notCa.subject.text}", which is not a CA`);
    if (key === undefined) return {kind: 'present', ...store, key: 'missing'};
    const keyFacts = readPrivateKey(key, keyPath);
    const {encryption, spki, label} = keyFacts;
    if (encryption === undefined && spki === undefined) {
      throw conflict(`${keyPath}: keys of PEM type "${label}" are not supported`);
    }
    const candidates = below.length > 0 ? below : roots;
    const [first, ...others] = candidates;
    // An encrypted key does not show its CA; of the certificates below a root, the first is the CA itself.
    const assumed = below.length > 0 || others.length === 0 ? first : undefined;
    const ca = encryption ? assumed : candidates.find((one) => one.spki === spki);
    if (!encryption && !ca) {
      const where = below.length > 0 ? 'the certificate in trust.signer' : layout.rootCert;
      throw conflict(
        `${keyPath} is not the key of ${where} ("${first?.subject.text ?? ''}")`,
        'one of the two belongs to another CA: restore the matching pair',
      );
    }
    const signing = ca && orderUpward(ca, [...below, ...roots]);
    return defined({kind: 'present', ...store, key: encryption ? 'encrypted' : 'clear', keyFacts, signing});
  });
}

/** The state of a cluster CA's files. */
export type ClusterState =
  | {readonly kind: 'absent'}
  /** The files are complete and valid; the key may be elsewhere (a git checkout, `trust.keepClusterKeys: false`). */
  | {readonly kind: 'valid'; readonly inspection: CaInspection; readonly keyMissing: boolean}
  /** Certificate and key are valid; the missing files can be recreated. */
  | {readonly kind: 'completable'; readonly missing: readonly ('rootCert' | 'certChain')[]; readonly ca: Certificate}
  | {readonly kind: 'conflict'; readonly error: ErrorReport};

/** Checks a cluster CA's files, also against the mesh's roots and the names of its clusters (`declared`). */
export function clusterStateOf(
  name: string,
  files: CaFiles,
  root: RootState,
  {declared, names, now}: {readonly declared: readonly NamedCluster[]; readonly names: MeshNames; readonly now: Date},
): ClusterState {
  return conflictOnError(() => {
    const paths = clusterLayout(name);
    const store = root.kind === 'present' ? root : undefined;
    const renew = kubectlMesh('certs generate', words`${name} --renew`);
    const first = (['caCert', 'caKey', 'rootCert', 'certChain'] as const).find((part) => files[part] !== undefined);
    if (first === undefined) return {kind: 'absent'};
    if (files.caCert === undefined) {
      throw conflict(
        `${paths[first]} exists, but ${paths.caCert} is missing`,
        advice`restore ${paths.caCert}, or create a new cluster CA with: ${renew}`,
      );
    }
    const missing = (['rootCert', 'certChain'] as const).filter((part) => files[part] === undefined);
    if (missing.length > 0 && !store) {
      const list = missing.map((part) => paths[part]).join(' and ');
      throw conflict(`${paths.caCert} exists, but ${list} is missing`, 'restore the missing files');
    }
    const {rootCert = store?.text} = files;
    // The default is the chain that would be written: the cluster CA, then the roots.
    const {certChain = `${files.caCert}${rootCert ?? ''}`} = files;
    const inspection = inspectFiles({...files, rootCert, certChain}, {now, ...names, keyMayBeMissing: true});
    const error = inspection.findings.find(isBlocking);
    if (error) {
      const hint =
        error.isOfForm === true
          ? advice`write the same key and certificates in canonical form with: ${kubectlMesh('certs rewrite', [name])}`
          : advice`create a new cluster CA under the same root with: ${renew}`;
      throw conflict(`${name}: ${error.message}`, hint);
    }
    const {certificate, roots = []} = inspection;
    // A move or restore can swap directories; a CA in the wrong one would be pushed to the wrong cluster.
    const owner = certificate && otherOwner(attributeOf(certificate.subject, 'L'), name, declared);
    if (owner !== undefined) {
      throw conflict(
        `${paths.caCert} ("${certificate?.subject.text ?? ''}") is the CA of ${owner}, not of ${name}`,
        `if the directories ${name} and ${owner} were swapped, move them back`,
        advice`otherwise create a new cluster CA with: ${renew}`,
      );
    }
    // A cluster trusts exactly the mesh's roots, in any order and with any text around them.
    if (store && !sameRoots(roots, store.roots)) {
      const other = rootName({roots: [...missingRoots(roots, store.roots), ...roots]});
      throw conflict(
        `${paths.rootCert} ("${other}") differs from ${layout.rootCert} ("${rootName(store)}")`,
        advice`restore the root that issued the CA of ${name}, or issue a new one under this root with: ${renew}`,
      );
    }
    if (missing.length > 0 && certificate) return {kind: 'completable', missing, ca: certificate};
    return {kind: 'valid', inspection, keyMissing: files.caKey === undefined};
  });
}

function conflict(message: string, ...hints: readonly Hint[]): MeshError {
  return new MeshError('WORKDIR_CONFLICT', message, {hints});
}

/** Turns an error about files into a state, so that the other clusters can continue. */
function conflictOnError<State>(check: () => State): State | {readonly kind: 'conflict'; readonly error: ErrorReport} {
  return recover(check, (error) => ({kind: 'conflict', error: reportError(error)}));
}
