/**
 * Runs other programs; the only import of execa. {@link Runner.run} returns any exit code; {@link Runner.exchange}
 * passes bytes; {@link Runner.start} keeps a program running. Rules enforced here: arguments are an array and never
 * contain a secret; no child gets the passphrase variables, and only the user's own programs get Vault's tokens; output
 * is sanitized before it is shown; errors contain neither arguments nor environment; no signal handler is registered;
 * no child outlives the run.
 */
import {once} from 'node:events';
import {Socket} from 'node:net';
import type {execa as Execa} from 'execa';
import {defined} from '../domain/defined.js';
import {MeshError} from '../domain/errors.js';
import {vaultSecretVariables} from '../domain/mesh/vault-variables.js';
import {newPassphraseVariable, passphraseVariable} from '../domain/keys/passphrase.js';
import {printable} from '../domain/printable.js';
import {Sensitive} from '../domain/sensitive.js';
import {abortError, seconds} from './bounded.js';
import {type Child, type ChildControl, controlChild} from './child-control.js';
import {type ChildOutput, cleanLines, collectText, forwardLines, releaseAtExit} from './child-output.js';
import {killDelayMs} from './end-tree.js';
import type {Processes} from './processes.js';
import type {
  ExchangeCommand,
  ExchangeResult,
  Program,
  Runner,
  RunningTool,
  StartCommand,
  ToolCommand,
  ToolResult,
} from './programs.js';
import type {Supervisor, SupervisorProcess} from './supervisor.js';

/**
 * A child whose timeout is at most this is not worth starting a supervisor for: git, the version of istioctl, the contexts
 * of a kubeconfig. A supervisor that runs is given it, too. Milliseconds.
 */
const unsupervisedMs = 30_000;

/** The options of {@link createRunner}. */
export interface RunnerOptions {
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Aborts every child at any time. */
  readonly signal: AbortSignal;
  readonly processes: Processes;
  readonly supervisor: Supervisor;
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
  return {
    run: (command) => runTool(command, options),
    runSecret: (shellCommand) => runSecretCommand(shellCommand, options),
    exchange: (command) => exchange(command, options),
    start: (command) => start(command, options),
  };
}

async function runTool(command: ToolCommand, options: RunnerOptions): Promise<ToolResult> {
  const {child, control} = await launch(command, 'ours', options, (execa, common) =>
    execa(command.file, [...command.args], {
      ...common,
      env: defined<Record<string, string>>({...common.env, ...command.environment}),
      all: true,
      stdin: 'ignore',
    }),
  );
  if (command.onLine) forwardLines(child.all, command.onLine);
  const {exitCode = 1, stdout, stderr, all} = await awaitExit(child, control, command, options);
  return {exitCode, stdout: printable(stdout), stderr: printable(stderr), output: printable(all)};
}

async function runSecretCommand(shellCommand: string, options: RunnerOptions): Promise<Sensitive<string>> {
  const command = {file: 'sh', args: ['-c', shellCommand]};
  const {child, control} = await launch(command, 'user', options, (execa, common) =>
    execa(command.file, command.args, {...common, stdin: 'inherit', stderr: 'inherit'}),
  );
  const {exitCode, stdout} = await awaitExit(child, control, command, options);
  if (exitCode === 0) return new Sensitive(stdout);
  throw new MeshError('TOOL_FAILED', `the passphrase command failed (exit ${String(exitCode ?? 'by a signal')})`, {
    hints: ['run it manually and check its output'],
  });
}

async function exchange(command: ExchangeCommand, options: RunnerOptions): Promise<ExchangeResult> {
  const {child, control} = await launch(command, 'user', options, (execa, common) =>
    execa(command.file, [...command.args], {
      ...common,
      ...(command.input === undefined ? {stdin: 'ignore' as const} : {input: command.input}),
      cwd: command.cwd,
      encoding: 'buffer',
      // A signature may end with the byte of a line feed.
      stripFinalNewline: false,
      maxBuffer: command.maxBytes,
      buffer: {stdout: true, stderr: false},
    }),
  );
  const stderr = collectText(child.stderr, command.onErrorText);
  const {exitCode, stdout, isMaxBuffer} = await awaitExit(child, control, command, options);
  return {exitCode, stdout: Buffer.from(stdout), tooLong: isMaxBuffer, stderr: printable(stderr())};
}

async function start(command: StartCommand, options: RunnerOptions): Promise<RunningTool> {
  // A detached program is started also after an abort: it undoes what the abort left half done.
  const limits = command.detached === true ? {...options, signal: new AbortController().signal} : options;
  const {child, control} = await launch(command, 'ours', limits, (execa, common) =>
    execa(command.file, [...command.args], {
      ...common,
      // In a separate process group: the terminal sends its signals to the whole foreground group.
      detached: command.detached === true,
      stdin: command.stdin === 'inherit' ? 'inherit' : 'ignore',
      buffer: false,
    }),
  );
  const stderr = collectText(child.stderr, command.onErrorText);
  const lines = cleanLines(child.stdout, limits.signal);
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
      await control.end();
      await ended;
    },
  };
}

