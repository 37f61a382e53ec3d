import {expect, it} from 'vitest';
import {parseGoDuration} from '../../../src/domain/istio/environment.js';

it.each([
  ['24h0m0s', 86_400_000],
  ['1.5h', 5_400_000],
  ['90m', 5_400_000],
  ['500ms', 500],
  ['24', undefined],
  ['1d', undefined],
  ['-1h', undefined],
  ['', undefined],
  [undefined, undefined],
])('reads %j as Go does', (text, expected) => {
  expect(parseGoDuration(text)).toBe(expected);
});
