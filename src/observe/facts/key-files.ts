/** Private keys that lie in a directory, whatever their files are called. */
import type {RootKeyFacts} from '../../domain/facts/facts.js';
import {MeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {readableCertificates} from '../../domain/x509/certificate.js';
import {findPrivateKeys, isKeyAlone} from '../../domain/keys/private-key.js';
import type {Deps} from '../../engine/deps.js';

/** Files of a directory that are looked into: more is no work directory. */
const maxFiles = 200;
/** Larger than any key with its chain. Bytes. */
const maxFileBytes = 64 * 1024;

/** A file with private keys. */
export interface KeyFile {
  readonly path: string;
  /** SHA-256 of the public halves of those in the clear. */
  readonly clear: readonly string[];
  /** Whether the file is one key and nothing else. */
  readonly alone: boolean;
}

/**
 * The files of a directory (`.` is the work directory) that hold a private key. One after the other: a mesh of hundreds of
 * clusters has more files than a process may have open. Throws `WORKDIR_UNREADABLE` for what others may read and we not.
 */
export async function keyFilesIn(workspace: Deps['workspace'], directory: string): Promise<readonly KeyFile[]> {
  const found: KeyFile[] = [];
  for (const name of (await workspace.list(directory)).slice(0, maxFiles)) {
    const path = directory === '.' ? name : `${directory}/${name}`;
    const facts = await workspace.statTarget(path);
    if (facts?.kind !== 'file' || facts.size > maxFileBytes) continue;
    const text = await workspace.readSecret(path).catch((thrown: unknown) => {
      // Another user's file that only its owner can read exposes nothing.
      const isClosed = (facts.mode & 0o077) === 0;
      if (isClosed && thrown instanceof MeshError && thrown.code === 'WORKDIR_UNREADABLE') return undefined;
      throw thrown;
    });
    const keys = text === undefined ? [] : findPrivateKeys(text, path);
    if (text === undefined || keys.length === 0) continue;
    found.push({
      path,
      clear: keys.flatMap(({spki, encryption}) => (spki === undefined || encryption ? [] : [spki])),
      alone: isKeyAlone(text),
    });
  }
  return found;
}

/**
 * Keys in the clear, at the top and in the clusters' folders, that sign for the whole mesh: a root's, or that of a CA between
 * it and the clusters'. `known`: the file of the root key, which is judged by itself.
 */
export async function findClearRootKeys(
  workspace: Deps['workspace'],
  clusters: readonly MeshCluster[],
  known: string | undefined,
): Promise<NonNullable<RootKeyFacts['copies']>> {
  const folders = clusters.map(({name}) => name);
  const spkisIn = (path: string): Promise<readonly string[]> => publicKeysIn(workspace, path);
  const [roots, signing, own] = [new Set(await spkisIn(layout.rootCert)), new Set<string>(), new Set<string>()];
  const files = [...(await keyFilesIn(workspace, '.'))];
  for (const folder of folders) {
    const paths = clusterLayout(folder);
    for (const spki of await spkisIn(paths.rootCert)) roots.add(spki);
    for (const spki of await spkisIn(paths.certChain)) signing.add(spki);
    for (const spki of await spkisIn(paths.caCert)) own.add(spki);
    files.push(...(await keyFilesIn(workspace, folder)));
  }
  // A cluster's own key has to lie in the clear: istiod reads no other. That it is no root's is asked by MESH110.
  const judgedElsewhere = new Set([known, ...folders.map((folder) => clusterLayout(folder).caKey)]);
  return files.flatMap(({path, clear, alone}) => {
    if (judgedElsewhere.has(path)) return [];
    // A cluster's own CA stands first in its chain; a copy of its key under another name is no key of the mesh's.
    const of = clear.some((spki) => roots.has(spki))
      ? ('root' as const)
      : clear.some((spki) => signing.has(spki) && !own.has(spki))
        ? ('signing CA' as const)
        : undefined;
    return of === undefined ? [] : [{path, of, alone}];
  });
}

/** SHA-256 of the public keys of a file's certificates; none where there is no file, or none can be read. */
export async function publicKeysIn(workspace: Deps['workspace'], path: string): Promise<readonly string[]> {
  const text = await workspace.readText(path);
  return text === undefined ? [] : readableCertificates(text, path).map(({spki}) => spki);
}
