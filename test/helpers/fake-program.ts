/**
 * A fake executable whose behaviour is a function of the test. The executable is a shell script that hands its arguments
 * to this process and prints what comes back: it starts in a few milliseconds, where a Node script takes fifty.
 *
 * A run takes one of the program's slots: a pair of named pipes, which later runs use again, so that the script starts no
 * program itself. It holds the writing end of `life` for as long as it runs, and writes there what it was given, so this
 * process sees when it ends; it reads what to do from `answer`, and ends when this process does. The pipes outlive their
 * program: the next one of this process takes them over.
 */
import {execFile} from 'node:child_process';
import {constants, open} from 'node:fs';
import {chmod, mkdtemp, rename, rm, writeFile} from 'node:fs/promises';
import {Socket} from 'node:net';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {createInterface} from 'node:readline';
import {promisify} from 'node:util';

/** One run of a fake program. */
export interface ProgramRun {
  readonly args: readonly string[];
  /** Names of the environment variables it was given. */
  readonly env: readonly string[];
  /** Its working directory. */
  readonly cwd: string;
  readonly pid: number;
  /** Settles when the process has ended, however it ended. */
  readonly ended: Promise<void>;
}

/** What a run prints, and its exit code; without one it goes on until it is killed. */
export interface ProgramAnswer {
  readonly stdout?: string;
  readonly stderr?: string;
  readonly exitCode?: number;
}

/** A running fake. */
export interface FakeProgram {
  /** Every run so far, in order. */
  readonly runs: readonly ProgramRun[];
  /** Ends every run and answers no more; the executable stays. */
  stop(): Promise<void>;
}

/**
 * Takes the first free slot: no two processes create the same file under `set -C`. Creates its pipes if it has none. Lines
 * that it reads: `1TEXT` and `2TEXT` go to standard output and standard error, `0CODE` ends it.
 */
const script = (directory: string): string => `#!/bin/sh
set -C
slot=0
until true 2>/dev/null >'${directory}'/$slot.taken; do
  [ -d '${directory}' ] || exit 125
  slot=$((slot + 1))
done
call='${directory}'/$slot
[ -p "$call.life" ] || command -p mkfifo "$call.answer" "$call.life" || exit 125
exec 3<>"$call.life"
echo "$slot ${directory}" >'${directory}/calls'
{ printf '%s\\0' "$$" "$PWD" "$#" "$@"; export -p; printf '\\0'; } >&3
while IFS= read -r line; do
  text=\${line#?}
  case $line in
    0*) exit "$text" ;;
    1*) printf '%s\\n' "$text" ;;
    2*) printf '%s\\n' "$text" >&2 ;;
  esac
done <"$call.answer"
`;

/** Slots whose pipes exist from the beginning: most tests have no more runs at the same time. */
const preparedSlots = 4;

const openFile = promisify(open);
const executeFile = promisify(execFile);

/** The pipes of one program: `calls`, where each run announces itself, and its slots. */
interface Exchange {
  /** Where they are while no program has them. */
  readonly home: string;
  readonly requests: Socket;
  /** Receives the lines of `calls`. */
  onCall: (line: string) => void;
}

/** Exchanges that no program has: creating one starts a process, since Node cannot create a named pipe. */
const freeExchanges: Exchange[] = [];

async function createExchange(): Promise<Exchange> {
  const home = await mkdtemp(join(tmpdir(), 'pipes-'));
  const slots = Array.from({length: preparedSlots}, (_, slot) => [`${String(slot)}.life`, `${String(slot)}.answer`]);
  await executeFile(
    'mkfifo',
    ['calls', ...slots.flat()].map((name) => join(home, name)),
  );
  const requests = await openPipe(join(home, 'calls'), 'readable', 'shared');
  const exchange: Exchange = {home, requests, onCall: () => undefined};
  createInterface({input: requests}).on('line', (line) => {
    exchange.onCall(line);
  });
  return exchange;
}

