/** When a certificate counts as about to expire. One rule for files, Secrets, live chains and alerts. */
import {dayMs} from '../time.js';

/** The remaining validity below which a certificate is a finding: the larger of a share of its lifetime and days. */
export interface ExpiryThreshold {
  /** Share of the lifetime, 0 to 1. */
  readonly share: number;
  readonly days: number;
}

/** `trust.expiry` in mesh.yaml: below `warn` is a warning, below `error` an error. */
export interface ExpiryThresholds {
  readonly warn: ExpiryThreshold;
  readonly error: ExpiryThreshold;
}

/** A certificate's validity period. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A threshold in milliseconds: the larger of the share of the lifetime and the number of days. */
export function expiryLimitMs({notBefore, notAfter}: Validity, {share, days}: ExpiryThreshold): number {
  return Math.max(share * (notAfter.getTime() - notBefore.getTime()), days * dayMs);
}

/** The severity of a certificate's remaining validity; undefined if it is above both thresholds. */
export function expirySeverity(
  validity: Validity,
  {warn, error}: ExpiryThresholds,
  now: Date,
): 'warning' | 'error' | undefined {
  const leftMs = validity.notAfter.getTime() - now.getTime();
  if (leftMs < expiryLimitMs(validity, error)) return 'error';
  return leftMs < expiryLimitMs(validity, warn) ? 'warning' : undefined;
}
