/**
 * The metrics of this program, by name, and what their labels `role` and `source` say: what `certs list -o prometheus`
 * writes and what alert rules ask for. Names follow prometheus.io/docs/practices/naming: a prefix, base units,
 * `_timestamp_seconds` for moments, `_total` for counters only (there are none: every run writes a textfile anew).
 */

/** One family. */
export interface MetricFamily {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge';
}

const gauge = (name: string, help: string): MetricFamily => ({name: `kubectl_mesh_${name}`, help, type: 'gauge'});

/** Every family, in the order of the page. */
export const metricFamilies = {
  lastRun: gauge(
    'last_run_timestamp_seconds',
    'When these metrics were written. When it gets old, whatever runs kubectl mesh has stopped.',
  ),
  notAfter: gauge('certificate_not_after_timestamp_seconds', 'End of a certificate of the mesh.'),
  notBefore: gauge('certificate_not_before_timestamp_seconds', 'Start of the validity of a certificate of the mesh.'),
  inUse: gauge(
    'certificate_in_use',
    "Whether a workload's chain goes through the certificate: 1 means that its end is an outage.",
  ),
  nextRenewal: gauge(
    'next_renewal_timestamp_seconds',
    "When the first certificate that a cluster depends on passes mesh.yaml's trust.expiry.warn.",
  ),
  firstOutage: gauge(
    'first_outage_timestamp_seconds',
    'When the first certificate that a cluster depends on ends, and its workloads stop.',
  ),
  rootAgrees: gauge(
    'root_agrees',
    'Whether all clusters of which the roots are known accept what the CA of this cluster signs.',
  ),
  reachable: gauge(
    'cluster_reachable',
    'Whether the API server of a cluster answered, and is the one that mesh.yaml means. Only with --live.',
  ),
  readable: gauge(
    'source_readable',
    'Whether everything was seen in the work directory, in the objects of a cluster, and of its running istiods.',
  ),
  reportedCaExpiry: gauge(
    'istiod_reported_ca_not_after_timestamp_seconds',
    'End of the CA that an istiod has loaded, by its own metrics. Only with --live.',
  ),
  reportedRootExpiry: gauge(
    'istiod_reported_root_not_after_timestamp_seconds',
    'End of the first root that an istiod has loaded, by its own metrics. Only with --live.',
  ),
} as const satisfies Record<string, MetricFamily>;

/** A certificate's part in the mesh. `istiod`: what istiod itself presents to proxies. */
export type CertificateRole = 'root' | 'cluster CA' | 'intermediate' | 'other root' | 'istiod';

/** Where something was seen: in files, in the API server's objects, or on the wire and in metrics of a running istiod. */
export type Source = 'workdir' | 'cluster' | 'live';

/** Who depends on whom, the deepest first: of what ends at the same time, the first is what has to be replaced. */
const depth: readonly CertificateRole[] = ['root', 'other root', 'intermediate', 'cluster CA', 'istiod'];

/** Sorts the deepest first. */
export function byDepth(one: {readonly role: CertificateRole}, other: {readonly role: CertificateRole}): number {
  return depth.indexOf(one.role) - depth.indexOf(other.role);
}
