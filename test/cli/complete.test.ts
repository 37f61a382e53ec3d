import {describe, expect, it} from 'vitest';
import {completions, type CompletableCommands} from '../../src/cli/complete.js';

const commands: CompletableCommands = {
  init: {summary: 'Make a work directory', flags: {}},
  'trust:push': {
    summary: 'Give clusters their CA',
    flags: {
      output: {type: 'option', char: 'o', options: ['text', 'json'], description: 'how'},
      kubeconfig: {type: 'option', description: 'a file'},
      yes: {type: 'boolean', char: 'y', description: 'agree'},
      secret: {type: 'boolean', hidden: true},
    },
  },
  'trust:diff': {summary: 'Compare', flags: {}},
  'certs:inspect': {summary: 'Show', flags: {}, args: {target: {description: 'a cluster, a file, or -'}}},
  'trust:rotate:cluster-ca': {summary: 'Replace', flags: {}},
  'trust:debug': {hidden: true, flags: {}},
};

describe('completions', () => {
  it.each([
    [[''], ['init\tMake a work directory', 'trust', 'certs', ':4']],
    [['tr'], ['trust', ':4']],
    [
      ['trust', ''],
      ['push\tGive clusters their CA', 'diff\tCompare', 'rotate', ':4'],
    ],
    [
      ['trust', 'rotate', ''],
      ['cluster-ca\tReplace', ':4'],
    ],
    [
      ['trust', 'push', '--'],
      ['--output\thow', '--kubeconfig\ta file', '--yes\tagree', ':4'],
    ],
    [
      ['trust', 'push', '-o', 'j'],
      ['json', ':4'],
    ],
    [['trust', 'push', '--kubeconfig', ''], [':0']],
    [
      ['trust', 'push', 'cluster1', '--y'],
      ['--yes\tagree', ':4'],
    ],
    [['certs', 'inspect', ''], [':0']],
    [['trust', 'push', ''], [':4']],
    [['nothing', ''], [':4']],
  ])('%j: %j', (words, lines) => {
    expect(completions(commands, words).split('\n')).toEqual(lines);
  });
});
