import {describe, expect, it} from 'vitest';
import {supervisorProgram} from '../../src/cli/supervisor-program.js';

describe('the program that supervises a run', () => {
  it("is Node with the package's executable", () => {
    expect(supervisorProgram('/opt/kubectl-mesh', '/opt/kubectl-mesh/bin/run.js')).toEqual({
      file: process.execPath,
      args: ['/opt/kubectl-mesh/bin/run.js', '__supervise'],
    });
  });

  it.each(['/opt/other/bin/run.js', '/opt/kubectl-mesh/node_modules/.bin/vitest'])(
    'is none if %s runs our code',
    (file) => {
      expect(supervisorProgram('/opt/kubectl-mesh', file)).toBeUndefined();
    },
  );

  it('is none in this test', () => {
    expect(supervisorProgram(process.cwd())).toBeUndefined();
  });
});
