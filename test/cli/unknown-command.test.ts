import {describe, expect, it} from 'vitest';
import {nearestCommands} from '../../src/cli/unknown-command.js';

const commands = ['init', 'trust push', 'trust diff', 'certs generate', 'up'];

describe('nearestCommands', () => {
  it.each([
    [['trust', 'pish', 'cluster1'], 'trust push'],
    [['inti'], 'init'],
    [['cert', 'genrate'], 'certs generate'],
  ])('%j may have meant %s', (words, meant) => {
    expect(nearestCommands(words, commands)[0]).toBe(meant);
  });

  it('has no suggestion for what resembles nothing', () => {
    expect(nearestCommands(['obliterate'], commands)).toEqual([]);
  });
});
