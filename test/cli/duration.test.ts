import {describe, expect, it} from 'vitest';
import {parseDuration, parseRemaining} from '../../src/cli/flags/duration.js';

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

describe('parseRemaining', () => {
  it.each([
    ['30%', {share: 0.3, days: 0}],
    ['100%', {share: 1, days: 0}],
    ['30d', {share: 0, days: 30}],
    ['36h', {share: 0, days: 1.5}],
  ])('reads %s', (text, threshold) => {
    expect(parseRemaining(text)).toEqual(threshold);
  });

  it.each(['', '30', '0%', '101%', '-1%', '1.5%', '%', '0d', '30 %'])('rejects %j', (text) => {
    expect(parseRemaining(text)).toBeUndefined();
  });
});
