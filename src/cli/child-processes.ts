/** Composes what runs other programs. Loaded on first use. */
import {createProcesses} from '../tools/processes.js';
import type {Program, Runner} from '../tools/programs.js';
import {createRunner, runPs, startSupervisor, type RunnerOptions} from '../tools/runner.js';
import {createSupervisor, type Supervisor} from '../tools/supervisor.js';
import {hasProc, readProcess, readProcesses} from '../workspace/processes.js';

/** The options of {@link createChildProcesses}. */
export interface ChildProcessesOptions extends Pick<RunnerOptions, 'environment' | 'signal'> {
  /** Starts the supervisor; undefined: children are ended only if this process ends regularly. */
  readonly supervisor: Program | undefined;
}

/** Runs programs, none of which outlives this process. */
export interface ChildProcesses {
  readonly runner: Runner;
  readonly supervisor: Supervisor;
}

/** Creates the runner and its supervisor, which is not started yet. */
export function createChildProcesses({
  environment,
  signal,
  supervisor: program,
}: ChildProcessesOptions): ChildProcesses {
  const supervisor = createSupervisor(program && (() => startSupervisor(program, environment)));
  const processes = createProcesses(hasProc() ? {readProcess, readProcesses} : undefined, runPs);
  return {runner: createRunner({environment, signal, processes, supervisor}), supervisor};
}
