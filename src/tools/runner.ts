/**
 * The one door to other programs, and the only import of execa. {@link Runner.run} returns whatever exit code there
 * was; {@link Runner.exchange} trades bytes; {@link Runner.start} keeps a program running. Rules held here: arguments are
 * an array and never hold a secret, the passphrase variables never reach a child, Vault's tokens none of ours, output is
 * cleaned before anybody sees it, errors carry neither argument list nor environment, and no signal handler is registered.
 */
import {once} from 'node:events';
import {defined} from '../domain/defined.js';
import {MeshError} from '../domain/errors.js';
import {vaultSecretVariables} from '../domain/mesh/vault-variables.js';
import {newPassphraseVariable, passphraseVariable} from '../domain/keys/passphrase.js';
import {printable} from '../domain/printable.js';
import {Sensitive} from '../domain/sensitive.js';
import {abortError, seconds} from './bounded.js';
import {cleanLines, collectText, forwardLines, releaseAtExit} from './child-output.js';

/** How long a child may take to end by itself after SIGTERM. Milliseconds. */
const killDelayMs = 3000;

/** A program to run. */
interface Program {
  /** Its name, found in PATH, or a path. */
  readonly file: string;
  /** Never a secret: argument lists are visible to every process of the machine. */
  readonly args: readonly string[];
}

/** A program that is run to its end. */
export interface ToolCommand extends Program {
  /** Ends the program after so long and throws `TIMEOUT`. Milliseconds. */
  readonly timeoutMs?: number;
  /** Lines of both streams as they come, cleaned. */
  readonly onLine?: (line: string) => void;
}

/** What a finished program said; text without control characters. */
export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams, lines in the order they came. */
  readonly output: string;
}

/** A program that goes on until it is stopped. */
export interface RunningTool {
  /** Lines of standard output, cleaned. Read by one reader only. Throws what the run was aborted with. */
  readonly lines: AsyncIterable<string>;
  /** What standard error has said so far (the last 16 KiB), cleaned. */
  stderr(): string;
  /** Settles when the program has ended, however it ended; never rejects. */
  readonly ended: Promise<{readonly exitCode?: number | undefined}>;
  /** SIGTERM, SIGKILL three seconds later; resolves when the program has ended. */
  stop(): Promise<void>;
}

/** How a long-running program is started. */
export interface StartCommand extends Program {
  /** `inherit` hands it our standard input: programs that ask the person at the terminal. */
  readonly stdin: 'inherit' | 'none';
  /** Pieces of standard error as they come, uncleaned: prompts have no line end. */
  readonly onErrorText?: (text: string) => void;
  /** Goes on when the run is aborted and when the terminal sends Ctrl-C, until it is stopped or this process ends. */
  readonly detached?: boolean;
}

/** A program that is handed bytes and answers with bytes. */
export interface ExchangeCommand extends Program {
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
export interface ExchangeResult {
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
  run(command: ToolCommand): Promise<ToolResult>;
  /**
   * What a shell command of the user's own prints: a password manager, which may ask on the terminal.
   * Throws `TOOL_FAILED` without a word of its output.
   */
  runSecret(shellCommand: string): Promise<Sensitive<string>>;
  /** Bytes in, bytes out. Returns the exit code. Throws `TOOL_MISSING`, `TIMEOUT`, `INTERRUPTED`. */
  exchange(command: ExchangeCommand): Promise<ExchangeResult>;
  /** Throws `TOOL_MISSING` when the program cannot be started. */
  start(command: StartCommand): Promise<RunningTool>;
}

/** What a {@link Runner} is made from. */
export interface RunnerOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborts every child, for its whole lifetime. */
  readonly signal: AbortSignal;
}

/** Whose program it is: a tool of ours (kubectl, istioctl, git), or one that the user wrote down: a password manager, a signer. */
type ProgramOwner = 'ours' | 'user';

/**
 * The environment of a child. Nobody gets the passphrases; Vault's tokens reach only programs of the user's own, which
 * may be what they are there for (`--passphrase-command 'vault kv get …'`).
 */
function childEnvironment(environment: RunnerOptions['environment'], owner: ProgramOwner): Record<string, string> {
  const hidden = [passphraseVariable, newPassphraseVariable, ...(owner === 'ours' ? vaultSecretVariables : [])];
  return defined(Object.fromEntries(Object.entries(environment).filter(([name]) => !hidden.includes(name))));
}

/** Makes a runner. */
export function createRunner(options: RunnerOptions): Runner {
  const killAtExit = createExitKiller();
  return {
    run: (command) => runTool(command, options),
    runSecret: (shellCommand) => runSecretCommand(shellCommand, options),
    exchange: (command) => exchange(command, options),
    start: (command) => start(command, options, killAtExit),
  };
}

async function runTool(command: ToolCommand, options: RunnerOptions): Promise<ToolResult> {
  const execa = await execaUnlessAborted(options);
  const child = execa(command.file, [...command.args], {
    ...commonOptions(options, 'ours'),
    all: true,
    stdin: 'ignore',
    ...(command.timeoutMs === undefined ? {} : {timeout: command.timeoutMs}),
  });
  if (command.onLine) forwardLines(child.all, command.onLine);
  releaseAtExit(child);
  const {exitCode = 1, stdout, stderr, all} = await awaitExit(child, command, options);
  return {exitCode, stdout: printable(stdout), stderr: printable(stderr), output: printable(all)};
}

