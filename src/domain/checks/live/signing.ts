import {sameRoots} from '../../ca/trust-store.js';
import {runAll, inspectWith, pipe, words} from '../../suggest/suggestion.js';
import {controlPlaneOf} from '../control-plane/running-versions.js';
import {istiodCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import {some} from '../../format.js';
import {restartFix} from '../fixes.js';
import type {IstiodMetrics, PodPart} from '../../facts/facts.js';

/**
 * Unauthenticated requests from which on a finding is reported. A single one can come from a token that has just expired, or
 * from another cluster's proxy while a new istiod still syncs that cluster; the retry succeeds.
 */
const unauthenticatedThreshold = 3;

/** istiod's counters since its start: whether workloads get certificates from it. */
export const signingCheck = istiodCheck({
  id: 'MESH309',
  title: 'istiod signs certificate requests',
  severity: 'warning',
  requires: ['istiodMetrics', 'controlPlanes'],
  optional: ['pushedTrust', 'liveRoots'],
  expected: 'no certificate request that istiod could not sign',
  judge: ({istiodMetrics, controlPlanes, pushedTrust, liveRoots}, subject) => {
    if (istiodMetrics.length === 0) return notApplicable('no istiod runs here');
    const cas = istiodMetrics.filter(({value}) => value.rootExpiry !== undefined || value.requests > 0);
    if (cas.length === 0) return notApplicable('no istiod here is a CA');
    const {cluster, mesh} = subject;
    // Whether a restarted istiod has the same roots as the running one; also false if that is unknown.
    const pushed = pushedTrust === 'absent' ? [] : (pushedTrust?.roots ?? []).map((fingerprint) => ({fingerprint}));
    const keepsRoots =
      liveRoots !== undefined && liveRoots !== 'ClusterTrustBundle' && sameRoots(pushed, liveRoots.certificates);
    const findings = cas.map((pod): Finding | undefined => {
      const observed = problemOf(pod);
      if (observed === undefined) return undefined;
      const deployment = controlPlaneOf(pod.name, controlPlanes)?.workload;
      // A restart resets the counters and discards the log that contains the cause, so the log comes first.
      const showCause = pipe(
        inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} logs ${pod.name}`),
        inspectWith.run('grep', words`-i -e ${'CSR signing error'} -e authenticat`),
      );
      const restart = restartFix(subject, deployment?.name ?? 'istiod');
      return {observed, fix: keepsRoots ? runAll(showCause, restart) : showCause};
    });
    const counts = cas.map(({name, value}) => `${name} issued ${String(value.issued)} of ${String(value.requests)}`);
    return findingsOr(findings, ok(counts.join(', ')));
  },
  meaning:
    'No istiod has failed to sign a certificate request since it started. Unauthenticated requests are reported only if istiod has issued no certificate at all: in a working mesh, they are not a problem.',
  breaks:
    'Workloads whose requests fail get no certificate: new ones do not start, and running ones lose connectivity when theirs expires. CSR_ERROR and TTL_ERROR are caused by the request (malformed, or a lifetime above MAX_WORKLOAD_CERT_TTL), CERT_GEN_ERROR and CA_NOT_READY by istiod.',
  byHand:
    'kubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &\ncurl -s localhost:15014/metrics | grep -e citadel_server_csr -e citadel_server_success -e citadel_server_authentication\nkubectl --context "$CTX" -n istio-system logs "$ISTIOD_POD" | grep -e "CSR signing error" -e "authenticate failure"',
  fix: "Find the cause in istiod's log: the requested lifetime (SECRET_TTL of the proxy), a token from another cluster or trust domain, an expired CA. Fix it, then restart istiod: this resets its counters, and the finding remains until then. The suggested command restarts istiod only if Secret cacerts holds the roots that it has loaded. Otherwise a restart would change the roots under running workloads: run `kubectl mesh trust diff CLUSTER` first.",
  source:
    'istio/istio security/pkg/server/ca/server.go (CreateCertificate), security/pkg/server/ca/monitoring.go, security/pkg/pki/error/error.go (reasons)',
});

/** The problem that one istiod's counters show; undefined if none. */
function problemOf({name, value}: PodPart<IstiodMetrics>): string | undefined {
  const {requests, issued, unauthenticated, signingErrors} = value;
  const errors = signingErrors.filter(({count}) => count > 0);
  const total = `of ${String(requests)} requests since its start`;
  if (errors.length > 0) {
    const reasons = some(errors.map(({reason, count}) => `${reason} ${String(count)}`));
    return `${name} could not sign ${String(errors.reduce((sum, {count}) => sum + count, 0))} ${total} (${reasons})`;
  }
  if (issued === 0 && unauthenticated >= unauthenticatedThreshold) {
    return `${name} has issued no certificate and rejected ${String(unauthenticated)} ${total} as unauthenticated`;
  }
  return undefined;
}
