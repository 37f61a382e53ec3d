/**
 * Runs other programs; the only import of execa. {@link Runner.run} returns any exit code; {@link Runner.exchange}
 * passes bytes; {@link Runner.start} keeps a program running. Rules enforced here: arguments are an array and never
 * contain a secret; no child gets the passphrase variables, and only the user's own programs get Vault's tokens; output
 * is sanitized before it is shown; errors contain neither arguments nor environment; no signal handler is registered.
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

/** How long a child may take to exit after SIGTERM. Milliseconds. */
const killDelayMs = 3000;

/** A program to run. */
interface Program {
  /** A name in PATH, or a path. */
  readonly file: string;
  /** Never contain a secret: argument lists are visible to every process on the machine. */
  readonly args: readonly string[];
}

/** A program that runs to completion. */
export interface ToolCommand extends Program {
  /** Terminates the program after this time and throws `TIMEOUT`. Milliseconds. */
  readonly timeoutMs?: number;
  /** Variables that are added to the environment, or replace the user's. Never contain a secret. */
  readonly environment?: Readonly<Record<string, string>>;
  /** Receives sanitized lines of both streams as they arrive. */
  readonly onLine?: (line: string) => void;
}

/** The output of a finished program, without control characters. */
export interface ToolResult {
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
  /** Both streams, with lines in the order in which they arrived. */
  readonly output: string;
}

/** A program that runs until it is stopped. */
export interface RunningTool {
  /** Sanitized lines of standard output, for a single reader. Throws the abort reason of the run. */
  readonly lines: AsyncIterable<string>;
  /** The standard error output so far (the last 16 KiB), sanitized. */
  stderr(): string;
  /** Resolves when the program has exited for any reason; never rejects. */
  readonly ended: Promise<{readonly exitCode?: number | undefined}>;
  /** Sends SIGTERM, and SIGKILL three seconds later; resolves when the program has exited. */
  stop(): Promise<void>;
}

/** A long-running program to start. */
export interface StartCommand extends Program {
  /** `inherit` passes standard input on, for programs that prompt on the terminal. */
  readonly stdin: 'inherit' | 'none';
  /** Receives chunks of standard error as they arrive, not sanitized: prompts have no line feed. */
  readonly onErrorText?: (text: string) => void;
  /** Keeps running after an abort of the run and after Ctrl-C, until it is stopped or this process exits. */
  readonly detached?: boolean;
}

/** A program with binary input and output. */
export interface ExchangeCommand extends Program {
  /** Standard input; absent: none. The program need not read it. */
  readonly input?: Uint8Array;
  readonly cwd: string;
  /** Terminates the program after this time and throws `TIMEOUT`. Milliseconds. */
  readonly timeoutMs: number;
  /** Terminates the program if it prints more. Bytes. */
  readonly maxBytes: number;
  /** Receives chunks of standard error as they arrive, not sanitized: prompts have no line feed. */
  readonly onErrorText?: ((text: string) => void) | undefined;
}

/** The result of {@link Runner.exchange}. */
export interface ExchangeResult {
  /** Undefined: terminated by a signal. */
  readonly exitCode: number | undefined;
  /** Unchanged; truncated if it is longer than allowed. */
  readonly stdout: Buffer;
  readonly tooLong: boolean;
  /** The last 16 KiB, sanitized. */
  readonly stderr: string;
}

/** Runs programs with one environment and one signal. */
export interface Runner {
  /** Runs a program and returns its exit code and output. Throws `TOOL_MISSING`, `TIMEOUT`, `INTERRUPTED`. */
  run(command: ToolCommand): Promise<ToolResult>;
  /**
   * Returns the output of a user's shell command, such as a password manager, which may prompt on the terminal. Throws
   * `TOOL_FAILED`, without the output.
   */
  runSecret(shellCommand: string): Promise<Sensitive<string>>;
  /** Runs a program with binary input and output. Throws `TOOL_MISSING`, `TIMEOUT`, `INTERRUPTED`. */
  exchange(command: ExchangeCommand): Promise<ExchangeResult>;
  /** Starts a long-running program. Throws `TOOL_MISSING` if it cannot be started. */
  start(command: StartCommand): Promise<RunningTool>;
}

/** The options of {@link createRunner}. */
export interface RunnerOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborts every child at any time. */
  readonly signal: AbortSignal;
}

/** `ours`: kubectl, istioctl, git. `user`: a program that the user configured, such as a password manager or a signer. */
type ProgramOwner = 'ours' | 'user';

/**
 * The environment of a child. No child gets the passphrases; only the user's programs get Vault's tokens, because they
 * may need them (`--passphrase-command 'vault kv get …'`).
 */
function childEnvironment(environment: RunnerOptions['environment'], owner: ProgramOwner): Record<string, string> {
  const hidden = [passphraseVariable, newPassphraseVariable, ...(owner === 'ours' ? vaultSecretVariables : [])];
  return defined(Object.fromEntries(Object.entries(environment).filter(([name]) => !hidden.includes(name))));
}

/** Creates a runner. */
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
  const common = commonOptions(options, 'ours');
  const child = execa(command.file, [...command.args], {
    ...common,
    env: {...common.env, ...command.environment},
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
    hints: ['run it manually and check its output'],
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
    // In a separate process group: the terminal sends its signals to the whole foreground group.
    detached: command.detached === true,
    stdin: command.stdin === 'inherit' ? 'inherit' : 'ignore',
    buffer: false,
  });
  releaseAtExit(child);
  const stderr = collectText(child.stderr, command.onErrorText);
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
    stderr: () => printable(stderr()),
    ended,
    async stop() {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** Loads execa at first use. Throws the abort reason of the run. */
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
    // execa's cleanup registers signal handlers; the abort signal and `exit` below replace it.
    cleanup: false,
    reject: false,
    // Otherwise NODE_DEBUG=execa prints the output of the passphrase command.
    verbose: 'none',
    windowsHide: true,
  } as const;
}

/** Waits until a program has exited. Throws `TIMEOUT`, the abort reason of the run, and `TOOL_MISSING`. */
async function awaitExit<Result extends {readonly timedOut: boolean; readonly code?: string | undefined}>(
  child: PromiseLike<Result>,
  command: Program & Pick<ToolCommand, 'timeoutMs'>,
  {signal}: RunnerOptions,
): Promise<Result> {
  const result = await child;
  if (signal.aborted) throw abortError(signal);
  if (result.timedOut) {
    throw new MeshError('TIMEOUT', `${command.file} did not exit within ${seconds(command.timeoutMs ?? 0)}`);
  }
  requireStarted(command, result);
  return result;
}

/** Throws if a program did not start. Drops the original error, which quotes the argument list. */
function requireStarted({file}: Program, {code}: {readonly code?: string | undefined}): void {
  const missing = (message: string, ...hints: readonly string[]): MeshError =>
    new MeshError('TOOL_MISSING', `${file} ${message}`, {hints});
  if (code === 'ENOENT' && file.includes('/')) {
    throw missing('not found, or the interpreter in its first line not found');
  }
  if (code === 'ENOENT') throw missing('not found in PATH', `install ${file}, or add it to PATH`);
  if (code === 'EACCES') throw missing('is not executable', `check the permissions of ${file}`);
  if (code === 'ENOEXEC') throw missing('cannot be executed on this machine');
}

type KillAtExit = ReturnType<typeof createExitKiller>;

/**
 * Kills running children when this process exits: a kubectl left behind by a crash would keep its connection to the
 * cluster open. A single `exit` listener serves all children, and only while there are any: from the eleventh listener
 * on Node warns of a leak (nodejs.org, events: `defaultMaxListeners`).
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
