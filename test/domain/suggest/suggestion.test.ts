import {describe, expect, it} from 'vitest';
import {
  advice,
  edit,
  firstCommand,
  fixWith,
  forEach,
  ifExists,
  runAll,
  inWorkDir,
  kubectlMesh,
  inspectWith,
  meshCommandsIn,
  OutputOf,
  pipe,
  script,
  sequence,
  type Suggestion,
  Variable,
  writeTo,
} from '../../../src/domain/suggest/suggestion.js';

const look = inspectWith.kubectl('any', ['get', 'pods']);
const fix = fixWith.run('mv', ['a', 'b']);
const push = kubectlMesh('trust push', ['c1', '--yes']);
const file = inWorkDir('x');
const variable = new Variable('namespace');

describe('what a suggestion is for', () => {
  it.each<[string, Suggestion, 'fix' | 'look']>([
    ['a command of this program that changes something', push, 'fix'],
    ['its dry run', kubectlMesh('trust push', ['c1', '--dry-run']), 'look'],
    ['a command of this program that only shows', kubectlMesh('certs list'), 'look'],
    ['the editor', edit(file), 'fix'],
    ['steps that only look', sequence(look, look), 'look'],
    ['steps of which one changes something', sequence(look, fix), 'fix'],
    ['the same, whatever becomes of the first', runAll(look, fix), 'fix'],
    ['a pipe into a filter', pipe(look, inspectWith.run('grep', ['x'])), 'look'],
    ['a pipe into something that changes', pipe(look, fixWith.kubectl('any', ['apply', '-f', '-'])), 'fix'],
    ['output into a file', writeTo(file, look), 'fix'],
    ['a loop that looks', forEach(variable, ['a'], () => look), 'look'],
    ['a loop that changes', forEach(variable, ['a'], () => fix), 'fix'],
    ['what is done where a file exists', ifExists(file, fix), 'fix'],
    ['a script', script('look')`${look} && true`, 'look'],
  ])('%s', (_, {purpose, changes}, expected) => {
    expect(purpose).toBe(expected);
    expect(changes).toBe(expected === 'fix');
  });
});

describe('a sequence', () => {
  it('of one step is that step', () => {
    expect(sequence(look)).toBe(look);
  });
});

describe("this program's commands", () => {
  it('are found wherever they stand', () => {
    const all = sequence(
      pipe(look, push),
      writeTo(file, push),
      ifExists(
        file,
        forEach(variable, ['a'], () => push),
      ),
      script('fix')`${push} || ${fix}`,
      edit(file),
    );
    expect(meshCommandsIn(all)).toHaveLength(4);
    expect(meshCommandsIn(all).every(({command}) => command === 'trust push')).toBe(true);
    expect(meshCommandsIn(kubectlMesh('init', [new OutputOf(look)]))).toHaveLength(1);
  });
});

describe('the command among hints', () => {
  it('is the first one in any of them', () => {
    expect(firstCommand(['wait', advice`or see ${look}, then ${push}`])).toBe(look);
    expect(firstCommand(['wait', advice`for ${'nothing'}`])).toBeUndefined();
  });
});
