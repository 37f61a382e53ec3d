/** The finding that a certificate's remaining life becomes (x509/expiry.ts). */
import type {Severity} from './check.js';
import {describeCertificate, describeDay} from './describe.js';
import type {CertificateFacts} from '../facts/facts.js';
import {dayMs} from '../time.js';
import {expiryLimitMs, expirySeverity, type ExpiryThresholds} from '../x509/expiry.js';

/** Where the limits of the expiry checks come from. */
export const expirySource =
  "mesh.yaml trust.expiry (default: warning below 30 % of the lifetime or 30 days, error below 10 % or 7 days); RFC 5280 4.1.2.5; istio/istio security/pkg/pki/util/generate_cert.go: a workload's certificate ends with its signer's";

/** A certificate whose life ends soon enough to say so. */
export interface Expiring {
  readonly severity: Severity;
  readonly observed: string;
  readonly expected: string;
}

/** What its remaining life means, by mesh.yaml's `trust.expiry`; undefined while there is time. */
export function judgeExpiry(
  certificate: CertificateFacts,
  thresholds: ExpiryThresholds,
  now: Date,
): Expiring | undefined {
  const severity = expirySeverity(certificate, thresholds, now);
  if (severity === undefined) return undefined;
  const leftMs = certificate.notAfter.getTime() - now.getTime();
  const days = Math.floor(Math.abs(leftMs) / dayMs);
  const when =
    leftMs <= 0
      ? `expired ${String(days)} days ago`
      : `expires in ${String(days)} days, on ${describeDay(certificate.notAfter)}`;
  const required = Math.ceil(
    expiryLimitMs(certificate, severity === 'error' ? thresholds.error : thresholds.warn) / dayMs,
  );
  return {
    severity,
    observed: `${describeCertificate(certificate)} ${when}`,
    expected: `more than ${String(required)} days left`,
  };
}
