/**
 * What istiod's CA counts: istio/istio security/pkg/server/ca/{monitoring,server}.go. Counters are there only once they
 * have counted, and begin again with each process.
 */
import {critical, warning, counterIncrease, clusterPrefix, type RuleContext, type RuleGroup} from '../rule.js';

const window = '15m';
/** A few refusals are what strangers make of it: scanners, a pod without a token. */
const minRejections = 3;

const requests = 'citadel_server_csr_count';
const issued = 'citadel_server_success_cert_issuance_count';
const unsigned = 'citadel_server_csr_sign_err_count';
const unauthenticated = 'citadel_server_authentication_failure_count';

/** Of each istiod by itself: one that fails does not hide behind one that works. */
function perPod(context: RuleContext, family: string): string {
  return `sum by (${context.clusterLabel}, instance) (${counterIncrease(context, context.istiod(family), window)})`;
}

const log =
  'kubectl -n istio-system logs deployment/istiod | grep -i -e "CSR signing error" -e authenticat says why; kubectl mesh verify --only MESH3 judges the CA.';

/** Rules about issuing. */
export const signingRules: RuleGroup = {
  name: 'kubectl-mesh.istiod-signing',
  source: 'istiod',
  requiresIstiodCa: true,
  rules: [
    warning('IstiodSigningFails', '5m', {
      expr: (context) =>
        `sum by (${context.clusterLabel}, error) (${counterIncrease(context, context.istiod(unsigned), window)}) > 0`,
      summary: ({clusterLabel}) =>
        `${clusterPrefix(clusterLabel)}istiod could not sign {{ humanize $value }} certificate requests in ${window} ({{ $labels.error }})`,
      description: () =>
        `TTL_ERROR: a proxy asks for more than MAX_WORKLOAD_CERT_TTL. CSR_ERROR: a request that cannot be read. CA_NOT_READY, CERT_GEN_ERROR: the CA itself. ${log}`,
    }),
    critical('IstiodIssuesNothing', '10m', {
      expr: (context) =>
        `${perPod(context, requests)} >= ${String(minRejections)}\nunless ${perPod(context, issued)} > 0`,
      summary: ({clusterLabel}) =>
        `${clusterPrefix(clusterLabel)}istiod {{ $labels.instance }} got {{ humanize $value }} certificate requests in ${window} and issued nothing`,
      description: () =>
        `Workloads that ask this istiod get no certificate: new ones do not start, running ones stop when theirs ends. ${log}`,
    }),
    warning('IstiodRefusesCallers', '10m', {
      expr: (context) =>
        [
          `${perPod(context, unauthenticated)} >= ${String(minRejections)}`,
          `and ${perPod(context, unauthenticated)} > 0.5 * ${perPod(context, requests)}`,
          // Where nothing at all is issued, the other alert says so.
          `and ${perPod(context, issued)} > 0`,
        ].join('\n'),
      summary: ({clusterLabel}) =>
        `${clusterPrefix(clusterLabel)}istiod {{ $labels.instance }} refused {{ humanize $value }} callers in ${window}, most of those who asked`,
      description: () =>
        `It could not tell who they are: tokens of another cluster (a wrong clusterName), of another audience, or ended. ${log}`,
    }),
  ],
};
