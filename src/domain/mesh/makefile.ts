/**
 * Work directories made by Istio's own Makefiles: which files are copied so that they are istiod's names, and what the
 * Makefiles got wrong. Pure: folders in, copies and faults out.
 *
 * Sources: istio/istio tools/certs/Makefile at 1.6.14 (`NAME-certs`) and 1.7.8 (`NAME-cacerts-selfSigned`,
 * `NAME-cacerts-k8s`), tools/certs/Makefile.selfsigned.mk and Makefile.k8s.mk since 1.8 (`NAME-cacerts`).
 */
import {advice, fixWith, type Hint, inWorkDir} from '../suggest/suggestion.js';
import {groupBy} from '../group-by.js';
import {clusterLayout, layout} from './layout.js';

/** One file, as far as it is looked at here. */
export interface FoundFile {
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** Text of a certificate file; keys are not read. */
  readonly text?: string;
}

/** A folder by the names of its files. */
export type Folder = ReadonlyMap<string, FoundFile>;

/** What stands in a work directory. */
export interface MakefileFacts {
  readonly root: Folder;
  /** By name: every folder whose name can be a cluster's and that holds files of a CA. */
  readonly clusters: ReadonlyMap<string, Folder>;
}

/** A file to copy; the original stays as it is. */
export interface Copy {
  readonly from: string;
  readonly to: string;
  /** A private key: read, carried and written as one. */
  readonly secret: boolean;
}

/** What a Makefile got wrong. */
export interface MakefileFault {
  readonly cluster?: string | undefined;
  readonly message: string;
  /** What to do about it. */
  readonly hint: Hint;
}

/** Which Makefile made a cluster's folder; `istiod`: its files have istiod's names (1.6, 1.7 with k8s, 1.8 and later). */
export type MakefileVariant = 'selfSigned' | 'istiod';

// 1.7.8 `NAME-cacerts-selfSigned` writes these; root-cert.pem has its right name already.
const selfSignedNames = [
  {from: 'selfSigned-ca-key.pem', to: 'ca-key.pem', secret: true},
  {from: 'selfSigned-ca-cert.pem', to: 'ca-cert.pem', secret: false},
  {from: 'selfSigned-ca-cert-chain.pem', to: 'cert-chain.pem', secret: false},
] as const;

// `fetch-root-ca` and the k8s targets keep the root under these names.
const k8sRoot = [
  {from: 'k8s-root-key.pem', to: layout.rootKey, secret: true},
  {from: 'k8s-root-cert.pem', to: layout.rootCert, secret: false},
] as const;

const istiodNames = ['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem'];
const traces = ['root-ca.conf', 'root-cert.csr', 'root-cert.srl', 'k8s-root-cert.pem', 'k8s-root-key.pem'];
const clusterTraces = ['intermediate.conf', 'cluster-ca.csr', 'selfSigned-ca-cert.pem', 'selfSigned-cluster-ca.csr'];

/** Names of certificate files whose text the rules below compare. */
export const comparedFiles = [...selfSignedNames, ...k8sRoot]
  .filter(({secret}) => !secret)
  .flatMap(({from, to}): string[] => [from, to])
  .concat('root-cert.pem');

/**
 * Which Makefile made a folder; undefined when it holds no cluster CA. The targets for virtual machines leave a CA too,
 * in a folder named for a namespace, but no chain of it.
 */
export function makefileVariant(folder: Folder): MakefileVariant | undefined {
  if (folder.has('ca-cert.pem')) {
    return folder.has('workload-cert.pem') && !folder.has('cert-chain.pem') ? undefined : 'istiod';
  }
  if (!folder.has('selfSigned-ca-cert.pem')) return undefined;
  const forMachine = folder.has('selfSigned-workload-cert.pem') && !folder.has('selfSigned-ca-cert-chain.pem');
  return forMachine ? undefined : 'selfSigned';
}

/** Whether a Makefile of Istio was at work here. */
export function isMakefileLayout(facts: MakefileFacts): boolean {
  return (
    traces.some((name) => facts.root.has(name)) ||
    [...facts.clusters.values()].some((folder) => clusterTraces.some((name) => folder.has(name)))
  );
}

/** What to copy so that the directory has the names that istiod and this program know. Nothing is overwritten. */
export function makefileCopies({root, clusters}: MakefileFacts): readonly Copy[] {
  const ofClusters = [...clusters].filter(([, folder]) => canCopy(folder, selfSignedNames));
  return [
    ...(canCopy(root, k8sRoot) ? k8sRoot : []),
    ...ofClusters.flatMap(([cluster]) =>
      selfSignedNames.map(({from, to, secret}) => ({
        from: `${cluster}/${from}`,
        to: `${cluster}/${to}`,
        secret,
      })),
    ),
  ];
}

