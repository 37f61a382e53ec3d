/**
 * The one door to other programs, and the only import of execa. {@link Runner.ask} returns whatever exit code there
 * was, {@link Runner.run} throws on a bad one; {@link Runner.exchange} trades bytes; {@link Runner.start} keeps a program
 * running. Rules held here:
 * arguments are an array and never hold a secret, the passphrase variables never reach a child, Vault's tokens none of ours, output is cleaned
 * before anybody sees it, errors carry neither argument list nor environment, and no signal handler is registered.
 */
import type {Readable} from 'node:stream';
import {StringDecoder} from 'node:string_decoder';
import {MeshError} from '../domain/errors.js';
import {vaultSecretVariables} from '../domain/mesh/vault-variables.js';
import {newPassphraseVariable, passphraseVariable} from '../domain/keys/passphrase.js';
import {printable} from '../domain/printable.js';
import {Sensitive} from '../domain/sensitive.js';
import {abortError} from './bounded.js';
import {linesOf} from './lines.js';

/** How long a child may take to end by itself after SIGTERM. Milliseconds. */
const killDelayMs = 3000;

/** A program to run. */
export interface ToolCommand {
  /** Program name, found in PATH, or a path. */
  readonly file: string;
  /** Never a secret: argument lists are visible to every process of the machine. */
  readonly args: readonly string[];
  /** Content for standard input; absent: no input. */
  readonly input?: string;
  readonly cwd?: string;
  /** Ends the program after so long and throws `TIMEOUT`. Milliseconds. */
  readonly timeoutMs?: number;
  /** Lines of both streams as they come, cleaned. */
  readonly onLine?: (line: string) => void;
  /** Ends the program, besides the run's own signal. */
  readonly signal?: AbortSignal;
}

/** What a finished program said; text without control characters. */
export interface ToolAnswer {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams, lines in the order they came. */
  readonly output: string;
}

/** A program that goes on until it is stopped. */
export interface RunningTool {
  /** Lines of standard output, cleaned. Read by one reader only. */
  readonly lines: AsyncIterable<string>;
  /** What standard error has said so far (the last 16 KiB), cleaned. */
  stderr(): string;
  /** Settles when the program has ended, however it ended; never rejects. */
  readonly ended: Promise<{readonly exitCode: number | undefined}>;
  /** SIGTERM, SIGKILL three seconds later; resolves when the program has ended. */
  stop(): Promise<void>;
}

/** How a long-running program is started. */
export interface StartCommand {
  readonly file: string;
  readonly args: readonly string[];
  /** `inherit` hands it our standard input: programs that ask the person at the terminal. */
  readonly stdin: 'inherit' | 'none';
  /** Pieces of standard error as they come, uncleaned: prompts have no line end. */
  readonly onErrorText?: (text: string) => void;
  /** Goes on when the run is aborted and when the terminal sends Ctrl-C, until it is stopped or this process ends. */
  readonly lasts?: boolean;
}

/** A program that is handed bytes and answers with bytes. */
export interface ExchangeCommand {
  /** Program name, found in PATH, or a path. */
  readonly file: string;
  readonly args: readonly string[];
  /** Content for standard input; absent: no input. A program need not read it. */
  readonly input?: Uint8Array;
  readonly cwd: string;
  /** Ends the program after so long and throws `TIMEOUT`. Milliseconds. */
  readonly timeoutMs: number;
  /** Ends the program when it prints more. Bytes. */
  readonly maxBytes: number;
  /** Pieces of standard error as they come, uncleaned: prompts have no line end. */
  readonly onErrorText?: ((text: string) => void) | undefined;
}

/** What it answered. */
export interface ExchangeAnswer {
  /** Undefined: a signal ended it. */
  readonly exitCode: number | undefined;
  /** As it came; cut where it was more than allowed. */
  readonly stdout: Buffer;
  readonly tooLong: boolean;
  /** The last 16 KiB, cleaned. */
  readonly stderr: string;
}

