/** The root key's protection, in the work directory or in the signer's directory. */
import {defined} from '../../domain/defined.js';
import type {FileModeFacts, RootKeyFacts} from '../../domain/facts/facts.js';
import {readPrivateKey} from '../../domain/keys/private-key.js';
import {layout} from '../../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {rootKeyDirectory, rootKeyPath} from '../../domain/mesh/signer.js';
import type {Deps} from '../../engine/deps.js';
import {findRootKeyCopies} from './key-files.js';

/** Reads the root key, and finds keys of roots under other names in the work directory. */
export async function readRootKey(
  deps: Deps,
  {trust: {signer}}: Pick<Mesh, 'trust'>,
  clusters: readonly MeshCluster[],
): Promise<RootKeyFacts> {
  const {workspace} = deps;
  const store = deps.rootStore(signer);
  const key = await store.readSecret(layout.rootKey);
  const others = await findRootKeyCopies(workspace, clusters, pathInside(workspace.root, store.root));
  const isElsewhere = store.root !== workspace.root;
  const path = isElsewhere ? rootKeyPath(signer) : undefined;
  if (!key) return defined<RootKeyFacts>({protection: 'absent', path, ...others});
  const {encryption} = readPrivateKey(key, path ?? layout.rootKey);
  if (!encryption) return defined<RootKeyFacts>({protection: 'clear', path, ...others});
  const {cipher, kdf, weak} = encryption;
  return defined<RootKeyFacts>({
    protection: 'encrypted',
    path,
    ...others,
    weakness: weak ? `${cipher} and ${kdf}` : undefined,
  });
}

/** The modes of a root key outside the top level of the work directory, and of its directory; empty if there is none. */
export async function rootKeyModes(
  deps: Deps,
  {trust: {signer}}: Pick<Mesh, 'trust'>,
): Promise<readonly FileModeFacts[]> {
  const store = deps.rootStore(signer);
  if (store.root === deps.workspace.root) return [];
  const [key, directory] = await Promise.all([store.statTarget(layout.rootKey), store.statTarget('.')]);
  if (key?.kind !== 'file' || !directory) return [];
  const path = rootKeyPath(signer);
  return [
    {path, kind: 'key', mode: key.mode},
    {path: rootKeyDirectory(path), kind: 'parent', mode: directory.mode},
  ];
}

/** The root key's path relative to the work directory; undefined if it is outside. */
function pathInside(workDir: string, store: string): string | undefined {
  const isInside = store === workDir || store.startsWith(`${workDir}/`);
  return isInside ? `${store}/${layout.rootKey}`.slice(workDir.length + 1) : undefined;
}
