/** Roots that a mesh may have besides its root-cert.pem: given by a person, or known from its clusters. */
import {MeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import {readPart, recognize} from '../../domain/x509/recognize.js';
import {missingRoots, mismatch, readableRoots, type TrustStore, trustStoreOf} from '../../domain/ca/trust-store.js';
import type {RootState} from '../../domain/ca/workdir-state.js';
import type {Deps} from '../../engine/deps.js';

/** The roots of `--root FILE`. Throws `FILE_MISSING`, `NOT_PEM`, `NOT_A_CERTIFICATE`, `CONTRADICTION` when the mesh has other roots already. */
export async function readGivenRoot(
  {workspace}: Pick<Deps, 'workspace'>,
  path: string,
  root: RootState,
): Promise<TrustStore> {
  const {parts} = recognize(await workspace.readOutside(path), path);
  const certificates = parts.flatMap((part) => readPart(part).certificates);
  if (certificates.length === 0) throw new MeshError('NOT_A_CERTIFICATE', `${path}: holds no certificate`);
  const notRoot = certificates.find(
    ({selfSigned, extensions}) => !selfSigned || extensions.basicConstraints?.ca !== true,
  );
  if (notRoot) throw new MeshError('NOT_A_CERTIFICATE', `${path}: "${notRoot.subject.text}" is not a root CA`);
  if (root.kind === 'present' && missingRoots(certificates, root.roots).length > 0) {
    throw new MeshError('CONTRADICTION', `--root ${path} holds another root than ${layout.rootCert}`, {
      hints: ['leave --root away: the mesh has its root'],
    });
  }
  return trustStoreOf(certificates);
}

/** The roots in the folder of a cluster. */
export interface ClusterTrustStore extends TrustStore {
  readonly cluster: string;
}

/** Roots that cluster folders hold, also of clusters this run is not about. Unreadable ones are judged elsewhere. */
export async function findRoots({workspace}: Pick<Deps, 'workspace'>): Promise<readonly ClusterTrustStore[]> {
  const names = await workspace.list('.');
  const found = await Promise.all(
    names.map(async (name) => {
      if ((await workspace.stat(name))?.kind !== 'directory') return [];
      const text = await workspace.readText(clusterLayout(name).rootCert);
      if (text === undefined) return [];
      // What cannot be read must still keep a new root from being made behind its back.
      return [{cluster: name, text, roots: readableRoots(text)}];
    }),
  );
  return found.flat();
}

/** Clusters of different roots, and nothing that says which is the mesh's; undefined where they agree. */
export function splitTrust(stores: readonly ClusterTrustStore[]): MeshError | undefined {
  const other = mismatch(stores);
  if (!other) return undefined;
  return new MeshError(
    'WORKDIR_CONFLICT',
    `${stores[0]?.cluster ?? ''} and ${other.cluster} have different roots, and there is no ${layout.rootCert} that says which is the mesh's`,
    {hints: [`Copy the ${layout.rootCert} of the root that the mesh shall have to the work directory`]},
  );
}
