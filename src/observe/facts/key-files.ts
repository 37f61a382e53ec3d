/** Finds private keys in a directory, regardless of file names. */
import type {KeyInPublicFile, RootKeyFacts} from '../../domain/facts/facts.js';
import {MeshError} from '../../domain/errors.js';
import {clusterLayout, layout} from '../../domain/mesh/layout.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {readableCertificates} from '../../domain/x509/certificate.js';
import type {KeyEncryption} from '../../domain/keys/pkcs8.js';
import {containsKey, embeddedKeys, isReadable} from '../../domain/keys/embedded-keys.js';
import {isSingleKey} from '../../domain/keys/private-key.js';
import type {Deps} from '../../engine/deps.js';

/** How many files of a directory are read: a work directory has fewer. */
const maxFiles = 200;
/** Larger than any key with its chain. Bytes. */
const maxFileBytes = 64 * 1024;

/** A file with private keys. */
export interface KeyFile {
  readonly path: string;
  /** SHA-256 of the public keys of the unencrypted private keys. */
  readonly clear: readonly string[];
  /** How the encrypted private keys are encrypted. */
  readonly encryptions: readonly KeyEncryption[];
  /** Whether the file is one key and nothing else. */
  readonly alone: boolean;
}

/**
 * Returns the files of a directory (`.` is the work directory) that contain a private key. Reads them in sequence: a
 * mesh with hundreds of clusters has more files than a process may have open. Throws `WORKDIR_UNREADABLE` for a file
 * that other users can read and this process cannot.
 */
export async function keyFilesIn(workspace: Deps['workspace'], directory: string): Promise<readonly KeyFile[]> {
  const found: KeyFile[] = [];
  for (const name of (await workspace.list(directory)).slice(0, maxFiles)) {
    const path = directory === '.' ? name : `${directory}/${name}`;
    const facts = await workspace.statTarget(path);
    if (facts?.kind !== 'file' || facts.size > maxFileBytes) continue;
    const text = await workspace.readSecret(path).catch((thrown: unknown) => {
      // Another user's file that only its owner can read does not expose a key.
      const isClosed = (facts.mode & 0o077) === 0;
      if (isClosed && thrown instanceof MeshError && thrown.code === 'WORKDIR_UNREADABLE') return undefined;
      throw thrown;
    });
    const keys = text === undefined ? [] : embeddedKeys(text).filter(isReadable);
    if (text === undefined || keys.length === 0) continue;
    found.push({
      path,
      clear: keys.flatMap(({spki}) => spki ?? []),
      encryptions: keys.flatMap(({encryption}) => encryption ?? []),
      alone: isSingleKey(text),
    });
  }
  return found;
}

/**
 * Finds unencrypted keys, in the work directory and the clusters' directories, that can sign for the whole mesh: a root
 * CA's key, or that of a CA between the root and the cluster CAs; and encrypted keys at the top level of the work
 * directory. `known`: the root key's file, which has its own check.
 */
export async function findRootKeyCopies(
  workspace: Deps['workspace'],
  clusters: readonly MeshCluster[],
  known: string | undefined,
): Promise<Pick<RootKeyFacts, 'copies' | 'encrypted'>> {
  const directories = clusters.map(({name}) => name);
  const spkisIn = (path: string): Promise<readonly string[]> => publicKeysIn(workspace, path);
  const [roots, signing, own] = [new Set(await spkisIn(layout.rootCert)), new Set<string>(), new Set<string>()];
  const topLevel = (await keyFilesIn(workspace, '.')).filter(({path}) => path !== known);
  const files = [...topLevel];
  for (const directory of directories) {
    const paths = clusterLayout(directory);
    for (const spki of await spkisIn(paths.rootCert)) roots.add(spki);
    for (const spki of await spkisIn(paths.certChain)) signing.add(spki);
    for (const spki of await spkisIn(paths.caCert)) own.add(spki);
    files.push(...(await keyFilesIn(workspace, directory)));
  }
  // A cluster's CA key must be unencrypted: istiod cannot read an encrypted one. MESH110 checks that it is not a
  // root's.
  const checkedElsewhere = new Set([known, ...directories.map((directory) => clusterLayout(directory).caKey)]);
  const encrypted = topLevel.flatMap(({path, encryptions: [first, ...rest]}) => {
    if (!first) return [];
    const weak = [first, ...rest].find((one) => one.weak);
    return [weak ? {path, weakness: `${weak.cipher} and ${weak.kdf}`} : {path}];
  });
  const copies = files.flatMap(({path, clear, alone}): NonNullable<RootKeyFacts['copies']> => {
    if (checkedElsewhere.has(path)) return [];
    // A cluster CA is the first certificate in its chain; a copy of its key under another name cannot sign for the
    // mesh.
    const of = clear.some((spki) => roots.has(spki))
      ? ('root' as const)
      : clear.some((spki) => signing.has(spki) && !own.has(spki))
        ? ('signing CA' as const)
        : undefined;
    return of === undefined ? [] : [{path, of, alone}];
  });
  return {...(copies.length > 0 && {copies}), ...(encrypted.length > 0 && {encrypted})};
}

/** The files of the layout that are public: they are committed to git or sent to clusters. */
export function publicFiles(clusters: readonly MeshCluster[]): readonly KeyInPublicFile[] {
  const ofClusters = clusters.flatMap(({name}) => {
    const {caCert, rootCert, certChain, caCrl, installYaml, crossNetworkGateway, requestCsr} = clusterLayout(name);
    const paths = [caCert, rootCert, certChain, caCrl, installYaml, crossNetworkGateway, requestCsr];
    return paths.map((path) => ({path, cluster: name}));
  });
  return [{path: layout.meshYaml}, {path: layout.rootCert}, ...ofClusters];
}

/** The public files that contain a private key: as PEM, or in any other form in the text. */
export async function findKeysInPublicFiles(
  workspace: Deps['workspace'],
  clusters: readonly MeshCluster[],
): Promise<readonly KeyInPublicFile[]> {
  const found: KeyInPublicFile[] = [];
  // In sequence, as above.
  for (const file of publicFiles(clusters)) {
    const text = await workspace.readText(file.path);
    if (text !== undefined && containsKey(text)) found.push(file);
  }
  return found;
}

/** SHA-256 of the public keys of a file's certificates; empty if there is no file, or no certificate can be parsed. */
export async function publicKeysIn(workspace: Deps['workspace'], path: string): Promise<readonly string[]> {
  const text = await workspace.readText(path);
  return text === undefined ? [] : readableCertificates(text, path).map(({spki}) => spki);
}
