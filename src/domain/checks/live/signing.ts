import {sameRoots} from '../../ca/trust-store.js';
import {inAnyCase, inspectWith, pipe, words} from '../../suggest/suggestion.js';
import {istiodCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import {some} from '../../format.js';
import {restartFix} from '../fixes.js';
import type {IstiodMetrics, Part} from '../../facts/facts.js';

/**
 * Refused callers that make a pattern. A single one is what a token that has just ended looks like, or a proxy of another
 * cluster that asks while a new istiod still looks at that cluster: it asks again, and gets its certificate.
 */
const refusedCallers = 3;

/** What istiod counted since its start: whether workloads get certificates from it. */
export const signingCheck = istiodCheck({
  id: 'MESH309',
  title: 'istiod signs what it is asked to',
  severity: 'warning',
  needs: ['istiodMetrics', 'controlPlanes'],
  uses: ['pushedTrust', 'liveRoots'],
  expected: 'no certificate request that istiod could not sign',
  judge: ({istiodMetrics, controlPlanes, pushedTrust, liveRoots}, subject) => {
    if (istiodMetrics.length === 0) return notApplicable('no istiod runs here');
    const cas = istiodMetrics.filter(({value}) => value.rootEnd !== undefined || value.requests > 0);
    if (cas.length === 0) return notApplicable('no istiod here is a CA');
    const {cluster, mesh} = subject;
    // Whether an istiod that starts anew has the roots of the one that runs; false, too, where that is not known.
    const pushed = pushedTrust === 'absent' ? [] : (pushedTrust?.roots ?? []).map((fingerprint) => ({fingerprint}));
    const keepsRoots =
      liveRoots !== undefined && liveRoots !== 'elsewhere' && sameRoots(pushed, liveRoots.certificates);
    const findings = cas.map((pod): Finding | undefined => {
      const observed = trouble(pod);
      if (observed === undefined) return undefined;
      const deployment = controlPlanes.find(({workload}) =>
        workload.pods.some(({name}) => name === pod.name),
      )?.workload;
      // Counters begin again with the process; the log that says why goes with it, so it comes first.
      const why = pipe(
        inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} logs ${pod.name}`),
        inspectWith.run('grep', words`-i -e ${'CSR signing error'} -e authenticat`),
      );
      const restart = restartFix(subject, deployment?.name ?? 'istiod');
      return {observed, fix: keepsRoots ? inAnyCase(why, restart) : why};
    });
    const counts = cas.map(({name, value}) => `${name} issued ${String(value.issued)} of ${String(value.requests)}`);
    return findingsOr(findings, ok(counts.join(', ')));
  },
  meaning:
    'Since its start no istiod failed to sign a certificate request. Callers that it did not know are counted, too, and said only where it has issued nothing at all: a stranger who asks is no fault of a mesh that works.',
  breaks:
    'Workloads whose requests fail have no certificate: new ones do not start, running ones are cut off when theirs ends. CSR_ERROR and TTL_ERROR are requests that cannot be granted (a malformed one, a life above MAX_WORKLOAD_CERT_TTL), CERT_GEN_ERROR and CA_NOT_READY are istiod itself.',
  byHand:
    'kubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &\ncurl -s localhost:15014/metrics | grep -e citadel_server_csr -e citadel_server_success -e citadel_server_authentication\nkubectl --context "$CTX" -n istio-system logs "$ISTIOD_POD" | grep -e "CSR signing error" -e "authenticate failure"',
  mend: "Read why in istiod's log: the life asked for (SECRET_TTL of the proxy), a token of another cluster or trust domain, a CA that has ended. Mend that, then restart istiod: its counters begin at its start, so the finding stays until then. The command restarts it only where Secret cacerts holds the roots that it has loaded: elsewhere a restart would change the roots under running workloads, and `kubectl mesh trust diff CLUSTER` comes first.",
  source:
    'istio/istio security/pkg/server/ca/server.go (CreateCertificate), security/pkg/server/ca/monitoring.go, security/pkg/pki/error/error.go (reasons)',
});

/** What is wrong about the counts of one istiod; undefined when nothing is. */
function trouble({name, value}: Part<IstiodMetrics>): string | undefined {
  const {requests, issued, unauthenticated, signingErrors} = value;
  const errors = signingErrors.filter(({count}) => count > 0);
  const asked = `of ${String(requests)} requests since its start`;
  if (errors.length > 0) {
    const reasons = some(errors.map(({reason, count}) => `${reason} ${String(count)}`));
    return `${name} could not sign ${String(errors.reduce((sum, {count}) => sum + count, 0))} ${asked} (${reasons})`;
  }
  if (issued === 0 && unauthenticated >= refusedCallers) {
    return `${name} has issued nothing, and refused ${String(unauthenticated)} ${asked} because it did not know who asked`;
  }
  return undefined;
}
