/** Root CAs from sources other than the mesh's root-cert.pem: the file of `--root`, and the cluster directories. */
import {MeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {readPart, recognize} from '../../domain/x509/recognize.js';
import {missingRoots, mismatch, readableRoots, type TrustStore, trustStoreOf} from '../../domain/ca/trust-store.js';
import type {RootState} from '../../domain/ca/workdir-state.js';
import type {Deps} from '../../engine/deps.js';

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

/** The roots in a cluster's directory. */
export interface ClusterTrustStore extends TrustStore {
  readonly cluster: string;
}

/** Roots in all cluster directories, selected or not. Unreadable files are reported elsewhere. */
export async function findClusterRoots({workspace}: Pick<Deps, 'workspace'>): Promise<readonly ClusterTrustStore[]> {
  const names = await workspace.list('.');
  const found = await Promise.all(
    names.map(async (name) => {
      if ((await workspace.stat(name))?.kind !== 'directory') return [];
      const text = await workspace.readText(clusterLayout(name).rootCert);
      if (text === undefined) return [];
      // An unreadable file counts too: it must prevent a new root from being created.
      return [{cluster: name, ...trustStoreOf(readableRoots(text))}];
    }),
  );
  return found.flat();
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
