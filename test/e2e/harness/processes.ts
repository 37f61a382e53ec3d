/**
 * Other programs, run or kept running, and the promise that nothing we start outlives us.
 *
 * A {@link Sandbox} is a short temporary directory plus the processes started in it. It is cleared by {@link Sandbox.close}
 * and, when this process dies in whatever way, by its reaper: a shell that waits for our end of a pipe to close.
 */
import {spawn, type ChildProcess} from 'node:child_process';
import {closeSync, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, readdirSync, rmSync} from 'node:fs';
import {createServer} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout as sleep} from 'node:timers/promises';

/** Something the harness itself could not do; the message is a sentence for people. */
export class HarnessError extends Error {
  override readonly name = 'HarnessError';
}

/** How a program is run. */
export interface RunOptions {
  readonly cwd?: string;
  /** The whole environment; absent: ours. */
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string;
  /** Standard input stays open until this settles: some programs run as long. */
  readonly inputUntil?: Promise<unknown>;
  /** A process group of its own, ended with it: what a program that was killed leaves behind goes, too. */
  readonly ownGroup?: boolean;
  /** Called once, when the program runs: to kill it on purpose. */
  readonly onStart?: (child: ChildProcess) => void;
  /** Every piece of output, for those who want to watch. */
  readonly onOutput?: (text: string) => void;
}

/** The output of a finished program. */
export interface Ran {
  /** Exit code; 128 + number for a signal is not made up: null then. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a program to its end; rejects only when it cannot be started. */
export function run(command: string, args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const {cwd, env = process.env, ownGroup = false} = options;
    const child = spawn(command, args, {cwd, env, stdio: 'pipe', detached: ownGroup});
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text;
      options.onOutput?.(text);
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text;
      options.onOutput?.(text);
    });
    child.on('error', reject);
    child.on('spawn', () => options.onStart?.(child));
    child.on('close', (code, signal) => {
      if (ownGroup && child.pid !== undefined) kill(-child.pid, 'SIGKILL');
      resolve({code, signal, stdout, stderr});
    });
    child.stdin.on('error', () => undefined).write(options.input ?? '');
    const endInput = (): void => void child.stdin.end();
    void Promise.resolve(options.inputUntil).then(endInput, endInput);
  });
}

/** Standard output of a program that must succeed, trimmed. */
export async function output(command: string, args: readonly string[], options: RunOptions = {}): Promise<string> {
  const ran = await run(command, args, options);
  if (ran.code !== 0) {
    throw new HarnessError(
      `${command} ${args.join(' ')} ended with ${String(ran.code ?? ran.signal)}:\n${ran.stderr}${ran.stdout}`,
    );
  }
  return ran.stdout.trim();
}

/** Waits until `probe` gives a value; throws what `describe` says after `timeoutMs`. An error of the probe is "not yet". */
export async function eventually<T>(
  describe: string,
  probe: () => Promise<T | undefined> | T | undefined,
  timeoutMs = 60_000,
): Promise<T> {
  const end = Date.now() + timeoutMs;
  let last: unknown;
  for (;;) {
    try {
      const value = await probe();
      if (value !== undefined) return value;
    } catch (error) {
      last = error;
    }
    if (Date.now() > end)
      throw new HarnessError(`${describe}: not within ${String(timeoutMs / 1000)} s`, {cause: last});
    await sleep(150);
  }
}

/**
 * Free ports of 127.0.0.1, below the range that the kernel gives to outgoing connections, so that a program which is
 * stopped and started again finds its port still free.
 */
export async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>();
  for (let tries = 0; found.size < count && tries < 1000; tries++) {
    const port = 20_000 + Math.floor(Math.random() * 12_000);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  if (found.size < count) throw new HarnessError(`no ${String(count)} free ports on 127.0.0.1`);
  return [...found];
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => {
      resolve(false);
    });
    server.listen(port, '127.0.0.1', () =>
      server.close(() => {
        resolve(true);
      }),
    );
  });
}

/** A program that goes on until it is stopped. */
export interface Daemon {
  readonly pid: number;
  readonly log: string;
  /** False once it has ended by itself or was stopped. */
  running(): boolean;
  /** How it ended, once it has. */
  readonly ended: Promise<{readonly code: number | null; readonly signal: NodeJS.Signals | null}>;
  /** SIGTERM to its process group, SIGKILL after `graceMs` (default 2000); resolves when it is gone. */
  stop(graceMs?: number): Promise<void>;
}

