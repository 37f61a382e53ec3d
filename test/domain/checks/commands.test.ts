import {describe, expect, it} from 'vitest';
import {commandsFor} from '../../../src/domain/checks/commands.js';

const typed = {workDir: '/w d', kubeconfig: 'k', context: 'x', istioNamespace: 'i', as: 'u'};

describe('complete', () => {
  it.each([
    ['kubectl mesh trust push c1', "kubectl mesh trust push -w '/w d' --kubeconfig k --context x -n i --as u c1"],
    ['make it: kubectl mesh certs generate c1', "make it: kubectl mesh certs generate -w '/w d' c1"],
    ['kubectl mesh init c1=CONTEXT adds it', "kubectl mesh init -w '/w d' c1=CONTEXT adds it"],
    ['kubectl mesh certs request c1 --renew', "kubectl mesh certs request -w '/w d' c1 --renew"],
    ['kubectl mesh certs import c2 FILE...', "kubectl mesh certs import -w '/w d' c2 FILE..."],
    ['kubectl mesh access show c1', "kubectl mesh access show -w '/w d' --kubeconfig k --context x -n i --as u c1"],
    // It has neither --kubeconfig nor --as.
    ['kubectl mesh install render c1', "kubectl mesh install render -w '/w d' --context x -n i c1"],
    ['kubectl mesh updates nothing', 'kubectl mesh updates nothing'],
    ['kubectl get pods', 'kubectl get pods'],
    [
      'ask: kubectl auth can-i list pods --context c',
      'ask: kubectl --kubeconfig k --as u auth can-i list pods --context c',
    ],
    ['kubectl --context c get --raw /version', 'kubectl --kubeconfig k --as u --context c get --raw /version'],
  ])('spells %j with the flags typed', (text, expected) => {
    expect(commandsFor(typed).complete(text)).toBe(expected);
  });

  it('adds nothing twice', () => {
    const commands = commandsFor({...typed, asGroups: ['g', 'h i']});
    const once = commands.complete('kubectl --context c get --raw /version');
    expect(once).toBe("kubectl --kubeconfig k --as u --as-group g --as-group 'h i' --context c get --raw /version");
    expect(commands.complete(once)).toBe(once);
    const whole = commands.kubectl({name: 'c', context: 'c', role: 'primary'}, 'get pods');
    expect(commands.complete(whole)).toBe(whole);
  });

  it('leaves texts alone where nothing was typed', () => {
    expect(commandsFor({}).complete('kubectl mesh trust push c1')).toBe('kubectl mesh trust push c1');
  });
});
