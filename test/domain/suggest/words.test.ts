import {describe, expect, it} from 'vitest';
import {inWorkDir, Variable, words} from '../../../src/domain/suggest/suggestion.js';

describe('words', () => {
  it("are split only at the template's spaces", () => {
    expect(words`-n istio-system  get pods`).toEqual(['-n', 'istio-system', 'get', 'pods']);
    expect(words`logs ${'a pod; of mine'} --tail=20`).toEqual(['logs', 'a pod; of mine', '--tail=20']);
  });

  it('join interpolated text with adjacent text', () => {
    expect(words`describe deployment/${'i o'}.x ${'a'}=${'b'}`).toEqual(['describe', 'deployment/i o.x', 'a=b']);
  });

  it('keep paths, variables and lists separate', () => {
    const [path, variable] = [inWorkDir('c1/ca-key.pem'), new Variable('namespace')];
    expect(words`chmod 600 ${path} -n ${variable}`).toEqual(['chmod', '600', path, '-n', variable]);
    expect(words`get ${['a b', 'c']} ${[]} -A`).toEqual(['get', 'a b', 'c', '-A']);
  });

  it('keep an interpolated empty word', () => {
    expect(words`-l ${''}`).toEqual(['-l', '']);
  });
});
