import {readFileSync} from 'node:fs';
import {describe, expect, it} from 'vitest';
import {renderSuggestion} from '../../../src/cli/suggest/render.js';
import {meshCommands, type MeshCommand} from '../../../src/domain/suggest/mesh-commands.js';
import {kubectlMesh} from '../../../src/domain/suggest/suggestion.js';

interface Manifest {
  readonly commands: Readonly<Record<string, {readonly flags: Readonly<Record<string, {readonly char?: string}>>}>>;
}

const {commands} = JSON.parse(
  readFileSync(new URL('../../../oclif.manifest.json', import.meta.url), 'utf8'),
) as Manifest;
const names = Object.keys(commands).map((id) => id.replaceAll(':', ' '));
const typed = {
  workDir: '/w',
  directory: '/w',
  kubeconfig: 'k',
  context: 'x',
  istioNamespace: 'i',
  as: 'u',
  asGroups: ['g'],
};

function flagsOf(name: string): Manifest['commands'][string]['flags'] {
  return commands[name.replaceAll(' ', ':')]?.flags ?? {};
}

describe('the table of commands', () => {
  it('has exactly the commands of the manifest', () => {
    expect(Object.keys(meshCommands).sort()).toEqual([...names].sort());
  });

  it.each(names)('records whether %s changes anything', (name) => {
    // verify changes something with --traffic only, which is never suggested.
    expect(meshCommands[name as MeshCommand].changes).toBe('dry-run' in flagsOf(name) && name !== 'verify');
  });

  it.each(names)('adds to %s only flags that it has, each once', (name) => {
    const flags = flagsOf(name);
    const text = renderSuggestion(kubectlMesh(name as MeshCommand), typed);
    const rest = text.slice(`kubectl mesh ${name}`.length).trim().split(' ');
    const given = rest.filter((_, index) => index % 2 === 0);
    expect(given).toContain('-w');
    expect(new Set(given).size).toBe(given.length);
    for (const word of given) {
      const isKnown = word.startsWith('--')
        ? word.slice(2) in flags
        : Object.values(flags).some(({char}) => char === word.slice(1));
      expect(isKnown, `${name} ${word}`).toBe(true);
    }
  });

  it.each(names)('repeats every target flag of %s if it accesses clusters', (name) => {
    const all = ['work-dir', 'kubeconfig', 'context', 'istio-namespace', 'as'].filter((flag) => flag in flagsOf(name));
    const added: readonly string[] = meshCommands[name as MeshCommand].flags;
    // The others are for runs that are never suggested: --live, a signer in a cluster.
    const expected = name === 'certs list' || name === 'certs generate' ? ['work-dir'] : all;
    expect(added).toEqual(expected);
  });
});
