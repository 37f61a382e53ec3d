import {describe, expect, it} from 'vitest';
import {parseDuration} from '../../src/cli/flags/duration.js';

describe('parseDuration', () => {
  it.each([
    ['300ms', 300],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1h30m', 5_400_000],
    ['1.5s', 1500],
  ])('reads %s as %i ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms);
  });

  it.each(['', '30', 's', '-5s', '5 m', '0s', '5d', '1e3s', 'soon'])('rejects %j', (text) => {
    expect(parseDuration(text)).toBeUndefined();
  });
});
