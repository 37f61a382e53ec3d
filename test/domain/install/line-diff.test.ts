import {describe, expect, it} from 'vitest';
import {lineDiff} from '../../../src/domain/install/install-yaml.js';

describe('lineDiff', () => {
  it.each<[string, string, string, readonly string[]]>([
    ['nothing', 'a\nb\n', 'a\nb\n', []],
    ['a new text', '', 'a\n', ['+ a']],
    ['a removed text', 'a\n', '', ['- a']],
    ['a changed line', 'a\nb\nc\n', 'a\nx\nc\n', ['- b', '+ x']],
    ['lines in the middle', 'a\nd\n', 'a\nb\nc\nd\n', ['+ b', '+ c']],
    ['a moved line', 'a\nb\nc\n', 'b\nc\na\n', ['- a', '+ a']],
    ['repeated lines', 'a\na\nb\n', 'a\nb\nb\n', ['- a', '+ b']],
    ['only the last line feed', 'a', 'a\n', []],
  ])('shows %s', (_what, before, after, expected) => {
    expect(lineDiff(before, after)).toEqual(expected);
  });

  it('counts the lines of very long texts instead of comparing them', () => {
    expect(lineDiff('a\n'.repeat(3000), 'b\n')).toEqual(['- 3000 lines', '+ 1 lines']);
  });
});
