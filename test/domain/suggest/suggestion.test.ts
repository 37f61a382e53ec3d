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

describe('the purpose of a suggestion', () => {
  it.each<[string, Suggestion, 'fix' | 'inspect']>([
    ['a command of this program that changes something', push, 'fix'],
    ['its dry run', kubectlMesh('trust push', ['c1', '--dry-run']), 'inspect'],
    ['a command of this program that changes nothing', kubectlMesh('certs list'), 'inspect'],
    ['the editor', edit(file), 'fix'],
    ['steps that change nothing', sequence(look, look), 'inspect'],
    ['steps, one of which changes something', sequence(look, fix), 'fix'],
    ['the same, ignoring failures', runAll(look, fix), 'fix'],
    ['a pipe into a filter', pipe(look, inspectWith.run('grep', ['x'])), 'inspect'],
    ['a pipe into a command that changes something', pipe(look, fixWith.kubectl('any', ['apply', '-f', '-'])), 'fix'],
    ['output written to a file', writeTo(file, look), 'fix'],
    ['a loop that changes nothing', forEach(variable, ['a'], () => look), 'inspect'],
    ['a loop that changes something', forEach(variable, ['a'], () => fix), 'fix'],
    ['a command that runs if a file exists', ifExists(file, fix), 'fix'],
    ['a script', script('inspect')`${look} && true`, 'inspect'],
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
  it('are found at any depth', () => {
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

describe('firstCommand', () => {
  it('returns the first command of all hints', () => {
    expect(firstCommand(['wait', advice`or see ${look}, then ${push}`])).toBe(look);
    expect(firstCommand(['wait', advice`for ${'nothing'}`])).toBeUndefined();
  });
});
