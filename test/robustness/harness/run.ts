/** Runs the built program as a child process that cannot outlive its time, however it hangs. */
import {type ChildProcess, spawn, type StdioOptions} from 'node:child_process';
import {join} from 'node:path';
import {expect} from 'vitest';
import {root} from '../../smoke/program.js';

/** The executable of the checkout. */
export const program = join(root, 'bin/run.js');

/** The output of a finished run. */
export interface Run {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  /** It did not end by itself. */
  readonly hung: boolean;
}

/** How a run is started. */
export interface RunOptions {
  readonly cwd: string;
  /** The whole environment. */
  readonly env: Readonly<Record<string, string>>;
  readonly input?: string;
  /** When it is killed with all its children. Milliseconds. */
  readonly limitMs?: number;
  /** Program and arguments that start it: `unshare …`, `prlimit …`. */
  readonly through?: readonly string[];
  /** Called with the child as soon as it runs. */
  readonly onStart?: (child: ChildProcess) => void;
  readonly stdio?: StdioOptions;
}

/** More than any run of a test takes, even on a busy machine. Milliseconds. */
const defaultLimitMs = 60_000;

/** Runs `kubectl-mesh` to its end. */
export function runBuilt(args: readonly string[], options: RunOptions): Promise<Run> {
  const [file = process.execPath, ...words] = [...(options.through ?? []), process.execPath, program, ...args];
  return runChild(file, words, options);
}

/** Runs any program to its end. */
export function runChild(file: string, args: readonly string[], options: RunOptions): Promise<Run> {
  return new Promise((resolve, reject) => {
    const child = spawn(file, args, {
      cwd: options.cwd,
      env: {...options.env},
      // A process group of its own, so that nothing of a run that hangs is left.
      detached: true,
      stdio: options.stdio ?? [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    let [stdout, stderr, hung] = ['', '', false];
    child.stdout?.on('data', (text: Buffer) => (stdout += text.toString('utf8')));
    child.stderr?.on('data', (text: Buffer) => (stderr += text.toString('utf8')));
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(options.input);
    const timer = setTimeout(() => {
      hung = true;
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    }, options.limitMs ?? defaultLimitMs);
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      resolve({code, signal, stdout, stderr, hung});
    });
    options.onStart?.(child);
  });
}

/** A run that ended by itself, with one of the program's exit codes and without a crash. */
export function expectNoCrash(run: Run, what: string): void {
  const seen = `${what}\n${run.stdout}\n${run.stderr}`;
  expect(run.hung, seen).toBe(false);
  expect(run.signal, seen).toBeNull();
  expect([0, 1, 2, 3, 4, 5, 124, 130], seen).toContain(run.code);
  expect(run.stderr, seen).not.toMatch(/\n\s+at .*[:(]|bug in kubectl mesh|\(node:\d+\)|Unhandled/);
  expect(run.stdout, seen).not.toMatch(/\n\s+at .*\.js:\d|"INTERNAL"/);
}

/** A run that ended with this exit code and printed a reason. */
export function expectExit(run: Run, code: number, what: string): void {
  expectNoCrash(run, what);
  expect(run.code, `${what}\n${run.stdout}\n${run.stderr}`).toBe(code);
  if (code !== 0) expect(`${run.stdout}${run.stderr}`.trim(), what).not.toBe('');
}
