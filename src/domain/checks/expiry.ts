/** When a certificate's remaining life becomes a finding. One rule for files, Secrets and live chains. */
import type {ExpiryThreshold, Mesh} from '../mesh/mesh.js';
import type {Severity} from './check.js';
import {describeCertificate, describeDay} from './describe.js';
import type {CertificateFacts} from '../facts/facts.js';
import {dayMs} from '../time.js';

/** A certificate whose life ends soon enough to say so. */
export interface Expiring {
  readonly severity: Severity;
  readonly observed: string;
  readonly expected: string;
}

/** How little life left is too little, in milliseconds: the larger of a share of the lifetime and a number of days. */
export function expiryLimitMs(
  {notBefore, notAfter}: Pick<CertificateFacts, 'notBefore' | 'notAfter'>,
  {share, days}: ExpiryThreshold,
): number {
  return Math.max(share * (notAfter.getTime() - notBefore.getTime()), days * dayMs);
}

/** What its remaining life means, by mesh.yaml's `trust.expiry`; undefined while there is time. */
export function judgeExpiry(
  certificate: CertificateFacts,
  thresholds: Mesh['trust']['expiry'],
  now: Date,
): Expiring | undefined {
  const leftMs = certificate.notAfter.getTime() - now.getTime();
  const limit = (threshold: ExpiryThreshold): number => expiryLimitMs(certificate, threshold);
  const severity = leftMs < limit(thresholds.error) ? 'error' : leftMs < limit(thresholds.warn) ? 'warning' : undefined;
  if (severity === undefined) return undefined;
  const days = Math.floor(Math.abs(leftMs) / dayMs);
  const when =
    leftMs <= 0
      ? `expired ${String(days)} days ago`
      : `expires in ${String(days)} days, on ${describeDay(certificate.notAfter)}`;
  const required = Math.ceil(limit(severity === 'error' ? thresholds.error : thresholds.warn) / dayMs);
  return {
    severity,
    observed: `${describeCertificate(certificate)} ${when}`,
    expected: `more than ${String(required)} days left`,
  };
}
