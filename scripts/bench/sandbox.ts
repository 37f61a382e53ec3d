/** The temporary directory and the child processes of one scenario; `close()` removes them. */
import {spawn} from 'node:child_process';
import {mkdirSync, mkdtempSync, rmSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {BenchError} from './bench-error.js';

/** A child process to run until it exits. */
export interface Child {
  readonly file: string;
  readonly args: readonly string[];
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/** A child that exited with 0. */
export interface Ended {
  /** Wall-clock time from spawn to exit. Milliseconds. */
  readonly ms: number;
  readonly stdout: string;
}

/** A temporary directory, and the child processes that run in it. */
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

  /** Registers a function that runs when the scenario is over, whether it succeeded or not. */
  onClose(close: () => Promise<void>): void {
    this.#closers.push(close);
  }

  /** Runs a child until it exits. Throws `BenchError` with its output when it exits with anything but 0. */
  async run(child: Child): Promise<Ended> {
    this.signal.throwIfAborted();
    const {file, args, cwd = this.dir, env = process.env} = child;
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
    if (code !== 0) {
      const output = `${stdout}\n${stderr}`.trim().slice(-2000);
      throw new BenchError(`${[file, ...args].join(' ')} exited with ${String(code)}:\n${output}`);
    }
    return {ms: Number(ended - began) / 1e6, stdout};
  }

  async close(): Promise<void> {
    try {
      for (const close of this.#closers.toReversed()) await close();
    } finally {
      rmSync(this.dir, {recursive: true, force: true});
    }
  }
}
