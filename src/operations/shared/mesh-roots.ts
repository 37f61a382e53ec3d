/** Root CAs from sources other than the mesh's root-cert.pem: the file of `--root`, and which roots the clusters agree on. */
import {MeshError} from '../../domain/errors.js';
import {layout} from '../../domain/mesh/layout.js';
import {readPart, recognize} from '../../domain/x509/recognize.js';
import {missingRoots, mismatch, type TrustStore, trustStoreOf} from '../../domain/ca/trust-store.js';
import type {RootState} from '../../domain/ca/workdir-state.js';
import type {Deps} from '../../engine/deps.js';
import type {ClusterTrustStore} from '../../observe/root-files.js';

/** The roots in `--root FILE`. Throws `FILE_MISSING`, `NOT_PEM`, `NOT_A_CERTIFICATE`, and for other roots `CONTRADICTION`. */
export async function readRootFile(
  {workspace}: Pick<Deps, 'workspace'>,
  path: string,
  root: RootState,
): Promise<TrustStore> {
  const {parts} = recognize(await workspace.readOutside(path), path);
  const certificates = parts.flatMap((part) => readPart(part).certificates);
  if (certificates.length === 0) throw new MeshError('NOT_A_CERTIFICATE', `${path} contains no certificate`);
  const notRoot = certificates.find(
    ({selfSigned, extensions}) => !selfSigned || extensions.basicConstraints?.ca !== true,
  );
  if (notRoot) throw new MeshError('NOT_A_CERTIFICATE', `"${notRoot.subject.text}" in ${path} is not a root CA`);
  if (root.kind === 'present' && missingRoots(certificates, root.roots).length > 0) {
    throw new MeshError('CONTRADICTION', `--root ${path} contains a different root than ${layout.rootCert}`, {
      hints: ['omit --root: the mesh already has a root'],
    });
  }
  return trustStoreOf(certificates);
}

/** The error for clusters with different roots and no root-cert.pem to decide; undefined if the roots agree. */
export function conflictingRootsError(stores: readonly ClusterTrustStore[]): MeshError | undefined {
  const other = mismatch(stores);
  if (!other) return undefined;
  return new MeshError(
    'WORKDIR_CONFLICT',
    `${stores[0]?.cluster ?? ''} and ${other.cluster} have different roots, and the work directory has no ${layout.rootCert}`,
    {hints: [`copy the ${layout.rootCert} of the root to use into the work directory`]},
  );
}
