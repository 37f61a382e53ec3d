/**
 * Work directories created by Istio's Makefiles: returns the files to copy to istiod's names, and the faults that the
 * Makefiles caused. Pure.
 *
 * Sources: istio/istio tools/certs/Makefile at 1.6.14 (`NAME-certs`) and 1.7.8 (`NAME-cacerts-selfSigned`,
 * `NAME-cacerts-k8s`), tools/certs/Makefile.selfsigned.mk and Makefile.k8s.mk since 1.8 (`NAME-cacerts`).
 */
import {
  advice,
  type Advice,
  fixWith,
  type Hint,
  inWorkDir,
  kubectlMesh,
  sequence,
  words,
} from '../suggest/suggestion.js';
import {groupBy} from '../group-by.js';
import {clusterLayout, layout} from './layout.js';
import {dnsLabelRule, explainInvalid, istioNamePattern, suggestName} from './names.js';

/** The parts of a file that are read here. */
export interface FoundFile {
  readonly size: number;
  /** Permission bits. */
  readonly mode: number;
  /** The text of a certificate file. Keys are not read. */
  readonly text?: string;
}

/** The files in a directory, by name. */
export type DirectoryFiles = ReadonlyMap<string, FoundFile>;

/** The files in a work directory. */
export interface MakefileFacts {
  readonly root: DirectoryFiles;
  /** Every directory with CA files whose name is a valid cluster name, by name. */
  readonly clusters: ReadonlyMap<string, DirectoryFiles>;
  /**
   * The paths of other directories with CA files, whose names are not valid cluster names. The Makefiles create one for any
   * NAME, also for `team/a` (`%-cacerts`).
   */
  readonly skipped: ReadonlyMap<string, DirectoryFiles>;
}

/** A file to copy. The original is not changed. */
export interface Copy {
  readonly from: string;
  readonly to: string;
  /** Whether the file is a private key, which is read and written as one. */
  readonly secret: boolean;
}

/** A fault that a Makefile caused. */
export interface MakefileFault {
  readonly cluster?: string | undefined;
  readonly message: string;
  /** How to fix it. */
  readonly hint: Hint;
}

/** The Makefile that created a cluster's directory. `istiod`: the files have istiod's names (1.6, 1.7 with k8s, 1.8 and later). */
export type MakefileVariant = 'selfSigned' | 'istiod';

// The files of `NAME-cacerts-selfSigned` in 1.7.8; root-cert.pem already has the correct name.
const selfSignedNames = [
  {from: 'selfSigned-ca-key.pem', to: 'ca-key.pem', secret: true},
  {from: 'selfSigned-ca-cert.pem', to: 'ca-cert.pem', secret: false},
  {from: 'selfSigned-ca-cert-chain.pem', to: 'cert-chain.pem', secret: false},
] as const;

// `fetch-root-ca` and the k8s targets store the root with these names.
const k8sRoot = [
  {from: 'k8s-root-key.pem', to: layout.rootKey, secret: true},
  {from: 'k8s-root-cert.pem', to: layout.rootCert, secret: false},
] as const;

const istiodNames = ['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem'];
const traces = ['root-ca.conf', 'root-cert.csr', 'root-cert.srl', 'k8s-root-cert.pem', 'k8s-root-key.pem'];
const clusterTraces = ['intermediate.conf', 'cluster-ca.csr', 'selfSigned-ca-cert.pem', 'selfSigned-cluster-ca.csr'];

/** The certificate files whose text is compared below. */
export const comparedFiles = [...selfSignedNames, ...k8sRoot]
  .filter(({secret}) => !secret)
  .flatMap(({from, to}): string[] => [from, to])
  .concat('root-cert.pem');

/**
 * Returns which Makefile created a directory; undefined if it contains no cluster CA. The targets for virtual machines also
 * create a CA, in a directory named after a namespace, but without its chain.
 */
export function makefileVariant(directory: DirectoryFiles): MakefileVariant | undefined {
  if (directory.has('ca-cert.pem')) {
    return directory.has('workload-cert.pem') && !directory.has('cert-chain.pem') ? undefined : 'istiod';
  }
  if (!directory.has('selfSigned-ca-cert.pem')) return undefined;
  const isForVm = directory.has('selfSigned-workload-cert.pem') && !directory.has('selfSigned-ca-cert-chain.pem');
  return isForVm ? undefined : 'selfSigned';
}

/** Reports whether a directory contains files of a root that only Istio's Makefiles leave. */
export function hasTraces(root: DirectoryFiles): boolean {
  return traces.some((name) => root.has(name));
}

/** Reports whether one of Istio's Makefiles created the work directory. */
export function isMakefileLayout(facts: MakefileFacts): boolean {
  return (
    hasTraces(facts.root) ||
    [...facts.clusters.values(), ...facts.skipped.values()].some((directory) =>
      clusterTraces.some((name) => directory.has(name)),
    )
  );
}

