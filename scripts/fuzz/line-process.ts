/** Programs that answer JSON lines, kept running for many requests; a request that kills the program is its answer. */
import {type ChildProcessWithoutNullStreams, spawn} from 'node:child_process';
import {createInterface} from 'node:readline';

/** Answer of a program that ended instead of answering. */
export interface Crash {
  readonly crashed: string;
}

interface Waiting {
  readonly request: object;
  readonly resolve: (answer: unknown) => void;
  /** Whether the program ended before while it had this request among others. */
  suspect: boolean;
}

interface Options {
  readonly command: string;
  readonly args: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Requests that the program gets at a time. */
  readonly window: number;
  /** A line that the program gets before the first request. */
  readonly greeting?: object;
  readonly onStderr?: (text: string) => void;
}

/**
 * One program. Requests are objects to which an `id` is added; the answer has the same one. If the program ends, its
 * unanswered requests are repeated one by one, so that only the one that ends it gets {@link Crash} as answer.
 */
export class LineProcess {
  readonly #options: Options;
  readonly #queue: Waiting[] = [];
  readonly #waiting = new Map<number, Waiting>();
  #child: ChildProcessWithoutNullStreams | undefined;
  #next = 0;
  #closed = false;

  constructor(options: Options) {
    this.#options = options;
  }

  /** The answer to a request, or {@link Crash}. */
  request<Answer>(request: object): Promise<Answer | Crash> {
    return new Promise((resolve) => {
      this.#queue.push({request, resolve: resolve as (answer: unknown) => void, suspect: false});
      this.#feed();
    });
  }

  /** Requests that have no answer yet. */
  get load(): number {
    return this.#queue.length + this.#waiting.size;
  }

  /** Ends the program. */
  close(): void {
    this.#closed = true;
    this.#child?.kill('SIGKILL');
  }

  #feed(): void {
    while (this.#queue.length > 0) {
      const isAlone = this.#queue[0]?.suspect === true || [...this.#waiting.values()].some(({suspect}) => suspect);
      if (this.#waiting.size >= (isAlone ? 1 : this.#options.window)) return;
      const waiting = this.#queue.shift()!;
      const id = (this.#next += 1);
      this.#waiting.set(id, waiting);
      this.#child ??= this.#start();
      this.#child.stdin.write(`${JSON.stringify({id, ...waiting.request})}\n`);
    }
  }

  #start(): ChildProcessWithoutNullStreams {
    const {command, args, env = process.env, greeting, onStderr} = this.#options;
    const child = spawn(command, args, {env, stdio: 'pipe'});
    let errors = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-2000);
      onStderr?.(text);
    });
    // A program that ends while we write is reported by `close`.
    child.stdin.on('error', () => undefined);
    child.on('error', (error) => {
      errors = error.message;
    });
    createInterface(child.stdout).on('line', (line) => {
      this.#answer(line);
    });
    child.on('close', (code, signal) => {
      this.#ended(child, `${signal ?? `exit code ${String(code)}`}: ${errors.trim().split('\n')[0] ?? ''}`);
    });
    if (greeting !== undefined) child.stdin.write(`${JSON.stringify(greeting)}\n`);
    return child;
  }

  #answer(line: string): void {
    const answer = JSON.parse(line) as {id: number};
    const waiting = this.#waiting.get(answer.id);
    this.#waiting.delete(answer.id);
    waiting?.resolve(answer);
    this.#feed();
  }

  #ended(child: ChildProcessWithoutNullStreams, reason: string): void {
    if (this.#closed || this.#child !== child) return;
    this.#child = undefined;
    const unanswered = [...this.#waiting.values()];
    this.#waiting.clear();
    if (unanswered.length === 1) unanswered[0]?.resolve({crashed: reason} satisfies Crash);
    else {
      for (const waiting of unanswered) waiting.suspect = true;
      this.#queue.unshift(...unanswered);
    }
    this.#feed();
  }
}

/** Several instances of one program; each request goes to the one with the fewest. */
export class LinePool {
  readonly #members: readonly LineProcess[];

  constructor(size: number, options: Options) {
    this.#members = Array.from({length: size}, () => new LineProcess(options));
  }

  request<Answer>(request: object): Promise<Answer | Crash> {
    const member = this.#members.reduce((least, other) => (other.load < least.load ? other : least));
    return member.request(request);
  }

  close(): void {
    for (const member of this.#members) member.close();
  }
}