/** Writes an executable into a folder and answers its runs. Ends with `stop()`. */
export async function startFakeProgram(
  bin: string,
  name: string,
  answer: (run: ProgramRun) => ProgramAnswer | Promise<ProgramAnswer>,
): Promise<FakeProgram> {
  const directory = join(bin, `.${name}`);
  const exchange = freeExchanges.pop() ?? (await createExchange());
  await rename(exchange.home, directory);
  exchange.requests.ref();
  const runs: ProgramRun[] = [];
  const answers = new Set<Socket>();
  const taken = new Set<string>();
  const serve = async (slot: string): Promise<void> => {
    taken.add(slot);
    const life = await openPipe(join(directory, `${slot}.life`), 'readable', 'ours');
    const ended = new Promise<void>((resolve) => life.once('close', resolve));
    const free = async (): Promise<void> => {
      await rm(join(directory, `${slot}.taken`), {force: true});
      taken.delete(slot);
    };
    const given = await readRun(life);
    // It was killed before.
    if (!given) return free();
    const output = await openPipe(join(directory, `${slot}.answer`), 'writable', 'shared');
    answers.add(output);
    void ended.then(() => {
      output.destroy();
      answers.delete(output);
      return free();
    });
    const run = {...given, ended};
    runs.push(run);
    output.write(linesOf(await answer(run)));
  };
  const failures: unknown[] = [];
  exchange.onCall = (line) => {
    const [, slot = '', program] = /^(\d+) (.*)$/.exec(line) ?? [];
    // Not a run of a program that had these pipes before.
    if (program === directory) serve(slot).catch((thrown: unknown) => failures.push(thrown));
  };
  await writeFile(join(bin, name), script(directory));
  await chmod(join(bin, name), 0o755);
  return {
    runs,
    async stop() {
      // A run that starts while this ends finds no directory: that is no failure.
      const unanswered = [...failures];
      for (const output of answers) output.destroy();
      if (taken.size === 0) {
        await rename(directory, exchange.home);
        exchange.requests.unref();
        freeExchanges.push(exchange);
      } else {
        exchange.requests.destroy();
        await rm(directory, {recursive: true, force: true});
      }
      if (unanswered.length > 0) throw new AggregateError(unanswered, `runs of the fake ${name} were not answered`);
    },
  };
}

/**
 * Opens a named pipe without waiting for the process at its other end. `shared` pipes are held open at both ends: reading
 * does not end while there is no writer, and writing does not fail before there is a reader.
 */
async function openPipe(path: string, use: 'readable' | 'writable', ends: 'shared' | 'ours'): Promise<Socket> {
  const mode = ends === 'shared' ? constants.O_RDWR : constants.O_RDONLY;
  const fd = await openFile(path, mode | constants.O_NONBLOCK);
  return new Socket({fd, readable: use === 'readable', writable: use === 'writable'});
}

/**
 * Reads what the script writes: its process ID, its directory, the number of arguments, the arguments, and what `export -p`
 * prints. Undefined if it ends before that.
 */
function readRun(life: Socket): Promise<Omit<ProgramRun, 'ended'> | undefined> {
  return new Promise((resolve) => {
    let text = '';
    life.setEncoding('utf8').on('data', (more: string) => {
      text += more;
      const [pid, cwd = '', count, ...rest] = text.split('\0');
      // What follows the last NUL is empty.
      if (count === undefined || rest.length < Number(count) + 2) return;
      const env = [...(rest.at(-2) ?? '').matchAll(/^(?:export|declare -x) (\w+)/gm)].map(([, name = '']) => name);
      resolve({args: rest.slice(0, Number(count)), env, cwd, pid: Number(pid)});
    });
    life.once('close', () => {
      resolve(undefined);
    });
  });
}

function linesOf({stdout = '', stderr = '', exitCode}: ProgramAnswer): string {
  const lines = (prefix: string, text: string): string[] =>
    text === ''
      ? []
      : text
          .replace(/\n$/, '')
          .split('\n')
          .map((line) => `${prefix}${line}\n`);
  return [
    ...lines('1', stdout),
    ...lines('2', stderr),
    ...(exitCode === undefined ? [] : [`0${String(exitCode)}\n`]),
  ].join('');
}