/** Runs programs with one environment and one signal. */
export interface Runner {
  /** Returns the exit code. Throws `TOOL_MISSING`, `TIMEOUT`, `INTERRUPTED`. */
  ask(command: ToolCommand): Promise<ToolAnswer>;
  /** Throws `TOOL_FAILED` on a bad exit code, and what {@link ask} throws. */
  run(command: ToolCommand): Promise<ToolAnswer>;
  /**
   * What a shell command of the user's own prints: a password manager, which may ask on the terminal.
   * Throws `TOOL_FAILED` without a word of its output.
   */
  askSecret(shellCommand: string): Promise<Sensitive<string>>;
  /** Bytes in, bytes out. Returns the exit code. Throws `TOOL_MISSING`, `TIMEOUT`, `INTERRUPTED`. */
  exchange(command: ExchangeCommand): Promise<ExchangeAnswer>;
  /** Throws `TOOL_MISSING` when the program cannot be started. */
  start(command: StartCommand): Promise<RunningTool>;
}

/** What a {@link Runner} is made from. */
export interface RunnerOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborts every child, for its whole lifetime. */
  readonly signal: AbortSignal;
}

/** Asked after an await, where TypeScript would still believe what it saw before. */
function isAborted(signal: AbortSignal): boolean {
  return signal.aborted;
}

const secretVariables: ReadonlySet<string> = new Set([passphraseVariable, newPassphraseVariable]);

/** Whose program it is: a tool of ours (kubectl, istioctl, git), or one that the user wrote down: a password manager, a signer. */
type Owner = 'ours' | 'user';

const tokenVariables: ReadonlySet<string> = new Set(vaultSecretVariables);

/**
 * The environment of a child. Nobody gets the passphrases; Vault's tokens reach only programs of the user's own, which
 * may be what they are there for (`--passphrase-command 'vault kv get …'`).
 */
export function childEnvironment(
  environment: RunnerOptions['environment'],
  owner: Owner = 'ours',
): Record<string, string> {
  const hidden = (name: string): boolean => secretVariables.has(name) || (owner === 'ours' && tokenVariables.has(name));
  const entries = Object.entries(environment).flatMap(([name, value]) =>
    value === undefined || hidden(name) ? [] : [[name, value] as const],
  );
  return Object.fromEntries(entries);
}

/** Makes a runner. */
export function createRunner(options: RunnerOptions): Runner {
  const running = killedAtExit();
  const ask = async (command: ToolCommand): Promise<ToolAnswer> => {
    const {execa} = await import('execa');
    const signal = command.signal ? AbortSignal.any([options.signal, command.signal]) : options.signal;
    if (signal.aborted) throw abortError(signal);
    const child = execa(command.file, [...command.args], {
      ...shared(options, signal),
      all: true,
      ...(command.input === undefined ? {stdin: 'ignore' as const} : {input: command.input}),
      ...(command.cwd === undefined ? {} : {cwd: command.cwd}),
      ...(command.timeoutMs === undefined ? {} : {timeout: command.timeoutMs}),
    });
    if (command.onLine) forwardLines(child.all, command.onLine);
    releaseAtExit(child);
    const result = await child;
    if (isAborted(signal)) throw abortError(signal);
    if (result.timedOut) {
      throw new MeshError('TIMEOUT', `${command.file} did not end within ${seconds(command.timeoutMs ?? 0)}`);
    }
    const missing = startFailure(command.file, result);
    if (missing) throw missing;
    return {
      exitCode: result.exitCode ?? 1,
      stdout: printable(result.stdout),
      stderr: printable(result.stderr),
      output: printable(result.all),
    };
  };

  return {
    ask,
    async run(command) {
      const answer = await ask(command);
      if (answer.exitCode === 0) return answer;
      throw new MeshError(
        'TOOL_FAILED',
        `${command.file} failed (exit ${String(answer.exitCode)}): ${lastLines(answer.stderr)}`,
      );
    },
    askSecret: (shellCommand) => askSecret(shellCommand, options),
    exchange: (command) => exchange(command, options),
    start: (command) => start(command, options, running),
  };
}

