import {describe, expect, it} from 'vitest';
import {exitCode} from '../../src/cli/exit-code.js';
import type {Conclusion} from '../../src/engine/operation.js';

describe('exitCode', () => {
  it.each<[readonly Conclusion[], number]>([
    [[], 0],
    [['done'], 0],
    [['TOOL_FAILED'], 1],
    [['INTERNAL'], 1],
    [['USAGE'], 2],
    [['WRONG_PASSPHRASE'], 2],
    [['findings'], 3],
    [['FORBIDDEN'], 4],
    [['CONFIRMATION_NEEDED'], 5],
    [['TIMEOUT'], 124],
    [['INTERRUPTED'], 130],
  ])('turns %j into %i', (conclusions, code) => {
    expect(exitCode(conclusions)).toBe(code);
  });

  it('returns the first of 130, 124, 2, 1, 5, 3, 4, 0 that occurred in any cluster', () => {
    const fromWorst: Conclusion[] = [
      'INTERRUPTED',
      'TIMEOUT',
      'USAGE',
      'REJECTED',
      'UID_MISMATCH',
      'findings',
      'UNREACHABLE',
      'done',
    ];
    const codes = fromWorst.map((_, index) => exitCode(fromWorst.slice(index).reverse()));
    expect(codes).toEqual([130, 124, 2, 1, 5, 3, 4, 0]);
  });
});
