/** The temporary directory and the child processes of one scenario; both are gone after `close()`. */
import {spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {BenchError} from './bench-error.js';

/** A child process to run to its end. */
export interface Child {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Exit codes that are no failure; 0 when absent. */
  readonly accept?: readonly number[];
}

/** A child that ended as it should. */
export interface Ended {
  /** From spawn to exit, wall clock. Milliseconds. */
  readonly ms: number;
  readonly stdout: string;
}

/** A directory and what runs in it. */
export class Sandbox {
  readonly dir = mkdtempSync(join(tmpdir(), 'kubectl-mesh-bench-'));
  readonly #closers: (() => Promise<void>)[] = [];
  #directories = 0;

  constructor(readonly signal: AbortSignal) {}

  /** A new, empty directory. */
  directory(): string {
    this.#directories += 1;
    const path = join(this.dir, String(this.#directories));
    mkdirSync(path);
    return path;
  }

  /** Does something once the scenario is over, however it ends. */
  onClose(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** Runs a child to its end. Throws `BenchError` with what it said when it fails. */
  async run(child: Child): Promise<Ended> {
    this.signal.throwIfAborted();
    const {file, args, cwd = this.dir, env = process.env, accept = [0]} = child;
    const began = process.hrtime.bigint();
    const started = spawn(file, args, {
      cwd,
      env,
      stdio: ['ignore', 'pipe', 'pipe'],
      signal: this.signal,
      killSignal: 'SIGINT',
    });
    let ended = began;
    let stdout = '';
    let stderr = '';
    started.stdout.setEncoding('utf8').on('data', (text: string) => (stdout += text));
    started.stderr.setEncoding('utf8').on('data', (text: string) => (stderr += text));
    started.on('exit', () => (ended = process.hrtime.bigint()));
    const code = await new Promise<number | null>((resolve, reject) => {
      started.on('error', reject);
      started.on('close', resolve);
    });
    if (code === null || !accept.includes(code)) {
      const said = `${stdout}\n${stderr}`.trim().slice(-2000);
      throw new BenchError(`${[file, ...args].join(' ')} ended with ${String(code)}:\n${said}`);
    }
    return {ms: Number(ended - began) / 1e6, stdout};
  }

  async close(): Promise<void> {
    for (const close of this.#closers.toReversed()) await close();
    rmSync(this.dir, {recursive: true, force: true});
  }
}