async function askSecret(shellCommand: string, options: RunnerOptions): Promise<Sensitive<string>> {
  const {execa} = await import('execa');
  if (options.signal.aborted) throw abortError(options.signal);
  const child = execa('sh', ['-c', shellCommand], {
    ...shared(options, options.signal, 'user'),
    stdin: 'inherit',
    stderr: 'inherit',
  });
  releaseAtExit(child);
  const result = await child;
  if (isAborted(options.signal)) throw abortError(options.signal);
  if (result.exitCode === 0) return new Sensitive(result.stdout);
  throw new MeshError(
    'TOOL_FAILED',
    `the passphrase command failed (exit ${String(result.exitCode ?? 'by a signal')})`,
    {
      hints: ['run it by itself and see what it says'],
    },
  );
}

async function exchange(command: ExchangeCommand, options: RunnerOptions): Promise<ExchangeAnswer> {
  const {execa} = await import('execa');
  if (options.signal.aborted) throw abortError(options.signal);
  const child = execa(command.file, [...command.args], {
    ...shared(options, options.signal, 'user'),
    ...(command.input === undefined ? {stdin: 'ignore' as const} : {input: command.input}),
    cwd: command.cwd,
    timeout: command.timeoutMs,
    encoding: 'buffer',
    // A signature may end with the byte of a line feed.
    stripFinalNewline: false,
    maxBuffer: command.maxBytes,
    buffer: {stdout: true, stderr: false},
  });
  releaseAtExit(child);
  const stderr = errorText(child.stderr, command.onErrorText);
  const result = await child;
  if (isAborted(options.signal)) throw abortError(options.signal);
  if (result.timedOut) {
    throw new MeshError('TIMEOUT', `${command.file} did not end within ${seconds(command.timeoutMs)}`);
  }
  const missing = startFailure(command.file, result);
  if (missing) throw missing;
  return {
    exitCode: result.exitCode,
    stdout: Buffer.from(result.stdout),
    tooLong: result.isMaxBuffer,
    stderr: printable(stderr()),
  };
}

/** Collects the last 16 KiB of a stream of text, and hands pieces on as they come. */
function errorText(stream: Readable, onText: ((text: string) => void) | undefined): () => string {
  let said = '';
  stream.setEncoding('utf8');
  stream.on('data', (text: string) => {
    said = (said + text).slice(-16_384);
    onText?.(text);
  });
  return () => said;
}

/** Programs that must not outlive this process. */
interface KilledAtExit {
  add(child: Killable): void;
  /** For a program that has ended. */
  remove(child: Killable): void;
}

interface Killable {
  kill(signal: 'SIGKILL'): unknown;
}

/**
 * Kills what still runs when this process exits: a kubectl that a crash leaves behind would keep a connection to its
 * cluster open. One `exit` listener serves all of them, and only while there are any: from the eleventh listener on Node
 * warns of a leak (nodejs.org, events: `defaultMaxListeners`).
 */
function killedAtExit(): KilledAtExit {
  const children = new Set<Killable>();
  const killAll = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  return {
    add(child) {
      if (children.size === 0) process.once('exit', killAll);
      children.add(child);
    },
    remove(child) {
      children.delete(child);
      if (children.size === 0) process.removeListener('exit', killAll);
    },
  };
}

