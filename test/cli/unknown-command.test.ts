import {Errors} from '@oclif/core';
import {describe, expect, it} from 'vitest';
import {likelyCommands, nearestCommand, showUnknownCommand} from '../../src/cli/unknown-command.js';
import {answerOf, runCommand} from '../helpers/run-command.js';

const commands = ['init', 'trust push', 'trust diff', 'certs generate', 'up', 'trust'];

describe('nearestCommand', () => {
  it.each([
    [['trust', 'pish', 'cluster1'], 'trust push'],
    [['inti'], 'init'],
    [['cert', 'genrate'], 'certs generate'],
    [['trst'], 'trust'],
  ])('suggests for %j: %s', (words, nearest) => {
    expect(nearestCommand(words, commands)).toBe(nearest);
  });

  it('suggests nothing for a word that resembles no command', () => {
    expect(nearestCommand(['obliterate'], commands)).toBeUndefined();
  });
});

describe('likelyCommands', () => {
  it.each([
    [['generate'], ['certs generate']],
    [['certs', 'gen'], ['certs generate']],
    [['version'], ['--version']],
    [['verson-of-nothing'], []],
  ])('suggests for %j: %j', (words, likely) => {
    expect(likelyCommands(words, commands)).toEqual(likely);
  });
});

describe('an unknown command', () => {
  const notFound = {
    run: async (argv: string[] = [], root = ''): Promise<never> => {
      throw new Errors.ExitError(await showUnknownCommand(new Errors.CLIError('not found'), argv, root));
    },
  };
  it.each([
    [['verfy'], 'unknown command "verfy"', 'did you mean kubectl mesh verify?', ''],
    [['trst'], 'unknown command "trst"', 'did you mean kubectl mesh trust?', ''],
    [['trust', 'pish', '--yes'], 'unknown command "trust pish"', 'did you mean kubectl mesh trust push?', 'trust '],
    [['trust', 'obliterate'], 'unknown command "trust obliterate"', undefined, 'trust '],
    [['obliterate'], 'unknown command "obliterate"', undefined, ''],
    [['--yes'], 'no command given before --yes', undefined, ''],
  ])('%j exits with 2 and suggests the nearest command', async (argv, message, suggestion, topic) => {
    const run = await runCommand(notFound, [...argv, '--json']);
    expect(run.code).toBe(2);
    const hints = [suggestion, `to list the commands, run: kubectl mesh ${topic}--help`].filter(Boolean);
    expect(answerOf(run)).toMatchObject({error: {code: 'USAGE', message, hints}});
  });

  it('is an unexpected argument after the name of a command without arguments', async () => {
    const {code, stderr} = await runCommand(notFound, ['monitor', 'rules', 'foo']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^error: unexpected argument "foo"\n.* kubectl mesh monitor rules --help\n$/);
  });
});
