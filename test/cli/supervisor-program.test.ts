import {describe, expect, it} from 'vitest';
import {supervisorProgram} from '../../src/cli/supervisor-program.js';

describe('the program that supervises a run', () => {
  it("is Node with the package's executable", () => {
    const started = {isSingleBinary: false, file: '/opt/kubectl-mesh/bin/run.js'};
    expect(supervisorProgram('/opt/kubectl-mesh', started)).toEqual({
      file: process.execPath,
      args: ['/opt/kubectl-mesh/bin/run.js', '__supervise'],
    });
  });

  it('is a single binary itself', () => {
    const started = {isSingleBinary: true, file: undefined};
    expect(supervisorProgram('/nowhere', started)).toEqual({file: process.execPath, args: ['__supervise']});
  });

  it.each(['/opt/other/bin/run.js', '/opt/kubectl-mesh/node_modules/.bin/vitest', undefined])(
    'is none if %s runs our code',
    (file) => {
      expect(supervisorProgram('/opt/kubectl-mesh', {isSingleBinary: false, file})).toBeUndefined();
    },
  );

  it('is none in this test', () => {
    expect(supervisorProgram(process.cwd())).toBeUndefined();
  });
});
