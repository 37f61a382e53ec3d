/** The runner of the program, for tests that run real child processes: without a supervisor, unless they start one. */
import {createChildProcesses, type ChildProcessesOptions} from '../../src/cli/child-processes.js';
import type {Runner} from '../../src/tools/programs.js';

export function createRunner(options: Omit<ChildProcessesOptions, 'supervisor'>): Runner {
  return createChildProcesses({...options, supervisor: undefined}).runner;
}
