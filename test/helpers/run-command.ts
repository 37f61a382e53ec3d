/** Runs a command in this process, as the program would, and returns what it wrote and its exit code. */
import {fileURLToPath} from 'node:url';
import {Errors} from '@oclif/core';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** No directory can be created here: runs remember nothing of mesh.yaml's programs, and leave the developer's state alone. */
const withoutState = {XDG_STATE_HOME: '/dev/null'};

/** What a run wrote. */
export interface CommandRun {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** The class of a command, as its file exports it. */
export interface CommandClass {
  run(argv?: string[], options?: string): Promise<unknown>;
}

/** Runs `command argv…`. `env` is set for the run: PATH with fake tools first. */
export async function runCommand(
  command: CommandClass,
  argv: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandRun> {
  const before = {...process.env};
  Object.assign(process.env, withoutState, env);
  const capture = captureStreams();
  let code = 0;
  try {
    await command.run([...argv], root);
  } catch (thrown) {
    if (!(thrown instanceof Errors.ExitError)) throw thrown;
    code = thrown.oclif.exit ?? 1;
  } finally {
    capture.restore();
    for (const name of Object.keys(process.env)) if (!(name in before)) Reflect.deleteProperty(process.env, name);
    Object.assign(process.env, before);
  }
  return {code, stdout: capture.text('stdout'), stderr: capture.text('stderr')};
}

/** The JSON answer of a run. */
export function answerOf(run: CommandRun): unknown {
  return JSON.parse(run.stdout);
}

type Stream = 'stdout' | 'stderr';

/** Takes what is written; captureOutput of @oclif/test never calls the callback of `write(text, callback)`. */
function captureStreams(): {readonly text: (stream: Stream) => string; readonly restore: () => void} {
  const written = {stdout: '', stderr: ''};
  const originals = {
    stdout: process.stdout.write.bind(process.stdout),
    stderr: process.stderr.write.bind(process.stderr),
  };
  const capture = (stream: Stream): typeof process.stdout.write => {
    return (text: string | Uint8Array, encoding?: unknown, callback?: unknown): boolean => {
      written[stream] += typeof text === 'string' ? text : Buffer.from(text).toString('utf8');
      const done = typeof encoding === 'function' ? encoding : callback;
      if (typeof done === 'function') (done as () => void)();
      return true;
    };
  };
  process.stdout.write = capture('stdout');
  process.stderr.write = capture('stderr');
  return {
    text: (stream) => written[stream],
    restore() {
      process.stdout.write = originals.stdout;
      process.stderr.write = originals.stderr;
    },
  };
}
