/** Findings that the remaining life of certificates becomes (x509/expiry.ts). */
import {findingsOr, ok, type ClusterSubject, type Finding, type Judgement} from './check.js';
import {describeCertificate} from './describe.js';
import {formatDay, formatExpiry, plural} from '../format.js';
import type {CertificateFacts} from '../facts/facts.js';
import {kubectlMesh, type Suggestion} from '../suggest/suggestion.js';
import {dayMs} from '../time.js';
import {expiryLimitMs, expirySeverity} from '../x509/expiry.js';

/** Where the limits of the expiry checks come from. */
export const expirySource =
  "mesh.yaml trust.expiry (default: warning below 30 % of the lifetime or 30 days, error below 10 % or 7 days); RFC 5280 4.1.2.5; istio/istio security/pkg/pki/util/generate_cert.go: a workload's certificate ends with its signer's";

/** What its remaining life means, by mesh.yaml's `trust.expiry`; undefined while there is time. */
export function judgeExpiry(
  certificate: CertificateFacts,
  fix: Suggestion,
  {mesh, now}: Pick<ClusterSubject, 'mesh' | 'now'>,
): Finding | undefined {
  const thresholds = mesh.trust.expiry;
  const severity = expirySeverity(certificate, thresholds, now);
  if (severity === undefined) return undefined;
  const verb = certificate.notAfter <= now ? 'expired' : 'expires';
  const limitMs = expiryLimitMs(certificate, severity === 'error' ? thresholds.error : thresholds.warn);
  return {
    severity,
    observed: `${describeCertificate(certificate)} ${verb} ${formatExpiry(certificate.notAfter, now)}`,
    expected: `more than ${plural(Math.ceil(limitMs / dayMs), 'day')} left`,
    fix,
  };
}

/** Judges a cluster CA, which `renew` makes anew, and those above it, up to its roots. */
export function judgeEnds(
  certificate: CertificateFacts,
  above: readonly CertificateFacts[],
  renew: Suggestion,
  subject: ClusterSubject,
): Judgement {
  const own = judgeExpiry(certificate, renew, subject);
  const others = above.map((one) => judgeExpiry(one, kubectlMesh('certs list'), subject));
  return findingsOr([own, ...others], ok(`until ${formatDay(certificate.notAfter)}`, 'time left'));
}
