/** Runs the built program as a child process, as a shell would. */
import {spawnSync} from 'node:child_process';
import {dirname, join} from 'node:path';
import {fileURLToPath} from 'node:url';

/** The checkout. */
export const root = join(dirname(fileURLToPath(import.meta.url)), '../..');

/** The output of a finished child process. */
export interface ProgramOutput {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs any program and waits for it. */
export function runProgram(
  file: string,
  args: readonly string[],
  options: {readonly cwd?: string; readonly env?: NodeJS.ProcessEnv} = {},
): ProgramOutput {
  const result = spawnSync(file, args, {encoding: 'utf8', ...options});
  if (result.error) throw result.error;
  return {code: result.status, stdout: result.stdout, stderr: result.stderr};
}

/** Runs `kubectl-mesh` of the checkout. */
export function runMesh(args: readonly string[], options: Parameters<typeof runProgram>[2] = {}): ProgramOutput {
  return runProgram(process.execPath, [join(root, 'bin/run.js'), ...args], options);
}
