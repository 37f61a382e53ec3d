import {execFileSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {shellPath, shellWord, typedCommand} from '../../../src/cli/suggest/shell.js';

describe('a shell word', () => {
  it.each([
    'plain-1.2_3@x%+=:,./',
    'two words',
    "it's",
    '"double"',
    '$HOME',
    '`id`',
    '$(id)',
    'a;b&c|d>e<f',
    '*?[x]{a,b}',
    '~',
    '#x',
    '!',
    '\\',
    'a\nb',
    '',
    '-n',
  ])('%j reaches the program unchanged', (word) => {
    const seen = execFileSync('sh', ['-c', `printf '%s' ${shellWord(word)}`], {encoding: 'utf8'});
    expect(seen).toBe(word);
  });

  it('is quoted only if necessary', () => {
    expect(shellWord('c1/ca-key.pem')).toBe('c1/ca-key.pem');
    expect(shellWord('/w d')).toBe("'/w d'");
  });
});

describe('a shell path', () => {
  it.each([
    ['c1/ca-key.pem', 'c1/ca-key.pem'],
    ['-rf', './-rf'],
    ['- x', "'./- x'"],
    ["it's", `'it'\\''s'`],
    // Unprintable characters become a wildcard.
    ['a\nb', 'a*b'],
    ['a\tb c', "a*'b c'"],
    ['a\u001b[2Jb', "a*'[2Jb'"],
    ['\u202ea', '*a'],
  ])('%j is %s', (path, expected) => {
    expect(shellPath(path)).toBe(expected);
  });
});

describe('a command as typed', () => {
  it('is quoted word by word', () => {
    expect(typedCommand('up', ['c1', '--reason', 'it has to be'])).toBe("kubectl mesh up c1 --reason 'it has to be'");
  });
});
