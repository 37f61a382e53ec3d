import {hasFeature} from '../../istio/features.js';
import {parseVersion} from '../../istio/version.js';
import {kubectlMesh} from '../../suggest/suggestion.js';
import {istiodCheck, findingsOr, notApplicable, ok, type ClusterSubject, type Finding} from '../check.js';
import {formatDay, formatSecond} from '../../format.js';
import {expirySource, judgeExpiry} from '../expiry.js';
import type {
  CaOrigin,
  CertificateFacts,
  ControlPlaneFacts,
  IstiodMetrics,
  PodPart,
  PushedTrust,
} from '../../facts/facts.js';
import {controlPlaneOf} from '../control-plane/running-versions.js';
import {loadCa, replaceCa, restart, rotateCa} from '../remedies.js';

/** An expiry that an istiod reports, and the pushed certificate that it should equal. */
interface Reported {
  readonly what: 'its CA' | 'its root';
  readonly expiry: Date;
  readonly pushed: CertificateFacts;
}

/** The expiry in istiod's metrics identifies the CA that the process has loaded. */
export const loadedCaCheck = istiodCheck({
  id: 'MESH308',
  title: 'According to its metrics, every istiod has loaded the pushed CA, which does not expire soon',
  appliesTo: 'cacerts',
  requires: ['pushedTrust', 'istiodMetrics'],
  // controlPlanes: the version where the process does not report a release.
  optional: ['caOrigin', 'controlPlanes'],
  judge: ({pushedTrust, istiodMetrics, caOrigin, controlPlanes = []}, subject) => {
    if (istiodMetrics.length === 0) return notApplicable('no istiod runs here');
    if (pushedTrust === 'absent') return notApplicable('no CA was pushed yet');
    const pods = istiodMetrics.map((pod) => ({...pod, reported: reportedBy(pod, pushedTrust)}));
    if (pods.every(({reported}) => reported.length === 0)) return notApplicable('no istiod here is a CA');
    const judged = pods.filter(
      ({name, value, reported}) => reported.every(isPushed) || followsReload(value.version, name, controlPlanes),
    );
    if (judged.length === 0) {
      return notApplicable(
        'cacerts has changed since the start of istiod, and only Istio 1.24 and later show a reload in these metrics',
      );
    }
    const findings = judged.flatMap(({name, reported}) =>
      reported.map((one) => findingOf(name, one, reported, subject, caOrigin)),
    );
    const expiries = judged.map(({name, reported}) => `${name}: ${describe(reported)}`);
    return findingsOr(findings, ok(expiries.join('; '), `as in ${pushedTrust.from}, and no expiry soon`));
  },
  meaning:
    'The metrics of each istiod contain the expiry of the CA that it signs with and of the first root in its bundle. Both match the certificates in Secret cacerts, and neither is soon (trust.expiry in mesh.yaml).',
  breaks:
    'A different expiry means that this process has not loaded the pushed CA, or has loaded a chain that does not start with the CA. Certificates signed by an expired CA are not accepted, and istiod does not start with one.',
  byHand:
    'kubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &\ncurl -s localhost:15014/metrics | grep -e citadel_server_cert_chain_expiry_timestamp -e citadel_server_root_cert_expiry_timestamp\nkubectl --context "$CTX" -n istio-system get secret cacerts -o jsonpath="{.data.ca-cert\\.pem}" | base64 -d | openssl x509 -noout -enddate',
  fix: 'If istiod has loaded a different CA, restart it; if the root differs as well, run `kubectl mesh trust push CLUSTER --restart-istiod`. If the CA expires soon, run `kubectl mesh trust rotate cluster-ca CLUSTER`.',
  source: `istio/istio security/pkg/server/ca/server.go (RecordCertsExpiry), pilot/pkg/bootstrap/istio_ca.go (also at each reload since 1.24); ${expirySource}`,
});

/**
 * Reports whether the metrics of a pod show the CA that it has loaded since its start. A process that reports no release, such
 * as a custom build, is treated as the version that its Deployment names; without one, the metrics prove nothing.
 */
function followsReload(reported: string, pod: string, controlPlanes: readonly ControlPlaneFacts[]): boolean {
  const own = controlPlaneOf(pod, controlPlanes);
  const named = own === undefined || own.versionStatus === 'unparsed' ? undefined : own.version;
  const version = parseVersion(reported) ?? named;
  return version !== undefined && hasFeature(version, 'expiryMetricsFollowReload');
}

function reportedBy({value}: PodPart<IstiodMetrics>, {certificate, firstRoot}: PushedTrust): Reported[] {
  const {caExpiry, rootExpiry} = value;
  return [
    ...(caExpiry ? [{what: 'its CA' as const, expiry: caExpiry, pushed: certificate}] : []),
    ...(rootExpiry && firstRoot ? [{what: 'its root' as const, expiry: rootExpiry, pushed: firstRoot}] : []),
  ];
}

function isPushed({expiry, pushed}: Reported): boolean {
  return expiry.getTime() === pushed.notAfter.getTime();
}

function findingOf(
  pod: string,
  reported: Reported,
  all: readonly Reported[],
  subject: ClusterSubject,
  origin: CaOrigin | undefined,
): Finding | undefined {
  const {what, expiry, pushed} = reported;
  if (!isPushed(reported)) {
    return {
      observed: `${pod} reports that ${what} expires at ${formatSecond(expiry.toISOString())}`,
      expected: `the expiry of the pushed one, ${formatSecond(pushed.notAfter.toISOString())}`,
      // The pushed root is already loaded, so a restart is enough.
      ...(all.some((one) => one.what === 'its root' && isPushed(one))
        ? restart(origin, subject)
        : loadCa(origin, subject)),
    };
  }
  const remedy = what === 'its CA' ? replaceCa(origin, subject, rotateCa) : {fix: kubectlMesh('certs list')};
  const expiring = judgeExpiry(pushed, remedy, subject);
  return expiring && {...expiring, observed: `${pod} reports ${what}: ${expiring.observed}`};
}

function describe(reported: readonly Reported[]): string {
  return reported.length === 0
    ? 'no CA'
    : reported.map(({what, expiry}) => `${what.replace('its ', '')} until ${formatDay(expiry)}`).join(', ');
}
