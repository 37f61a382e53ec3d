import {hasFeature} from '../../istio/features.js';
import {knowVersion} from '../../istio/versions.js';
import {kubectlMesh} from '../../suggest/suggestion.js';
import {istiodCheck, findingsOr, notApplicable, ok, type ClusterSubject, type Finding} from '../check.js';
import {formatDay, formatSecond} from '../../format.js';
import {expirySource, judgeExpiry} from '../expiry.js';
import type {CaOrigin, CertificateFacts, IstiodMetrics, Part, PushedTrust} from '../../facts/facts.js';
import {loadFix, otherCaFix, restartFix} from '../fixes.js';

/** What one istiod reports, beside the certificate that it should be about. */
interface Reported {
  readonly what: 'its CA' | 'its root';
  readonly end: Date;
  readonly pushed: CertificateFacts;
}

/** The process says itself which CA it has loaded, by when it ends. */
export const loadedCaCheck = istiodCheck({
  id: 'MESH308',
  title: 'Every istiod reports the ends of the pushed CA, with time left',
  about: 'cacerts',
  needs: ['pushedTrust', 'istiodMetrics'],
  uses: ['caOrigin'],
  judge: ({pushedTrust, istiodMetrics, caOrigin}, subject) => {
    if (istiodMetrics.length === 0) return notApplicable('no istiod runs here');
    if (pushedTrust === 'absent') return notApplicable('nothing was pushed yet');
    const pods = istiodMetrics.map((pod) => ({...pod, reported: reportedBy(pod, pushedTrust)}));
    if (pods.every(({reported}) => reported.length === 0)) return notApplicable('no istiod here is a CA');
    const judged = pods.filter(
      ({value, reported}) =>
        reported.every(isPushed) || hasFeature(knowVersion(value.version).version, 'expiryMetricsFollowReload'),
    );
    if (judged.length === 0) {
      return notApplicable(
        'before Istio 1.24 these metrics are as of the start of istiod, and cacerts has changed since',
      );
    }
    const findings = judged.flatMap(({name, reported}) =>
      reported.map((one) => findingOf(name, one, reported, subject, caOrigin)),
    );
    const said = judged.map(({name, reported}) => `${name}: ${describe(reported)}`);
    return findingsOr(findings, ok(said.join('; '), `as ${pushedTrust.from}, with time left`));
  },
  meaning:
    'Each istiod reports in its metrics when the CA that it signs with and the first root of its bundle end. Both are the ends of what is in Secret cacerts, and neither is near.',
  breaks:
    'Another end means that this process has loaded another CA than was pushed, or a chain whose first certificate is not the CA. A CA that has ended signs nothing that is accepted, and istiod does not start with it.',
  byHand:
    'kubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &\ncurl -s localhost:15014/metrics | grep -e citadel_server_cert_chain_expiry_timestamp -e citadel_server_root_cert_expiry_timestamp\nkubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath="{.data.ca-cert\\.pem}" | base64 -d | openssl x509 -noout -enddate',
  mend: 'Another CA: restart istiod; where its root is another one, too, `kubectl mesh trust push CLUSTER --restart-istiod`. Near its end: `kubectl mesh certs generate CLUSTER --renew`, then push.',
  source: `istio/istio security/pkg/server/ca/server.go (RecordCertsExpiry), pilot/pkg/bootstrap/istio_ca.go (again at each reload since 1.24); ${expirySource}`,
});

function reportedBy({value: {caEnd, rootEnd}}: Part<IstiodMetrics>, {certificate, firstRoot}: PushedTrust): Reported[] {
  return [
    ...(caEnd ? [{what: 'its CA' as const, end: caEnd, pushed: certificate}] : []),
    ...(rootEnd && firstRoot ? [{what: 'its root' as const, end: rootEnd, pushed: firstRoot}] : []),
  ];
}

function isPushed({end, pushed}: Reported): boolean {
  return end.getTime() === pushed.notAfter.getTime();
}

function findingOf(
  pod: string,
  reported: Reported,
  all: readonly Reported[],
  subject: ClusterSubject,
  origin: CaOrigin | undefined,
): Finding | undefined {
  const {what, end, pushed} = reported;
  if (!isPushed(reported)) {
    return {
      observed: `${pod} reports that ${what} ends at ${formatSecond(end.toISOString())}`,
      expected: `the end of what was pushed, ${formatSecond(pushed.notAfter.toISOString())}`,
      // Under the pushed root already, so nothing but the process stands in the way.
      fix: all.some((one) => one.what === 'its root' && isPushed(one)) ? restartFix(subject) : loadFix(origin, subject),
    };
  }
  const fix = what === 'its CA' ? otherCaFix(origin, subject) : kubectlMesh('certs list');
  const expiring = judgeExpiry(pushed, fix, subject);
  return expiring && {...expiring, observed: `${pod} reports ${what}: ${expiring.observed}`};
}

function describe(reported: readonly Reported[]): string {
  return reported.length === 0
    ? 'no CA'
    : reported.map(({what, end}) => `${what.replace('its ', '')} until ${formatDay(end)}`).join(', ');
}
