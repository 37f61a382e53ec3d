/** Findings about the remaining lifetime of certificates (x509/expiry.ts). */
import {findingsOr, ok, type ClusterSubject, type Finding, type Judgement} from './check.js';
import {describeCertificate} from './describe.js';
import {formatDay, formatExpiry, plural} from '../format.js';
import type {CertificateFacts} from '../facts/facts.js';
import {kubectlMesh, type Suggestion} from '../suggest/suggestion.js';
import {dayMs} from '../time.js';
import {expiryLimitMs, expirySeverity} from '../x509/expiry.js';

/** The sources of the limits of the expiry checks. */
export const expirySource =
  'mesh.yaml trust.expiry (default: warning below 30% of the lifetime, at most 180 days, or 30 days; error below 10%, at most 60 days, or 7 days); RFC 5280 4.1.2.5; istio/istio security/pkg/pki/util/generate_cert.go: a workload certificate expires no later than its signer';

/** The finding for a certificate's remaining lifetime by mesh.yaml's `trust.expiry`; undefined while enough is left. */
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

/** Judges the expiry of a cluster CA, which `renew` replaces, and of the CAs above it up to the roots. */
export function judgeCaExpiry(
  certificate: CertificateFacts,
  above: readonly CertificateFacts[],
  renew: Suggestion,
  subject: ClusterSubject,
): Judgement {
  const own = judgeExpiry(certificate, renew, subject);
  const ofIssuers = above.map((one) => judgeExpiry(one, kubectlMesh('certs list'), subject));
  return findingsOr([own, ...ofIssuers], ok(`until ${formatDay(certificate.notAfter)}`, 'no expiry soon'));
}
