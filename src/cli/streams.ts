import {MeshError} from '../domain/errors.js';

/**
 * Writes a result to standard output and waits until it is flushed: exiting before a slow pipe is read would truncate
 * it. A closed pipe (`| head`) is not an error. Throws `OUTPUT_FAILED` where writing fails, for example on a full disk:
 * a script must not mistake truncated output for the result.
 */
export async function writeOut(text: string): Promise<void> {
  const failure = await written(text.endsWith('\n') ? text : `${text}\n`);
  if (!failure || failure.code === 'EPIPE') return;
  throw new MeshError('OUTPUT_FAILED', `cannot write the result to standard output: ${failure.message}`, {
    cause: failure,
    hints: ['the command has completed; only its output is lost'],
  });
}

/**
 * Writes a line of the journal to standard output. Throws the stream's error, that of a closed pipe too: a change must be
 * recorded before it is made.
 */
export async function writeLine(line: string): Promise<void> {
  const failure = await written(line);
  if (failure) throw failure;
}

async function written(text: string): Promise<NodeJS.ErrnoException | null | undefined> {
  // oclif's own listener throws an error that cannot be caught.
  process.stdout.removeAllListeners('error');
  return new Promise((resolve) => {
    process.stdout.once('error', resolve);
    process.stdout.write(text, resolve);
  });
}

/** Whether to use color on a stream: on a terminal, unless NO_COLOR (no-color.org) is set. */
export function hasColor(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && (process.env.NO_COLOR ?? '') === '';
}
