import {describe, expect, it} from 'vitest';
import {defaults} from '../../../src/domain/mesh/resolve.js';
import {expiryLimitDays, expiryLimitMs, expirySeverity} from '../../../src/domain/x509/expiry.js';
import {dayMs} from '../../../src/domain/time.js';

const now = new Date('2026-01-01T00:00:00Z');
const validity = (days: number, left: number): {readonly notBefore: Date; readonly notAfter: Date} => ({
  notBefore: new Date(now.getTime() - (days - left) * dayMs),
  notAfter: new Date(now.getTime() + left * dayMs),
});

describe('the thresholds of trust.expiry', () => {
  it.each([
    ['a CA of 25 years with two years left', 9131, 729, undefined],
    ['a CA of 25 years', 9131, 181, undefined],
    ['a CA of 25 years', 9131, 179, 'warning'],
    ['a CA of 25 years', 9131, 59, 'error'],
    ['a CA of two years', 730, 181, undefined],
    ['a CA of two years', 730, 179, 'warning'],
    ['a CA of one year', 365, 110, undefined],
    ['a CA of one year', 365, 109, 'warning'],
    ['a CA of one year', 365, 36, 'error'],
    ['a CA of 60 days', 60, 29, 'warning'],
    ['a CA of 60 days', 60, 6.9, 'error'],
  ])('by default: %s of %d days with %d days left is %s', (_, days, left, severity) => {
    expect(expirySeverity(validity(days, left), defaults, now)).toBe(severity);
  });

  it('do not limit the share without a third value', () => {
    expect(expiryLimitDays(9131, {share: 0.1, days: 7})).toBeCloseTo(913.1);
    expect(expiryLimitMs(validity(1000, 1), {share: 0.1, days: 7})).toBe(100 * dayMs);
  });
});