async function start(command: StartCommand, options: RunnerOptions, running: KilledAtExit): Promise<RunningTool> {
  const {execa} = await import('execa');
  if (options.signal.aborted) throw abortError(options.signal);
  const child = execa(command.file, [...command.args], {
    ...shared(options, command.lasts === true ? new AbortController().signal : options.signal),
    // A process group of its own: the terminal sends its signals to the whole group in front.
    detached: command.lasts === true,
    stdin: command.stdin === 'inherit' ? 'inherit' : 'ignore',
    buffer: false,
  });
  releaseAtExit(child);
  const said = errorText(child.stderr, command.onErrorText);
  const lines = cleanLines(child.stdout);
  running.add(child);
  const ended = child.then((result) => {
    running.remove(child);
    return result;
  });
  const spawned = await Promise.race([
    ended,
    new Promise<undefined>((resolve) => {
      child.once('spawn', () => {
        resolve(undefined);
      });
    }),
  ]);
  if (spawned) {
    const missing = startFailure(command.file, spawned);
    if (missing) throw missing;
  }
  return {
    lines,
    stderr: () => printable(said()),
    ended: ended.then((result) => ({exitCode: result.exitCode})),
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** How long output may still come after a program has ended. Milliseconds. */
const drainMs = 500;

/**
 * Lets go of a program's output soon after it has ended. A credential plugin or another grandchild that outlives its
 * parent holds the pipe open, and waiting for the pipe's end would be waiting for the grandchild.
 */
function releaseAtExit(child: {
  once(event: 'exit', listener: () => void): unknown;
  readonly stdout: Readable;
  readonly stderr: Readable | null;
}): void {
  child.once('exit', () => {
    setTimeout(() => {
      child.stdout.destroy();
      child.stderr?.destroy();
    }, drainMs).unref();
  });
}

function shared(options: RunnerOptions, signal: AbortSignal, owner: Owner = 'ours') {
  return {
    env: childEnvironment(options.environment, owner),
    extendEnv: false,
    cancelSignal: signal,
    forceKillAfterDelay: killDelayMs,
    // execa's clean-up registers signal handlers; the abort signal and `exit` above do its work.
    cleanup: false,
    reject: false,
    windowsHide: true,
  } as const;
}

/** Why a program did not start at all. The original error is dropped: it quotes the argument list. */
function startFailure(file: string, result: {readonly code?: string | undefined}): MeshError | undefined {
  switch (result.code) {
    case 'ENOENT':
      if (file.includes('/')) {
        return new MeshError('TOOL_MISSING', `${file} is not there, or its first line names a program that is not`);
      }
      return new MeshError('TOOL_MISSING', `${file} was not found in PATH`, {
        hints: [`install ${file}, or put it in PATH`],
      });
    case 'EACCES':
      return new MeshError('TOOL_MISSING', `${file} may not be executed`, {
        hints: [`check the permissions of ${file}`],
      });
    case 'ENOEXEC':
      return new MeshError('TOOL_MISSING', `${file} is not a program for this machine`);
    default:
      return undefined;
  }
}

function forwardLines(stream: Readable, onLine: (line: string) => void): void {
  // A decoder of its own: the process library reads the same stream as bytes.
  const decoder = new StringDecoder('utf8');
  let rest = '';
  stream.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split(/\r?\n/);
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(printable(line));
  });
  stream.on('end', () => {
    if (rest !== '') onLine(printable(rest));
  });
}

/**
 * Cleaned lines of a stream. A program that is killed ends its streams; that is no error of the reader. A reader that
 * has seen enough leaves the stream flowing: a program would die of a pipe that is closed, or wait for one that is full.
 */
async function* cleanLines(stream: Readable): AsyncGenerator<string> {
  try {
    for await (const line of linesOf(stream)) yield printable(line);
  } catch {
    return;
  } finally {
    stream.resume();
  }
}

/** The end of what a program said, for a message. */
export function lastLines(text: string, count = 5): string {
  const lines = text.split('\n').filter((line) => line.trim() !== '');
  return lines.length === 0 ? 'it said nothing' : lines.slice(-count).join('\n');
}

/** A duration for people. */
export function seconds(milliseconds: number): string {
  return `${String(Math.round(milliseconds / 100) / 10)} s`;
}
