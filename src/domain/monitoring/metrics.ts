/**
 * The metrics of this program and the values of their labels `role` and `source`. `certs list -o prometheus` writes them, and
 * alert rules use them. Names follow prometheus.io/docs/practices/naming: a prefix, base units, `_timestamp_seconds` for
 * times, `_total` for counters only (there are none, because every run rewrites the textfile).
 */

/** A metric family. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge';
}

const gauge = (name: string, help: string): MetricFamily => ({name: `kubectl_mesh_${name}`, help, type: 'gauge'});

/** All families, in the order of docs/monitoring.md. */
export const metricFamilies = {
  lastRun: gauge(
    'last_run_timestamp_seconds',
    'When these metrics were written. An old value means that kubectl mesh is no longer run.',
  ),
  notAfter: gauge('certificate_not_after_timestamp_seconds', 'When a certificate of the mesh expires.'),
  notBefore: gauge('certificate_not_before_timestamp_seconds', 'When a certificate of the mesh becomes valid.'),
  inUse: gauge(
    'certificate_in_use',
    "Whether the certificate is in workloads' chains: 1 means that its expiry causes an outage.",
  ),
  nextRenewal: gauge(
    'next_renewal_timestamp_seconds',
    'When the first certificate that a cluster depends on reaches trust.expiry.warn of mesh.yaml.',
  ),
  firstOutage: gauge(
    'first_outage_timestamp_seconds',
    'When the first certificate that a cluster depends on expires, and its workloads fail.',
  ),
  rootAgrees: gauge(
    'root_agrees',
    "Whether all clusters with known roots accept certificates signed by this cluster's CA.",
  ),
  reachable: gauge(
    'cluster_reachable',
    "Whether a cluster's API server responded and has the UID in mesh.yaml. Only with --live.",
  ),
  readable: gauge(
    'source_readable',
    'Whether everything could be read from a source: the work directory, the objects of a cluster, or its running istiods.',
  ),
  reportedCaExpiry: gauge(
    'istiod_reported_ca_not_after_timestamp_seconds',
    'When the CA that an istiod has loaded expires, according to its metrics. Only with --live.',
  ),
  reportedRootExpiry: gauge(
    'istiod_reported_root_not_after_timestamp_seconds',
    'When the first root that an istiod has loaded expires, according to its metrics. Only with --live.',
  ),
} as const satisfies Record<string, MetricFamily>;

/** A certificate's role in the mesh. `istiod`: the certificate that istiod presents to proxies. */
export type CertificateRole = 'root' | 'cluster CA' | 'intermediate' | 'other root' | 'istiod';

/** The source of an observation: files, API objects, or connections to a running istiod and its metrics. */
export type Source = 'workdir' | 'cluster' | 'live';

/** The roles in order of issuance: if certificates expire at the same time, the first one must be replaced. */
const depth: readonly CertificateRole[] = ['root', 'other root', 'intermediate', 'cluster CA', 'istiod'];

/** Compares certificates by role, roots first. */
export function byDepth(one: {readonly role: CertificateRole}, other: {readonly role: CertificateRole}): number {
  return depth.indexOf(one.role) - depth.indexOf(other.role);
}
