import {describe, expect, it} from 'vitest';
import {nearestCommand} from '../../src/cli/unknown-command.js';

const commands = ['init', 'trust push', 'trust diff', 'certs generate', 'up'];

describe('nearestCommand', () => {
  it.each([
    [['trust', 'pish', 'cluster1'], 'trust push'],
    [['inti'], 'init'],
    [['cert', 'genrate'], 'certs generate'],
  ])('%j may have meant %s', (words, meant) => {
    expect(nearestCommand(words, commands)).toBe(meant);
  });

  it('has no suggestion for what resembles nothing', () => {
    expect(nearestCommand(['obliterate'], commands)).toBeUndefined();
  });
});
