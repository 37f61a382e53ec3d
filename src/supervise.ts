/** The entry point of the supervisor (src/tools/supervisor.ts), which bin/run.js loads instead of the program. */
import {createProcesses} from './tools/processes.js';
import {runPs} from './tools/runner.js';
import {supervise} from './tools/supervise.js';
import {hasProc, readProcess, readProcesses} from './workspace/processes.js';
import {removeTemporaryDirectory} from './workspace/temporary.js';

/** Supervises the run at the other end of standard input, and exits after it. */
export async function main(): Promise<void> {
  // A signal to all our processes, as from systemd or `pkill`, must not end the supervisor before the run.
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => undefined);
  await supervise({
    pipe: process.stdin,
    processes: createProcesses(hasProc() ? {readProcess, readProcesses} : undefined, runPs),
    removeDirectory: removeTemporaryDirectory,
  });
  process.exit(0);
}
