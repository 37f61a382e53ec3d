/** When a certificate counts as about to expire. One rule for files, Secrets, live chains and alerts. */
import {dayMs} from '../time.js';

/**
 * The remaining validity below which a certificate is a finding: a share of its lifetime, but at most `capDays`, and at least
 * `days`. Without a cap, a third of a root's 25 years would be eight years, far too early to act.
 */
export interface ExpiryThreshold {
  /** Share of the lifetime, 0 to 1. */
  readonly share: number;
  readonly days: number;
  /** Absent: the share is not limited. */
  readonly capDays?: number;
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

/** A threshold in milliseconds for a certificate with this validity. */
export function expiryLimitMs({notBefore, notAfter}: Validity, threshold: ExpiryThreshold): number {
  return limitOf(notAfter.getTime() - notBefore.getTime(), threshold, dayMs);
}

/** A threshold in days for a certificate that is valid for this number of days. */
export function expiryLimitDays(lifetimeDays: number, threshold: ExpiryThreshold): number {
  return limitOf(lifetimeDays, threshold, 1);
}

function limitOf(lifetime: number, {share, days, capDays = Infinity}: ExpiryThreshold, day: number): number {
  return Math.max(days * day, Math.min(share * lifetime, capDays * day));
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
