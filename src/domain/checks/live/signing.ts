import {fixWith, inAnyCase, lookWith, pipe, words} from '../../suggest/suggestion.js';
import {defineCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import {some} from '../describe.js';
import type {IstiodMetrics, LiveRoots, LiveRootsElsewhere, Part, PushedTrust} from '../../facts/facts.js';

const expected = 'no certificate request that istiod could not sign';

/**
 * Refused callers that make a pattern. A single one is what a token that has just ended looks like, or a proxy of another
 * cluster that asks while a new istiod still looks at that cluster: it asks again, and gets its certificate.
 */
const refusedCallers = 3;

/** What istiod counted since its start: whether workloads get certificates from it. */
export const signingCheck = defineCheck({
  id: 'MESH309',
  title: 'istiod signs what it is asked to',
  severity: 'warning',
  scope: 'cluster',
  vantage: 'live istiod',
  needs: ['istiodMetrics', 'controlPlanes'],
  uses: ['pushedTrust', 'liveRoots'],
  waitable: true,
  implies: [],
  judge: ({istiodMetrics, controlPlanes, pushedTrust, liveRoots}, {cluster, mesh}) => {
    if (istiodMetrics.length === 0) return notApplicable('no istiod runs here');
    const cas = istiodMetrics.filter(({value}) => value.rootEnd !== undefined || value.requests > 0);
    if (cas.length === 0) return notApplicable('no istiod here is a CA');
    const {namespace} = mesh.istio;
    const findings = cas.flatMap((pod): readonly Finding[] => {
      const observed = trouble(pod);
      if (observed === undefined) return [];
      const deployment = controlPlanes.find(({workload}) =>
        workload.pods.some(({name}) => name === pod.name),
      )?.workload;
      // Counters begin again with the process; the log that says why goes with it, so it comes first.
      const why = pipe(
        lookWith.kubectl(cluster, words`-n ${namespace} logs ${pod.name}`),
        lookWith.run('grep', words`-i -e ${'CSR signing error'} -e authenticat`),
      );
      const restart = fixWith.kubectl(
        cluster,
        words`-n ${namespace} rollout restart deployment/${deployment?.name ?? 'istiod'}`,
      );
      return [{observed, expected, fix: keepsRoots(pushedTrust, liveRoots) ? inAnyCase(why, restart) : why}];
    });
    return findingsOr(findings, () =>
      ok(
        cas.map(({name, value}) => `${name} issued ${String(value.issued)} of ${String(value.requests)}`).join(', '),
        expected,
      ),
    );
  },
  explanation: {
    meaning:
      'Since its start no istiod failed to sign a certificate request. Callers that it did not know are counted, too, and said only where it has issued nothing at all: a stranger who asks is no fault of a mesh that works.',
    breaks:
      'Workloads whose requests fail have no certificate: new ones do not start, running ones are cut off when theirs ends. CSR_ERROR and TTL_ERROR are requests that cannot be granted (a malformed one, a life above MAX_WORKLOAD_CERT_TTL), CERT_GEN_ERROR and CA_NOT_READY are istiod itself.',
    byHand:
      'kubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &\ncurl -s localhost:15014/metrics | grep -e citadel_server_csr -e citadel_server_success -e citadel_server_authentication\nkubectl --context "$CTX" -n istio-system logs "$ISTIOD_POD" | grep -e "CSR signing error" -e "authenticate failure"',
    mend: "Read why in istiod's log: the life asked for (SECRET_TTL of the proxy), a token of another cluster or trust domain, a CA that has ended. Mend that, then restart istiod: its counters begin at its start, so the finding stays until then. The command restarts it only where Secret cacerts holds the roots that it has loaded: elsewhere a restart would change the roots under running workloads, and `kubectl mesh trust diff CLUSTER` comes first.",
    source:
      'istio/istio security/pkg/server/ca/server.go (CreateCertificate), security/pkg/server/ca/monitoring.go, security/pkg/pki/error/error.go (reasons)',
  },
});

/** Whether an istiod that starts anew has the roots of the one that runs; false, too, where that is not known. */
function keepsRoots(
  pushed: PushedTrust | 'absent' | undefined,
  live: LiveRoots | LiveRootsElsewhere | undefined,
): boolean {
  if (pushed === undefined || pushed === 'absent' || live === undefined || live === 'elsewhere') return false;
  const [next, loaded] = [new Set(pushed.roots), new Set(live.certificates.map(({fingerprint}) => fingerprint))];
  return next.size > 0 && next.size === loaded.size && [...next].every((root) => loaded.has(root));
}

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
