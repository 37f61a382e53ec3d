import {expect, it} from 'vitest';
import {parseGoDuration} from '../../../src/domain/istio/environment.js';

it.each([
  ['24h0m0s', 86_400_000],
  ['1.5h', 5_400_000],
  ['90m', 5_400_000],
  ['500ms', 500],
  ['2562047h', 2_562_047 * 3_600_000],
  // An int64 of nanoseconds overflows.
  ['2562048h', undefined],
  [`${'9'.repeat(400)}h`, undefined],
  ['24', undefined],
  ['1d', undefined],
  ['-1h', undefined],
  ['', undefined],
  [undefined, undefined],
])('reads %j as Go does', (text, expected) => {
  expect(parseGoDuration(text)).toBe(expected);
});