async function runSecretCommand(shellCommand: string, options: RunnerOptions): Promise<Sensitive<string>> {
  const execa = await execaUnlessAborted(options);
  const command = {file: 'sh', args: ['-c', shellCommand]};
  const child = execa(command.file, command.args, {
    ...commonOptions(options, 'user'),
    stdin: 'inherit',
    stderr: 'inherit',
  });
  releaseAtExit(child);
  const {exitCode, stdout} = await awaitExit(child, command, options);
  if (exitCode === 0) return new Sensitive(stdout);
  throw new MeshError('TOOL_FAILED', `the passphrase command failed (exit ${String(exitCode ?? 'by a signal')})`, {
    hints: ['run it by itself and see what it says'],
  });
}

async function exchange(command: ExchangeCommand, options: RunnerOptions): Promise<ExchangeResult> {
  const execa = await execaUnlessAborted(options);
  const child = execa(command.file, [...command.args], {
    ...commonOptions(options, 'user'),
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
  const stderr = collectText(child.stderr, command.onErrorText);
  const {exitCode, stdout, isMaxBuffer} = await awaitExit(child, command, options);
  return {exitCode, stdout: Buffer.from(stdout), tooLong: isMaxBuffer, stderr: printable(stderr())};
}

async function start(command: StartCommand, options: RunnerOptions, killAtExit: KillAtExit): Promise<RunningTool> {
  const execa = await execaUnlessAborted(options);
  const child = execa(command.file, [...command.args], {
    ...commonOptions(command.detached === true ? {...options, signal: new AbortController().signal} : options, 'ours'),
    // A process group of its own: the terminal sends its signals to the whole group in front.
    detached: command.detached === true,
    stdin: command.stdin === 'inherit' ? 'inherit' : 'ignore',
    buffer: false,
  });
  releaseAtExit(child);
  const said = collectText(child.stderr, command.onErrorText);
  const lines = cleanLines(child.stdout, options.signal);
  killAtExit(child);
  const ended = child.then((result) => result);
  const spawned = once(child, 'spawn').then(
    () => undefined,
    () => ended,
  );
  const failed = await Promise.race([ended, spawned]);
  if (failed) requireStarted(command, failed);
  return {
    lines,
    stderr: () => printable(said()),
    ended,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Loaded at first use. Throws what the run was aborted with. */
async function execaUnlessAborted({signal}: RunnerOptions) {
  const {execa} = await import('execa');
  if (signal.aborted) throw abortError(signal);
  return execa;
}

function commonOptions({environment, signal}: RunnerOptions, owner: ProgramOwner) {
  return {
    env: childEnvironment(environment, owner),
    extendEnv: false,
    cancelSignal: signal,
    forceKillAfterDelay: killDelayMs,
    // execa's clean-up registers signal handlers; the abort signal and `exit` below do its work.
    cleanup: false,
    reject: false,
    windowsHide: true,
  } as const;
}

/** How a program ended. Throws `TIMEOUT`, what the run was aborted with, and `TOOL_MISSING`. */
async function awaitExit<Result extends {readonly timedOut: boolean; readonly code?: string | undefined}>(
  child: PromiseLike<Result>,
  command: Program & Pick<ToolCommand, 'timeoutMs'>,
  {signal}: RunnerOptions,
): Promise<Result> {
  const result = await child;
  if (signal.aborted) throw abortError(signal);
  if (result.timedOut) {
    throw new MeshError('TIMEOUT', `${command.file} did not end within ${seconds(command.timeoutMs ?? 0)}`);
  }
  requireStarted(command, result);
  return result;
}

/** Throws why a program did not start at all. The original error is dropped: it quotes the argument list. */
function requireStarted({file}: Program, {code}: {readonly code?: string | undefined}): void {
  const missing = (message: string, ...hints: readonly string[]): MeshError =>
    new MeshError('TOOL_MISSING', `${file} ${message}`, {hints});
  if (code === 'ENOENT' && file.includes('/')) {
    throw missing('is not there, or its first line names a program that is not');
  }
  if (code === 'ENOENT') throw missing('was not found in PATH', `install ${file}, or put it in PATH`);
  if (code === 'EACCES') throw missing('may not be executed', `check the permissions of ${file}`);
  if (code === 'ENOEXEC') throw missing('is not a program for this machine');
}

type KillAtExit = ReturnType<typeof createExitKiller>;

/**
 * Kills what still runs when this process exits: a kubectl that a crash leaves behind would keep a connection to its
 * cluster open. One `exit` listener serves all of them, and only while there are any: from the eleventh listener on Node
 * warns of a leak (nodejs.org, events: `defaultMaxListeners`).
 */
function createExitKiller() {
  const children = new Set<{kill(signal: 'SIGKILL'): unknown}>();
  const killAll = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  return (child: {kill(signal: 'SIGKILL'): unknown} & PromiseLike<unknown>): void => {
    if (children.size === 0) process.once('exit', killAll);
    children.add(child);
    void child.then(() => {
      children.delete(child);
      if (children.size === 0) process.removeListener('exit', killAll);
    });
  };
}
