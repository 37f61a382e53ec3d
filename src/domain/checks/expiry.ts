/** Findings about the remaining lifetime of certificates (x509/expiry.ts). */
import {findingsOr, ok, type ClusterSubject, type Finding, type Judgement} from './check.js';
import {describeCertificate} from './describe.js';
import {formatDay, formatExpiry, plural} from '../format.js';
import type {CertificateFacts, ClusterCaFacts} from '../facts/facts.js';
import {kubectlMesh} from '../suggest/suggestion.js';
import type {Remedy} from './remedies.js';
import {dayMs} from '../time.js';
import {expiryLimitMs, expirySeverity} from '../x509/expiry.js';

/** The sources of the limits of the expiry checks. */
export const expirySource =
  'mesh.yaml trust.expiry (default: warning below 30% of the lifetime, at most 180 days, or 30 days; error below 10%, at most 60 days, or 7 days); RFC 5280 4.1.2.5; istio/istio security/pkg/pki/util/generate_cert.go: a workload certificate expires no later than its signer';

/** The finding for a certificate's remaining lifetime by mesh.yaml's `trust.expiry`; undefined while enough is left. */
export function judgeExpiry(
  certificate: CertificateFacts,
  remedy: Remedy,
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
    ...remedy,
  };
}

/** What resolves the expiry of a cluster CA, and of an expired root that no longer does anything. */
export interface ExpiryRemedies {
  readonly renew: Remedy;
  readonly leftover: Remedy;
}

/** Judges the expiry of a cluster CA and of the CAs above it up to the roots. */
export function judgeCaExpiry(
  certificate: CertificateFacts,
  {between = [], roots, anchor}: Pick<ClusterCaFacts, 'between' | 'roots' | 'anchor'>,
  {renew, leftover}: ExpiryRemedies,
  subject: ClusterSubject,
): Judgement {
  const own = judgeExpiry(certificate, renew, subject);
  const isExpired = ({notAfter}: CertificateFacts): boolean => notAfter <= subject.now;
  const isLeftover = (one: CertificateFacts): boolean =>
    isExpired(one) && one.fingerprint !== anchor && roots.includes(one) && !roots.every(isExpired);
  const ofIssuers = [...between, ...roots].map((one): Finding | undefined => {
    const finding = judgeExpiry(one, isLeftover(one) ? leftover : {fix: kubectlMesh('certs list')}, subject);
    return finding && isLeftover(one) ? {...finding, severity: 'warning'} : finding;
  });
  return findingsOr([own, ...ofIssuers], ok(`until ${formatDay(certificate.notAfter)}`, 'no expiry soon'));
}
