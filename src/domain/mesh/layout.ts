/**
 * Names in the work directory (docs/work-directory.md): the layout of Istio's `tools/certs/Makefile.selfsigned.mk`, and the
 * files of this program. Paths are relative to the work directory and use `/`. No other file contains these names.
 */

import {isClusterName} from './names.js';
import {isWorkloadName} from './workload-name.js';

/** Files in the top level of the work directory. */
export const layout = {
  /** The declaration of the mesh. */
  meshYaml: 'mesh.yaml',
  /** `{CLUSTER: CONTEXT}`: this user's context names; not in git. */
  contextsYaml: 'contexts.yaml',
  gitignore: '.gitignore',
  rootCert: 'root-cert.pem',
  /** Encrypted, unless created with `--no-passphrase`. */
  rootKey: 'root-key.pem',
  /** The append-only, hash-chained journal of all changes. */
  journal: 'journal.jsonl',
  /** The journal chain that this copy of the work directory continues, and its newest entry; not in git. */
  journalHead: '.journal-head.json',
  /** The lock, which permits only one writer. */
  lock: '.kubectl-mesh.lock',
  /** A set of files that is being written, here or in a cluster's directory. */
  pending: '.pending',
} as const;

/** Returns the name of an archived broken journal. `when`: a timestamp without colons. */
export function archivedJournalName(when: string): string {
  return `journal.broken-${when}.jsonl`;
}

/** Returns the name of the `.journal-head.json` that was archived with a broken journal. */
export function archivedHeadName(when: string): string {
  return `journal.broken-${when}.head.json`;
}

/** Returns the timestamp in the name of a file that belongs to an archived journal; undefined for other files. */
export function archivedAt(name: string): string | undefined {
  return /^journal\.broken-(.*)\.(?:jsonl|head\.json)$/.exec(name)?.[1];
}

/** Returns the paths in a cluster's directory. The name must be validated with `parseClusterName`. */
export function clusterLayout(name: string) {
  return {
    directory: name,
    /** The four files of Secret `cacerts`, with istiod's names (istio/istio pilot/pkg/bootstrap/istio_ca.go). */
    caCert: `${name}/ca-cert.pem`,
    caKey: `${name}/ca-key.pem`,
    rootCert: `${name}/root-cert.pem`,
    certChain: `${name}/cert-chain.pem`,
    /** Optional revocation lists of the mesh's CAs. This program never creates them. */
    caCrl: `${name}/ca-crl.pem`,
    /** The document that `install apply` applies. */
    installYaml: `${name}/install.yaml`,
    /** The objects of the east-west gateway that `install apply` applies afterwards, in a mesh with several networks. */
    crossNetworkGateway: `${name}/cross-network-gateway.yaml`,
    /** Created by `certs request`, until `certs import` moves the key. */
    requestKey: `${name}/request/ca-key.pem`,
    requestCsr: `${name}/request/ca.csr`,
  };
}
export type ClusterLayout = Readonly<ReturnType<typeof clusterLayout>>;

/** Returns the path under which an edited copy of a rendered file is kept, by its SHA-256 in hex. */
export function keptFile(path: string, sha256: string): string {
  return path.replace(/\.yaml$/, `.edited-${sha256.slice(0, 8)}.yaml`);
}

/** Paths of {@link keptFile}, below a cluster's directory. */
const keptFilePattern = /^(?:install|cross-network-gateway)\.edited-[0-9a-f]{8}\.yaml$/;

/** Returns the directory of a cluster's workload certificates. */
export function workloadsDirectory(cluster: string): string {
  return `${cluster}/workloads`;
}

/**
 * Returns the paths of a workload certificate, with the names that Istio's agent writes (OUTPUT_CERTS) and reads (PROV_CERT).
 * The names must be validated with `parseWorkloadName`.
 */
export function workloadLayout(cluster: string, namespace: string, serviceAccount: string) {
  const directory = `${workloadsDirectory(cluster)}/${namespace}/${serviceAccount}`;
  return {
    directory,
    key: `${directory}/key.pem`,
    certChain: `${directory}/cert-chain.pem`,
    rootCert: `${directory}/root-cert.pem`,
  };
}
export type WorkloadLayout = Readonly<ReturnType<typeof workloadLayout>>;

/** Whether a path is one of the layout. */
export function isLayoutPath(path: string): boolean {
  const [top = '', ...rest] = path.split('/');
  if (rest.length === 0) return Object.values(layout).some((name) => name === top);
  if (!isClusterName(top)) return false;
  if (Object.values(clusterLayout(top)).includes(path) || keptFilePattern.test(rest.join('/'))) return true;
  const [, namespace = '', serviceAccount = ''] = rest;
  return (
    isWorkloadName({namespace, serviceAccount}) &&
    Object.values(workloadLayout(top, namespace, serviceAccount)).includes(path)
  );
}

/** The files of {@link layout} that are not written as part of a set. */
const neverInSets: readonly string[] = [layout.journal, layout.journalHead, layout.lock, layout.pending];

/** Whether a path is one of the layout that this program writes as part of a set. */
export function isSetPath(path: string): boolean {
  return isLayoutPath(path) && !neverInSets.includes(path);
}

/**
 * Files that must not be committed: keys (including those of Makefiles and workloads), this user's contexts, the lock, and
 * files that a run is writing. Certificates, mesh.yaml, install.yaml and journal.jsonl are meant to be committed.
 */
export const gitignorePatterns: readonly string[] = [
  '*key.pem',
  '*.key',
  layout.contextsYaml,
  layout.journalHead,
  `${layout.lock}*`,
  `${layout.pending}/`,
  '*.kubectl-mesh-tmp',
];
