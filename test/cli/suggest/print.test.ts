import {describe, expect, it} from 'vitest';
import {printError, printResult} from '../../../src/cli/suggest/print.js';
import {MeshError} from '../../../src/domain/errors.js';
import {advice, kubectlMesh, inspectWith, sequence} from '../../../src/domain/suggest/suggestion.js';

const typed = {workDir: 'w'};
const push = kubectlMesh('trust push', ['c1', '--yes']);

describe('a printed result', () => {
  it('contains suggestions and hints as text, and all other values unchanged', () => {
    const run = (): string => 'x';
    const at = new Date(0);
    const result = {
      checks: [{fix: push, name: 'kubectl mesh trust push c1'}],
      error: {hints: ['wait', advice`see ${kubectlMesh('certs list')}`]},
      nothing: undefined,
      none: null,
      at,
      run,
    };
    const printed = printResult(result, typed);
    expect(printed.checks[0]?.name).toBe('kubectl mesh trust push c1');
    expect(printed.error.hints).toEqual(['wait', 'see kubectl mesh certs list -w w']);
    expect([printed.none, printed.nothing, printed.at, printed.run]).toEqual([null, undefined, at, run]);
    expect(JSON.parse(JSON.stringify(printed))).toMatchObject({
      checks: [{fix: 'kubectl mesh trust push c1 --yes -w w'}],
    });
  });

  it.each([
    [push, 'fix', true],
    [kubectlMesh('init'), 'fix', false],
    [inspectWith.kubectl('any', ['delete', '--yes']), 'inspect', false],
    [sequence(inspectWith.run('a', []), push), 'fix', true],
  ] as const)('contains the purpose of a command, and whether it includes --yes: %j', (fix, purpose, includesYes) => {
    expect(printResult({fix}, {}).fix).toMatchObject({purpose, includesYes});
  });
});

describe('a printed error', () => {
  it('keeps code, message and cause', () => {
    const cause = new Error('below');
    const error = new MeshError('USAGE', 'what', {hints: [advice`${kubectlMesh('verify')}`], cause});
    const printed = printError(error, typed);
    expect([printed.code, printed.message, printed.cause, printed.hints]).toEqual([
      'USAGE',
      'what',
      cause,
      ['kubectl mesh verify -w w'],
    ]);
  });

  it('is the same error if it contains no suggestions', () => {
    const error = new MeshError('USAGE', 'what', {hints: ['wait']});
    expect(printError(error, typed)).toBe(error);
  });
});
