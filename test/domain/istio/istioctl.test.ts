import {expect, it} from 'vitest';
import {applyCommand, applyCommands} from '../../../src/domain/istio/istioctl.js';
import {version} from './version.js';

it.each([
  ['1.6.0', 'manifest apply', ['--wait']],
  ['1.6.14', 'manifest apply', ['--wait']],
  ['1.7.0', 'install', []],
  ['1.31.0', 'install', []],
])('%s installs with %s', (text, words, flags) => {
  expect(applyCommand(version(text))).toEqual({words: words.split(' '), flags});
});

it('has a source for every command', () => {
  for (const {source} of applyCommands) expect(source).toMatch(/\.go$/);
});
