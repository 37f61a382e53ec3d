/** How errors, hints and tables look in every view. */
import {describe, expect, it} from 'vitest';
import {MeshError} from '../../src/domain/errors.js';
import {errorAsText} from '../../src/cli/show-error.js';
import {columns, errorLines, failedLines} from '../../src/output/format.js';

describe('an error', () => {
  it('is its message with the hints below it', () => {
    expect(errorLines({message: 'cannot read Secret', hints: ['log in', 'try\nagain']})).toEqual([
      'cannot read Secret',
      '  → log in',
      '  → try again',
    ]);
  });

  it('has at most three lines above its hints; the rest of a longer message follows', () => {
    const message = 'istioctl failed (exit 1)\nnot ready:\n  istiod-1\nc2: unchanged\n  no image';
    expect(failedLines({name: 'c1', outcome: 'failed'}, {message, hints: ['look at the pods']})).toEqual([
      'c1: failed: istioctl failed (exit 1)',
      '  not ready:',
      '  istiod-1',
      '  → look at the pods',
      '  c2: unchanged',
      '  no image',
    ]);
  });

  it('looks the same on standard error, with a red title at a terminal', () => {
    const error = new MeshError('NOT_READY', 'istiod is not ready', {hints: ['wait']});
    expect(errorAsText(error, false)).toBe('error: istiod is not ready\n  → wait');
    expect(errorAsText(error, true)).toBe('\u001b[31merror:\u001b[39m istiod is not ready\n  → wait');
  });
});

it('columns are as wide as their widest cell, without spaces at the end', () => {
  expect(
    columns([
      ['mesh', '2 checks ok'],
      ['cluster1', '1 check ok'],
      ['c2', ''],
    ]),
  ).toEqual(['mesh      2 checks ok', 'cluster1  1 check ok', 'c2']);
});
