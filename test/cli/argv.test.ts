import {describe, expect, it} from 'vitest';
import {helpArgv, normalizeArgv, wantsJson} from '../../src/cli/argv.js';

describe('normalizeArgv', () => {
  it.each([
    [
      ['--dry-run', 'cluster1'],
      ['--dry-run=client', 'cluster1'],
    ],
    [['--dry-run=server'], ['--dry-run=server']],
    [
      ['--', '--dry-run'],
      ['--', '--dry-run'],
    ],
    [
      ['cluster1', '--dry-run'],
      ['cluster1', '--dry-run=client'],
    ],
  ])('turns %j into %j', (typed, meant) => {
    expect(normalizeArgv(typed)).toEqual(meant);
  });
});

describe('helpArgv', () => {
  it.each([
    [['help'], ['--help']],
    [
      ['help', 'trust', 'push'],
      ['trust', 'push', '--help'],
    ],
    [
      ['init', 'help'],
      ['init', 'help'],
    ],
  ])('turns %j into %j', (typed, meant) => {
    expect(helpArgv(typed)).toEqual(meant);
  });
});

describe('wantsJson', () => {
  it.each([
    [['--json'], true],
    [['-o', 'json'], true],
    [['-ojson'], true],
    [['-o=json'], true],
    [['--output=json'], true],
    [['--output', 'json'], true],
    [['-o', 'text'], false],
    [['-o', 'json', '-o', 'text'], false],
    [['--json', '-o', 'text'], true],
    [['--', '--json'], false],
    [['json'], false],
    [[], false],
  ])('%j: %j', (argv, wanted) => {
    expect(wantsJson(argv)).toBe(wanted);
  });
});
