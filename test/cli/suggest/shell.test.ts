import {execFileSync} from 'node:child_process';
import {describe, expect, it} from 'vitest';
import {printableLine} from '../../../src/domain/printable.js';
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
    '=ls',
    'a\tb c',
    ' a   b ',
    'a\u001b[2Jb',
    '\u202ea\u061c\u{e0041}',
    "%s\\n'\u009b31m$HOME`id`",
    '-\u200b',
  ])('%j reaches the program unchanged, and is printable', (word) => {
    const quoted = shellWord(word);
    expect(printableLine(quoted)).toBe(quoted);
    for (const shell of ['sh', 'bash']) {
      expect(execFileSync(shell, ['-c', `printf '%s' ${quoted}`], {encoding: 'utf8'})).toBe(word);
    }
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
    ['a\nb', `"$(printf -- 'a\\012b')"`],
  ])('%j is %s', (path, expected) => {
    expect(shellPath(path)).toBe(expected);
  });
});

describe('a command as typed', () => {
  it('is quoted word by word', () => {
    expect(typedCommand('up', ['c1', '--reason', 'it has to be'])).toBe("kubectl mesh up c1 --reason 'it has to be'");
  });
});
