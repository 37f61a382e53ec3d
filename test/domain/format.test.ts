/** How counts, dates, durations and sizes are written. */
import {describe, expect, it} from 'vitest';
import {formatDuration, formatExactExpiry, formatExpiry, formatSize, plural, some} from '../../src/domain/format.js';

const now = new Date('2026-11-29T12:00:00Z');

it.each([
  ['2028-11-27T12:00:01Z', '2028-11-27, in 729 days'],
  ['2026-12-01T12:00:00Z', '2026-12-01, in 2 days'],
  ['2026-11-30T11:59:00Z', '2026-11-30 11:59 UTC, in 23 hours'],
  ['2026-11-29T12:01:30Z', '2026-11-29 12:01 UTC, in 1 minute'],
  ['2026-11-29T09:00:00Z', '2026-11-29 09:00 UTC, 3 hours ago'],
  ['2026-11-26T12:00:00Z', '2026-11-26, 3 days ago'],
])('the expiry %s is %s', (time, text) => {
  expect(formatExpiry(time, now)).toBe(text);
  expect(formatExpiry(new Date(time), now)).toBe(text);
});

it('an expiry to the second', () => {
  expect(formatExactExpiry('2028-11-27T12:00:01.000Z', now)).toBe('2028-11-27T12:00:01Z, in 729 days');
});

it.each([
  [0, '0 s'],
  [90_000, '90 s'],
  [150_000, '2 min 30 s'],
  [300_000, '5 min'],
  [3 * 3_600_000, '3 h'],
  [20 * 3_600_000, '1 day'],
  [3650 * 86_400_000, '3650 days'],
])('the duration of %i ms is %s', (ms, text) => {
  expect(formatDuration(ms)).toBe(text);
});

describe('counts and sizes', () => {
  it('have a singular and a plural', () => {
    expect([plural(1, 'check'), plural(31, 'checks', 'checks'), plural(0, 'entry', 'entries')]).toEqual([
      '1 check',
      '31 checks',
      '0 entries',
    ]);
    expect([formatSize(1), formatSize(512), formatSize(65_536)]).toEqual(['1 byte', '512 bytes', '64 KiB']);
  });

  it('shorten lists', () => {
    expect(some(['a', 'b', 'c'], 2)).toBe('a, b and 1 more');
  });
});
