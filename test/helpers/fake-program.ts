/**
 * A fake executable whose behaviour is a function of the test. The executable is a shell script that hands its arguments
 * to this process and prints what comes back: it starts in a few milliseconds, where a Node script takes fifty.
 *
 * Each run has two named pipes. The script holds the writing end of `life` for as long as it runs, so this process sees
 * when it ends; it reads what to do from `answer`, and ends when this process does.
 */
import {execFile} from 'node:child_process';
import {constants, open} from 'node:fs';
import {chmod, mkdir, mkdtemp, readFile, rename, rm, writeFile} from 'node:fs/promises';
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

/** Lines that the script reads: `1TEXT` and `2TEXT` go to standard output and standard error, `0CODE` ends it. */
const script = (directory: string): string => `#!/bin/sh
call='${directory}'/$$
command -p mkfifo "$call.answer" "$call.life" || exit 125
exec 3<>"$call.life"
{ printf '%s\\0' "$#" "$PWD" "$@"; export -p; } >"$call.run"
echo "$$" >'${directory}/calls'
while IFS= read -r line; do
  text=\${line#?}
  case $line in
    0*) exit "$text" ;;
    1*) printf '%s\\n' "$text" ;;
    2*) printf '%s\\n' "$text" >&2 ;;
  esac
done <"$call.answer"
`;

const openFile = promisify(open);
const executeFile = promisify(execFile);

/** Named pipes for later programs: Node cannot create one, and a process for each takes longer than the rest. */
const pipes: string[] = [];
const pipesAtOnce = 32;

async function takePipe(path: string): Promise<void> {
  if (pipes.length === 0) {
    const directory = await mkdtemp(join(tmpdir(), 'pipes-'));
    const made = Array.from({length: pipesAtOnce}, (_, index) => join(directory, String(index)));
    await executeFile('mkfifo', made);
    pipes.push(...made);
  }
  const pipe = pipes.pop();
  if (pipe !== undefined) await rename(pipe, path);
}

/** Writes an executable into a folder and answers its runs. Ends with `stop()`. */
export async function startFakeProgram(
  bin: string,
  name: string,
  answer: (run: ProgramRun) => ProgramAnswer | Promise<ProgramAnswer>,
): Promise<FakeProgram> {
  const directory = join(bin, `.${name}`);
  const calls = join(directory, 'calls');
  await mkdir(directory);
  await takePipe(calls);
  const runs: ProgramRun[] = [];
  const answers = new Set<Socket>();
  const serve = async (pid: number): Promise<void> => {
    const file = (part: string): string => join(directory, `${String(pid)}.${part}`);
    const life = await openPipe(file('life'), 'readable', 'ours');
    const output = await openPipe(file('answer'), 'writable', 'shared');
    answers.add(output);
    const ended = new Promise<void>((resolve) => life.once('close', resolve).resume());
    void ended.then(async () => {
      output.destroy();
      answers.delete(output);
      // The kernel may give the same process ID to a later run.
      await Promise.all(['life', 'answer', 'run'].map((part) => rm(file(part), {force: true})));
    });
    const run = {...parseRun(await readFile(file('run'), 'utf8')), pid, ended};
    runs.push(run);
    output.write(linesOf(await answer(run)));
  };
  const failures: unknown[] = [];
  const requests = await openPipe(calls, 'readable', 'shared');
  createInterface({input: requests}).on('line', (pid) => {
    serve(Number(pid)).catch((thrown: unknown) => failures.push(thrown));
  });
  await writeFile(join(bin, name), script(directory));
  await chmod(join(bin, name), 0o755);
  return {
    runs,
    async stop() {
      // A run that starts while this ends finds no directory: that is no failure.
      const unanswered = [...failures];
      requests.destroy();
      for (const output of answers) output.destroy();
      await rm(directory, {recursive: true, force: true});
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

/** The file that the script writes: the number of arguments, its directory, the arguments, and what `export -p` prints. */
function parseRun(text: string): Pick<ProgramRun, 'args' | 'cwd' | 'env'> {
  const [count, cwd = '', ...rest] = text.split('\0');
  const args = rest.slice(0, Number(count));
  const env = [...(rest.at(-1) ?? '').matchAll(/^(?:export|declare -x) (\w+)/gm)].map(([, name = '']) => name);
  return {args, cwd, env};
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
