/**
 * The counters of istiod's CA: istio/istio security/pkg/server/ca/{monitoring,server}.go. A counter exists only after its
 * first increment, and restarts with each process.
 */
import {critical, warning, counterIncrease, clusterPrefix, type RuleContext, type RuleGroup} from '../rule.js';

const window = '15m';
/** Fewer rejections are ignored: scanners or a pod without a token cause them. */
const minRejections = 3;

const requests = 'citadel_server_csr_count';
const issued = 'citadel_server_success_cert_issuance_count';
const unsigned = 'citadel_server_csr_sign_err_count';
const unauthenticated = 'citadel_server_authentication_failure_count';

/** Aggregates by istiod pod, so that a working one does not hide a failing one. */
function perPod(context: RuleContext, family: string): string {
  return `sum by (${context.clusterLabel}, instance) (${counterIncrease(context, context.istiod(family), window)})`;
}

const log =
  'kubectl -n istio-system logs deployment/istiod | grep -i -e "CSR signing error" -e authenticat shows the reason; kubectl mesh verify --only MESH3 checks the CA.';

/** Rules for certificate issuance. */
export const signingRules: RuleGroup = {
  name: 'kubectl-mesh.istiod-signing',
  source: 'istiod',
  requiresIstiodCa: true,
  rules: [
    warning('IstiodSigningFails', '5m', {
      expr: (context) =>
        `sum by (${context.clusterLabel}, error) (${counterIncrease(context, context.istiod(unsigned), window)}) > 0`,
      summary: ({clusterLabel}) =>
        `${clusterPrefix(clusterLabel)}istiod failed to sign {{ humanize $value }} certificate requests in ${window} ({{ $labels.error }})`,
      description: () =>
        `TTL_ERROR: a proxy requests more than MAX_WORKLOAD_CERT_TTL. CSR_ERROR: a request cannot be parsed. CA_NOT_READY, CERT_GEN_ERROR: a fault of the CA. ${log}`,
    }),
    critical('IstiodIssuesNothing', '10m', {
      expr: (context) =>
        `${perPod(context, requests)} >= ${String(minRejections)}\nunless ${perPod(context, issued)} > 0`,
      summary: ({clusterLabel}) =>
        `${clusterPrefix(clusterLabel)}istiod {{ $labels.instance }} received {{ humanize $value }} certificate requests in ${window} and issued no certificates`,
      description: () =>
        `Workloads get no certificates from this istiod: new ones do not start, running ones fail when their certificates expire. ${log}`,
    }),
    warning('IstiodRefusesCallers', '10m', {
      expr: (context) =>
        [
          `${perPod(context, unauthenticated)} >= ${String(minRejections)}`,
          `and ${perPod(context, unauthenticated)} > 0.5 * ${perPod(context, requests)}`,
          // If no certificates are issued, the alert above fires instead.
          `and ${perPod(context, issued)} > 0`,
        ].join('\n'),
      summary: ({clusterLabel}) =>
        `${clusterPrefix(clusterLabel)}istiod {{ $labels.instance }} rejected {{ humanize $value }} callers in ${window}, more than half of all`,
      description: () =>
        `It could not authenticate them: their tokens are from another cluster (a wrong clusterName), for another audience, or expired. ${log}`,
    }),
  ],
};
