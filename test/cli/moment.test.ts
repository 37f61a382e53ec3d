import {describe, expect, it} from 'vitest';
import {parseMoment} from '../../src/cli/flags/duration.js';

const now = new Date('2026-06-01T00:00:00Z');

describe('parseMoment', () => {
  it.each([
    ['24h', '2026-05-31T00:00:00.000Z'],
    ['30d', '2026-05-02T00:00:00.000Z'],
    ['1d12h', '2026-05-30T12:00:00.000Z'],
    ['90m', '2026-05-31T22:30:00.000Z'],
    ['2026-05-01T00:00:00Z', '2026-05-01T00:00:00.000Z'],
    ['2026-05-01t10:00:00.5z', '2026-05-01T10:00:00.500Z'],
    ['2026-05-01T02:00:00+02:00', '2026-05-01T00:00:00.000Z'],
    ['2024-02-29T00:00:00Z', '2024-02-29T00:00:00.000Z'],
  ])('reads %s as %s', (text, moment) => {
    expect(new Date(parseMoment(text, now) ?? Number.NaN).toISOString()).toBe(moment);
  });

  it.each([
    '',
    'd',
    '0d',
    '30',
    '-1d',
    '1.5d',
    '12h1d',
    '1w',
    'yesterday',
    '2026-05-01',
    '2026-05-01T00:00:00',
    '2026-05-01 00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-05-01T25:00:00Z',
    '1777593600',
  ])('rejects %j', (text) => {
    expect(parseMoment(text, now)).toBeUndefined();
  });
});
