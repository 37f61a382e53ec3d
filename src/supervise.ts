/** The entry point of the supervisor (src/tools/supervisor.ts), which bin/run.js loads instead of the program. */
import {createProcesses, type RunPs} from './tools/processes.js';
import {supervise} from './tools/supervise.js';
import {tokenVariable} from './tools/supervisor.js';
import {hasProc, processesWith, readProcess, readProcesses} from './workspace/processes.js';
import {removeTemporaryDirectory} from './workspace/temporary.js';

/** Supervises the run at the other end of standard input, and exits after it. */
export async function main(): Promise<void> {
  const runPs: RunPs = async (args) => (await import('./tools/runner.js')).runPs(args);
  await supervise({
    pipe: process.stdin,
    processes: createProcesses(hasProc() ? {readProcess, readProcesses} : undefined, runPs),
    findByToken: hasProc() ? (token) => processesWith(tokenVariable, token) : undefined,
    removeDirectory: removeTemporaryDirectory,
  });
  process.exit(0);
}
