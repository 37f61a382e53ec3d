/** When a certificate's remaining life is too short. One rule for files, Secrets, live chains and alerts. */
import {dayMs} from '../time.js';

/** When a certificate's remaining life becomes a finding: the larger of a share of its lifetime and a number of days. */
export interface ExpiryThreshold {
  /** Share of the lifetime, 0 to 1. */
  readonly share: number;
  readonly days: number;
}

/** mesh.yaml's `trust.expiry`: below `warn` a warning, below `error` an error. */
export interface ExpiryThresholds {
  readonly warn: ExpiryThreshold;
  readonly error: ExpiryThreshold;
}

/** The time that a certificate is valid. */
export interface Validity {
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** How little life left is too little, in milliseconds: the larger of a share of the lifetime and a number of days. */
export function expiryLimitMs({notBefore, notAfter}: Validity, {share, days}: ExpiryThreshold): number {
  return Math.max(share * (notAfter.getTime() - notBefore.getTime()), days * dayMs);
}

/** Which threshold a certificate's remaining life is below; undefined while there is time. */
export function expirySeverity(
  validity: Validity,
  {warn, error}: ExpiryThresholds,
  now: Date,
): 'warning' | 'error' | undefined {
  const leftMs = validity.notAfter.getTime() - now.getTime();
  if (leftMs < expiryLimitMs(validity, error)) return 'error';
  return leftMs < expiryLimitMs(validity, warn) ? 'warning' : undefined;
}