/** Whether a set of files is there whole, and none of the names it is copied to is taken. */
function canCopy(folder: Folder, names: readonly {readonly from: string; readonly to: string}[]): boolean {
  return names.every(({from, to}) => (folder.get(from)?.size ?? 0) > 0 && !folder.has(to));
}

/** Everything that a Makefile got wrong here, and that certificates and keys do not say when read one by one. */
export function makefileFaults({root, clusters}: MakefileFacts): readonly MakefileFault[] {
  const files = [
    ...[...root].map(([name, file]) => ({...file, path: name})),
    ...[...clusters].flatMap(([cluster, folder]) =>
      [...folder].map(([name, file]) => ({...file, cluster, path: `${cluster}/${name}`})),
    ),
  ];
  return [
    ...files.flatMap(emptyFile),
    ...files.flatMap(readableKey),
    ...missingRootKey(root, clusters),
    ...splitRoots(root, clusters),
    ...[...clusters].flatMap(([name, folder]) => clusterFaults(name, folder)),
  ];
}

/** A file by its path, and the cluster in whose folder it is. */
type LocatedFile = FoundFile & {readonly cluster?: string; readonly path: string};

/** `kubectl | base64` hides a failure: a secret that is not there becomes a file without content, which make keeps. */
function emptyFile({cluster, path, size}: LocatedFile): readonly MakefileFault[] {
  if (size > 0 || !path.endsWith('.pem')) return [];
  const message = `${path} is empty: the Makefile did not notice that fetching or signing failed`;
  return [{cluster, message, hint: advice`${fixWith.run('rm', [inWorkDir(path)])}, and make it again`}];
}

/** openssl genrsa writes keys 0600; the k8s targets write the root key by a shell redirection, 0644. */
function readableKey({cluster, path, mode}: LocatedFile): readonly MakefileFault[] {
  if (!path.endsWith('key.pem') || (mode & 0o077) === 0) return [];
  const message = `${path} can be read by others (mode ${mode.toString(8).padStart(4, '0')})`;
  const chmod = fixWith.run('chmod', ['600', inWorkDir(path)]);
  return [{cluster, message, hint: advice`${chmod}; whoever could read it may have a copy`}];
}

/** `make clean`, which 1.7.8 runs at the end of each target, removes the root key beside a Makefile. */
function missingRootKey(root: Folder, clusters: MakefileFacts['clusters']): readonly MakefileFault[] {
  if (root.has(layout.rootKey) || root.has('k8s-root-key.pem') || clusters.size === 0) return [];
  const message = `${layout.rootKey} is not here: no further cluster CA can be signed by this root ("make clean" removes it)`;
  return [{message, hint: 'put the root key back from a copy, or plan a new root for all clusters'}];
}

/** After `make clean` the next NAME-cacerts makes a new root and signs only that cluster's CA with it. */
function splitRoots(root: Folder, clusters: MakefileFacts['clusters']): readonly MakefileFault[] {
  const all = [
    {path: layout.rootCert, file: root.get(layout.rootCert) ?? root.get('k8s-root-cert.pem')},
    ...[...clusters].map(([name, folder]) => ({
      path: clusterLayout(name).rootCert,
      file: folder.get('root-cert.pem'),
    })),
  ];
  const found = all.filter(({file}) => file?.text !== undefined && file.text.trim() !== '');
  const roots = [...groupBy(found, ({file}) => file?.text?.replace(/\s+/g, '')).values()];
  if (roots.length < 2) return [];
  const list = roots.map((files) => files.map(({path}) => path).join(' and ')).join(' / ');
  const message = `these have different roots: ${list}. Workloads of one will not trust those of the other`;
  return [{message, hint: 'decide for one root, and make the other clusters anew under it'}];
}

function clusterFaults(cluster: string, folder: Folder): readonly MakefileFault[] {
  const flavour = makefileVariant(folder);
  if (flavour === undefined) return [];
  const old = folder.get('selfSigned-ca-cert.pem')?.text;
  const taken = folder.get('ca-cert.pem')?.text;
  if (old !== undefined && taken !== undefined && old !== taken) {
    const message = `${cluster} has two CAs: ca-cert.pem and selfSigned-ca-cert.pem differ`;
    return [{cluster, message, hint: 'ca-cert.pem is used; move the files of the other one away'}];
  }
  const needed = flavour === 'istiod' ? istiodNames : [...selfSignedNames.map(({from}) => from), 'root-cert.pem'];
  const missing = needed.filter((file) => !folder.has(file));
  if (missing.length === 0) return [];
  const message = `${cluster} lacks ${missing.join(', ')}: the Makefile stopped half way`;
  return [{cluster, message, hint: 'run its target again'}];
}