/**
 * Starts a child with `spawn`, and controls it. Loads execa at first use, and starts the supervisor if the program needs
 * it. Throws the abort reason of the run.
 */
async function launch<Launched extends Child & ChildOutput>(
  command: Limited,
  owner: ProgramOwner,
  {environment, signal, processes, supervisor}: RunnerOptions,
  spawn: (execa: typeof Execa, common: ReturnType<typeof commonOptions>) => Launched,
): Promise<{readonly child: Launched; readonly control: ChildControl}> {
  const {execa} = await import('execa');
  if (!signal.aborted && needsSupervisor(command)) await supervisor.start();
  if (signal.aborted) throw abortError(signal);
  const announcement = supervisor.announce();
  try {
    const child = spawn(execa, commonOptions({...childEnvironment(environment, owner), ...announcement.variables}));
    const control = controlChild(child, {timeoutMs: command.timeoutMs, signal, processes, supervisor});
    releaseAtExit(child);
    return {child, control};
  } finally {
    announcement.withdraw();
  }
}

function commonOptions(env: Readonly<Record<string, string>>) {
  return {
    env,
    extendEnv: false,
    // After a child has printed more than it may. `controlChild` ends children for all other reasons.
    forceKillAfterDelay: killDelayMs,
    // execa's cleanup registers signal handlers; the abort signal and the supervisor replace it.
    cleanup: false,
    reject: false,
    // Otherwise NODE_DEBUG=execa prints the output of the passphrase command.
    verbose: 'none',
    windowsHide: true,
  } as const;
}

/** A program with or without a timeout. */
type Limited = Program & Pick<ToolCommand, 'timeoutMs'>;

function needsSupervisor({timeoutMs}: Limited): boolean {
  return timeoutMs === undefined || timeoutMs > unsupervisedMs;
}

/** Waits until a program has exited. Throws `TIMEOUT`, the abort reason of the run, and `TOOL_MISSING`. */
async function awaitExit<Result extends {readonly code?: string | undefined}>(
  child: PromiseLike<Result>,
  control: ChildControl,
  command: Limited,
  {signal}: RunnerOptions,
): Promise<Result> {
  const result = await child;
  await control.rest();
  if (signal.aborted) throw abortError(signal);
  if (control.isTimedOut()) {
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

/**
 * The output of ps with these arguments, for systems without /proc; empty if it failed. In the C locale and in UTC: start
 * times that another process reads must have the same format, also after a change to daylight saving time.
 */
export async function runPs(args: readonly string[]): Promise<string> {
  const {execa} = await import('execa');
  const {stdout} = await execa('/bin/ps', [...args], {
    env: {LC_ALL: 'C', TZ: 'UTC0'},
    extendEnv: false,
    cleanup: false,
    reject: false,
    stdin: 'ignore',
    stderr: 'ignore',
    timeout: psTimeoutMs,
    killSignal: 'SIGKILL',
  });
  return stdout;
}

/** ps reads no network and no disk. Milliseconds. */
const psTimeoutMs = 5000;

/** Variables with which Node may find its libraries. Nothing else: the environment contains secrets. */
const supervisorVariables = ['LD_LIBRARY_PATH', 'DYLD_LIBRARY_PATH'];

/**
 * Starts the supervisor. In a session of its own, so that neither the terminal nor a signal to the process group reaches
 * it; without the streams of this process, so that it does not keep the reader of a pipe waiting.
 */
export async function startSupervisor(
  {file, args}: Program,
  environment: RunnerOptions['environment'],
): Promise<SupervisorProcess> {
  const {execa} = await import('execa');
  const child = execa(file, [...args], {
    env: defined(Object.fromEntries(supervisorVariables.map((name) => [name, environment[name]]))),
    extendEnv: false,
    cwd: '/',
    detached: true,
    cleanup: false,
    reject: false,
    buffer: false,
    stdin: 'pipe',
    stdout: 'ignore',
    stderr: 'ignore',
  });
  const pipe = child.stdin;
  // EPIPE after it has exited: `exited` reports that.
  pipe.on('error', () => undefined);
  // This process must not wait for it.
  if (pipe instanceof Socket) pipe.unref();
  child.unref();
  const awaited = (end: () => void) => () => {
    child.ref();
    end();
  };
  return {
    write: (line) => void pipe.write(`${line}\n`),
    closePipe: awaited(() => pipe.end()),
    kill: awaited(() => child.kill('SIGKILL')),
    exited: child,
  };
}
