/**
 * Names in the work directory (docs/work-directory.md): Istio's own layout, as `tools/certs/Makefile.selfsigned.mk` of istio/istio
 * makes it, plus our declarations. Paths are relative to the work directory, with `/`. The only place that knows them.
 */

/** Files of the work directory itself. */
export const layout = {
  /** The mesh, declared. */
  meshYaml: 'mesh.yaml',
  /** `{CLUSTER: CONTEXT}`: this person's own context names; not in git. */
  contextsYaml: 'contexts.yaml',
  gitignore: '.gitignore',
  rootCert: 'root-cert.pem',
  /** Encrypted, unless `--no-passphrase` was said. */
  rootKey: 'root-key.pem',
  /** Append-only, hash-chained record of every change. */
  journal: 'journal.jsonl',
  /** Which chain of the journal this copy of the work directory continues, and its newest entry; not in git. */
  journalHead: '.journal-head.json',
  /** The one writer's lock. */
  lock: '.kubectl-mesh.lock',
  /** A set of files on its way, here or in a cluster's folder. */
  pending: '.pending',
} as const;

/** What a broken journal is called once it was put aside. `when`: a moment without colons. */
export function archivedJournalName(when: string): string {
  return `journal.broken-${when}.jsonl`;
}

/** What `.journal-head.json` is called beside the broken journal that it was put aside with. */
export function archivedHeadName(when: string): string {
  return `journal.broken-${when}.head.json`;
}

/** Of a file of the work directory that belongs to a journal that was put aside: when that was, as its name says it. */
export function archivedAt(name: string): string | undefined {
  return /^journal\.broken-(.*)\.(?:jsonl|head\.json)$/.exec(name)?.[1];
}

/** The paths of one cluster's folder. The name must have passed `parseClusterName`. */
export function clusterLayout(name: string) {
  return {
    directory: name,
    /** The four files of secret `cacerts`, by istiod's names (istio/istio pilot/pkg/bootstrap/istio_ca.go). */
    caCert: `${name}/ca-cert.pem`,
    caKey: `${name}/ca-key.pem`,
    rootCert: `${name}/root-cert.pem`,
    certChain: `${name}/cert-chain.pem`,
    /** Revocation lists, where the mesh revokes CAs: optional, and nobody but a person makes them. */
    caCrl: `${name}/ca-crl.pem`,
    /** What `install apply` applies. */
    installYaml: `${name}/install.yaml`,
    /** Of `certs request`, until `certs import` moves the key. */
    requestKey: `${name}/request/ca-key.pem`,
    requestCsr: `${name}/request/ca.csr`,
  };
}
export type ClusterLayout = Readonly<ReturnType<typeof clusterLayout>>;

/** The folder of a cluster's workload certificates. */
export function workloadsDirectory(cluster: string): string {
  return `${cluster}/workloads`;
}

/**
 * The paths of one workload certificate, by the names that Istio's agent gives them (OUTPUT_CERTS) and reads (PROV_CERT).
 * The names must have passed `parseWorkloadName`.
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

/**
 * What git must not see: keys (the Makefiles' and workloads' names too), this person's contexts, the lock, and what a
 * run has under way. Certificates, mesh.yaml, install.yaml and journal.jsonl are meant to be committed.
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
