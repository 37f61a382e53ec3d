/** Programs to run, and their results. */
import type {Sensitive} from '../domain/sensitive.js';

/** A program to run. */
export interface Program {
  /** A name in PATH, or a path. */
  readonly file: string;
  /** Never contain a secret: argument lists are visible to every process on the machine. */
  readonly args: readonly string[];
}

/** A program that runs to completion. */
export interface ToolCommand extends Program {
  /** Terminates the program after this time and throws `TIMEOUT`. Milliseconds. */
  readonly timeoutMs?: number;
  /** Variables that replace the user's; undefined removes one. Never contain a secret. */
  readonly environment?: Readonly<Record<string, string | undefined>>;
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