/** Returns the files to copy so that the work directory has the names of istiod and this program. Nothing is overwritten. */
export function makefileCopies({root, clusters}: MakefileFacts): readonly Copy[] {
  const ofClusters = [...clusters].filter(([, directory]) => canCopy(directory, selfSignedNames));
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

/** Reports whether all files exist, and none of the names to which they are copied. */
function canCopy(directory: DirectoryFiles, names: readonly {readonly from: string; readonly to: string}[]): boolean {
  return names.every(({from, to}) => (directory.get(from)?.size ?? 0) > 0 && !directory.has(to));
}

/** Returns the warning about each skipped directory, with the commands that add its cluster. `taken`: the names in use. */
export function skippedDirectories(
  {skipped}: Pick<MakefileFacts, 'skipped'>,
  taken: readonly string[],
): readonly Advice[] {
  const used = new Set(taken);
  return [...skipped.keys()].map((path) => {
    const what = `${path}/ contains a cluster CA, but is not a valid cluster name: ${explainInvalid(path)}`;
    const name = freeName(path, used);
    if (name === undefined || !istioNamePattern.test(path)) {
      return advice`${what}; to add it, rename the directory to the cluster's name, which must be ${dnsLabelRule}`;
    }
    used.add(name);
    const add = sequence(
      fixWith.run('mv', [inWorkDir(path), inWorkDir(name)]),
      kubectlMesh('init', words`${name} --istio-name ${name}=${path}`),
    );
    return advice`${what}; to add it as cluster "${name}" that keeps its name in Istio: ${add}`;
  });
}

/** A valid name similar to an invalid one, and not in use. */
function freeName(path: string, used: ReadonlySet<string>): string | undefined {
  const name = suggestName(path);
  if (name === undefined || !used.has(name)) return name;
  const numbered = [2, 3, 4, 5, 6, 7, 8, 9].map((number) => `${name.slice(0, 61)}-${String(number)}`);
  return numbered.find((one) => !used.has(one));
}

/** Returns the faults that a Makefile caused and that reading each certificate and key alone does not reveal. */
export function makefileFaults({root, clusters}: MakefileFacts): readonly MakefileFault[] {
  const files = [
    ...[...root].map(([name, file]) => ({...file, path: name})),
    ...[...clusters].flatMap(([cluster, directory]) =>
      [...directory].map(([name, file]) => ({...file, cluster, path: `${cluster}/${name}`})),
    ),
  ];
  return [
    ...files.flatMap(emptyFile),
    ...files.flatMap(readableKey),
    ...missingRootKey(root, clusters),
    ...splitRoots(root, clusters),
    ...[...clusters].flatMap(([name, directory]) => clusterFaults(name, directory)),
  ];
}

/** A file with its path and the cluster of its directory. */
type LocatedFile = FoundFile & {readonly cluster?: string; readonly path: string};

/** `kubectl | base64` hides a failure: for a missing Secret it creates an empty file, which make keeps. */
function emptyFile({cluster, path, size}: LocatedFile): readonly MakefileFault[] {
  if (size > 0 || !path.endsWith('.pem')) return [];
  const message = `${path} is empty: the Makefile did not detect that fetching or signing failed`;
  const remove = fixWith.run('rm', [inWorkDir(path)]);
  return [{cluster, message, hint: advice`remove it and run the Makefile target again: ${remove}`}];
}

/** openssl genrsa creates keys with mode 0600; the k8s targets write the root key through a shell redirection, mode 0644. */
function readableKey({cluster, path, mode}: LocatedFile): readonly MakefileFault[] {
  if (!path.endsWith('key.pem') || (mode & 0o077) === 0) return [];
  const message = `${path} is readable by other users (mode ${mode.toString(8).padStart(4, '0')})`;
  const chmod = fixWith.run('chmod', ['600', inWorkDir(path)]);
  return [{cluster, message, hint: advice`restrict its mode, and note that other users may have a copy: ${chmod}`}];
}

/** `make clean`, which 1.7.8 runs at the end of each target, removes the root key in the Makefile's directory. */
function missingRootKey(root: DirectoryFiles, clusters: MakefileFacts['clusters']): readonly MakefileFault[] {
  if (root.has(layout.rootKey) || root.has('k8s-root-key.pem') || clusters.size === 0) return [];
  const message = `${layout.rootKey} not found: this root cannot sign further cluster CAs ("make clean" removes the key)`;
  return [{message, hint: 'restore the root key from a backup, or plan a new root for all clusters'}];
}

/** After `make clean`, the next NAME-cacerts creates a new root and signs only that cluster's CA with it. */
function splitRoots(root: DirectoryFiles, clusters: MakefileFacts['clusters']): readonly MakefileFault[] {
  const all = [
    {path: layout.rootCert, file: root.get(layout.rootCert) ?? root.get('k8s-root-cert.pem')},
    ...[...clusters].map(([name, directory]) => ({
      path: clusterLayout(name).rootCert,
      file: directory.get('root-cert.pem'),
    })),
  ];
  const found = all.filter(({file}) => file?.text !== undefined && file.text.trim() !== '');
  const roots = [...groupBy(found, ({file}) => file?.text?.replace(/\s+/g, '')).values()];
  if (roots.length < 2) return [];
  const list = roots.map((files) => files.map(({path}) => path).join(' and ')).join(' / ');
  const message = `different roots: ${list}; workloads under one root do not trust those under another`;
  return [{message, hint: 'choose one root, and issue the CAs of the other clusters again under it'}];
}

function clusterFaults(cluster: string, directory: DirectoryFiles): readonly MakefileFault[] {
  const variant = makefileVariant(directory);
  if (variant === undefined) return [];
  const old = directory.get('selfSigned-ca-cert.pem')?.text;
  const current = directory.get('ca-cert.pem')?.text;
  if (old !== undefined && current !== undefined && old !== current) {
    const message = `${cluster} has two CAs: ca-cert.pem and selfSigned-ca-cert.pem differ`;
    return [{cluster, message, hint: 'ca-cert.pem is used; move the selfSigned-* files to another directory'}];
  }
  const needed = variant === 'istiod' ? istiodNames : [...selfSignedNames.map(({from}) => from), 'root-cert.pem'];
  const missing = needed.filter((file) => !directory.has(file));
  if (missing.length === 0) return [];
  const message = `${cluster}/ is incomplete: ${missing.join(', ')} not found; the Makefile did not finish`;
  return [{cluster, message, hint: 'run the Makefile target again'}];
}
