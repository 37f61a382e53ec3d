/**
 * A result in a file that other programs read at any time, such as node_exporter's textfile collector: the old content or
 * the new, never half of it. Not part of the work directory, and written without its lock.
 */
import {randomBytes} from 'node:crypto';
import {lstat, realpath} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {MeshError} from '../domain/errors.js';
import {advice, filePath, fixWith} from '../domain/suggest/suggestion.js';
import {type Faults, replaceFile, temporarySuffix} from './atomic.js';
import {errno, fileError} from './fs-errors.js';

/** Writes it. A link stays, what it leads to is replaced. Throws `OUTPUT_FAILED` and leaves no temporary file. */
export async function writeOutputFile(path: string, content: string, faults?: Faults): Promise<void> {
  try {
    const target = await realpath(path).catch(() => path);
    // Two runs may write the same file at the same time: each has a temporary one of its own. It does not end in .prom, so
    // that no collector takes it.
    const name = `.${basename(target)}.${randomBytes(4).toString('hex')}${temporarySuffix}`;
    const facts = await lstat(target).catch(() => undefined);
    // A rename would take the place of a device or a pipe.
    if (facts && !facts.isFile()) {
      throw new MeshError('OUTPUT_FAILED', `${path} is there and is no regular file: nothing was written`, {
        hints: ['Name a file, or print the answer and redirect it: without --output-file'],
      });
    }
    await replaceFile(target, join(dirname(target), name), content, faults);
  } catch (thrown) {
    throw outputError(thrown, path);
  }
}

function outputError(thrown: unknown, path: string): MeshError {
  if (thrown instanceof MeshError) return thrown;
  const missing = errno(thrown) === 'ENOENT';
  const {message} = fileError(thrown, path, 'write');
  return new MeshError('OUTPUT_FAILED', missing ? `the folder of ${path} does not exist` : message, {
    cause: thrown,
    hints: [
      missing
        ? advice`Make it first: ${fixWith.run('mkdir', ['-p', filePath(dirname(path))])}`
        : 'What was there before is still there, unchanged',
    ],
  });
}
