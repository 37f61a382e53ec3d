import {MeshError} from '../domain/errors.js';

/**
 * Writes a result to standard output and waits until it is out: a process that exits before a slow pipe was read would
 * cut the answer. A reader that has gone away (`| head`) is not an error. Throws `OUTPUT_FAILED` where the answer went to
 * a full disk: a script must not take half an answer for a whole one.
 */
export async function writeOut(text: string): Promise<void> {
  // oclif's own listener throws where nobody can catch it.
  process.stdout.removeAllListeners('error');
  const failure = await new Promise<NodeJS.ErrnoException | null | undefined>((resolve) => {
    process.stdout.once('error', resolve);
    process.stdout.write(text.endsWith('\n') ? text : `${text}\n`, resolve);
  });
  if (!failure || failure.code === 'EPIPE') return;
  throw new MeshError('OUTPUT_FAILED', `The answer could not be written to standard output: ${failure.message}`, {
    cause: failure,
    hints: ['What the command was to do is done: only its answer is lost'],
  });
}

/** Whether a stream is shown with colour: a terminal, unless NO_COLOR (no-color.org) says otherwise. */
export function hasColor(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY && (process.env.NO_COLOR ?? '') === '';
}