/** What to keep running. */
export interface DaemonSpec {
  /** Names the log file and the link by which the process is known. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  readonly cwd?: string;
}

/**
 * Waits until our end of its standard input closes, then kills every process whose program is named by a path in the sandbox,
 * and removes the directory. $1 = the directory.
 */
const reaperScript = `
trap '' INT TERM HUP
cat >/dev/null
for signal in TERM KILL; do
  ps -eo pid=,command= | while read -r pid program rest; do
    case "$program" in "$1"/*) kill -$signal "$pid" 2>/dev/null ;; esac
  done
  [ $signal = KILL ] || sleep 1
done
rm -rf "$1"
`;

/** After SIGTERM an API server completes requests in progress: seconds on a busy machine. Milliseconds. */
const leaveMs = 30_000;

/** A temporary directory and the processes that live in it. */
export class Sandbox {
  /** Short: a socket's path may have only 108 characters. */
  readonly dir: string;
  readonly #daemons = new Set<Daemon>();
  readonly #closers: (() => Promise<void>)[] = [];
  readonly #reaper: ChildProcess;

  constructor() {
    this.dir = mkdtempSync(join(tmpdir(), 'e2e-'));
    mkdirSync(join(this.dir, 'logs'));
    this.#reaper = spawn('sh', ['-c', reaperScript, 'reaper', this.dir], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
    });
    this.#reaper.unref();
  }

  /** Starts a program in a process group of its own, its output in logs/NAME.log. */
  start(spec: DaemonSpec): Daemon {
    const log = join(this.dir, 'logs', `${spec.name}.log`);
    const descriptor = openSync(log, 'a');
    const child = spawn(spec.command, spec.args, {
      // A program named by a path in the sandbox is known as ours, to the reaper and to leftovers().
      argv0: join(this.dir, 'bin', spec.name),
      cwd: spec.cwd ?? this.dir,
      env: spec.env ?? process.env,
      stdio: ['ignore', descriptor, descriptor],
      detached: true,
    });
    closeSync(descriptor);
    const {pid} = child;
    const ended = new Promise<{code: number | null; signal: NodeJS.Signals | null}>((resolve) => {
      child.on('error', () => {
        resolve({code: 127, signal: null});
      });
      child.on('exit', (code, signal) => {
        resolve({code, signal});
      });
    });
    if (pid === undefined) throw new HarnessError(`cannot start ${spec.command}`);
    let running = true;
    const daemon: Daemon = {
      pid,
      log,
      ended,
      running: () => running,
      stop: async (graceMs = 2000) => {
        if (running) kill(-pid, 'SIGTERM');
        const hard = setTimeout(() => {
          kill(-pid, 'SIGKILL');
        }, graceMs);
        await ended;
        clearTimeout(hard);
      },
    };
    this.#daemons.add(daemon);
    void ended.then(() => {
      running = false;
      this.#daemons.delete(daemon);
    });
    return daemon;
  }

  /** Registers what has to end before the processes are stopped; called in reverse order. */
  onClose(closer: () => Promise<void>): void {
    this.#closers.push(closer);
  }

  /** Stops everything and removes the directory. Throws a {@link HarnessError} that names what would not go away. */
  async close(): Promise<void> {
    const problems: unknown[] = [];
    for (const closer of this.#closers.splice(0).reverse()) {
      await closer().catch((error: unknown) => problems.push(error));
    }
    await Promise.all([...this.#daemons].map((daemon) => daemon.stop()));
    const left = await this.#leftoversAfter(leaveMs);
    for (const {pid} of left) kill(pid, 'SIGKILL');
    this.#reaper.stdin?.end();
    rmSync(this.dir, {recursive: true, force: true, maxRetries: 5});
    const names = left.map(({pid, command}) => `${String(pid)} ${command}`);
    if (problems.length > 0) throw new HarnessError('closing the sandbox failed', {cause: problems[0]});
    if (left.length > 0) throw new HarnessError(`had to be killed after the sandbox was closed:\n${names.join('\n')}`);
  }

  /** Programs that still run after the grace period. */
  async #leftoversAfter(limitMs: number): Promise<Awaited<ReturnType<Sandbox['leftovers']>>> {
    const deadline = Date.now() + limitMs;
    for (;;) {
      const left = await this.leftovers();
      if (left.length === 0 || Date.now() > deadline) return left;
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  }

  /** Processes of this sandbox that run now. */
  async leftovers(): Promise<{readonly pid: number; readonly command: string}[]> {
    const list = await output('ps', ['-eo', 'pid=,command=']);
    return list.split('\n').flatMap((line) => {
      const [, pid = '', command = ''] = /^\s*(\d+) (.*)$/.exec(line) ?? [];
      return command.startsWith(`${this.dir}/`) ? [{pid: Number(pid), command}] : [];
    });
  }

  /** Every log file with its last lines: what a failed test wants to show. */
  logTails(lines = 15): string {
    const directory = join(this.dir, 'logs');
    if (!existsSync(directory)) return '';
    return readdirSync(directory)
      .map((name) => `--- ${name}\n${readFileSync(join(directory, name), 'utf8').split('\n').slice(-lines).join('\n')}`)
      .join('\n');
  }
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // Gone already.
  }
}
