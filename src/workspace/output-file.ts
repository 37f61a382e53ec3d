/**
 * Writes a result to a file that other programs may read at any time, such as node_exporter's textfile collector: they
 * read the old or the new content, never a part. The file is outside the work directory and written without its lock.
 */
import {randomBytes} from 'node:crypto';
import {lstat, mkdir, realpath} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import {MeshError} from '../domain/errors.js';
import {advice, filePath, fixWith} from '../domain/suggest/suggestion.js';
import {type Faults, replaceFile, temporarySuffix} from './atomic.js';
import {errno, fileError} from './fs-errors.js';

/** How {@link writeOutputFile} writes. */
export interface OutputOptions {
  /** Create the directory, and those above it, if they do not exist. */
  readonly createsDirectory?: boolean;
  readonly faults?: Faults | undefined;
}

/** Writes the file. Replaces the target of a symbolic link. Throws `OUTPUT_FAILED` and leaves no temporary file. */
export async function writeOutputFile(
  path: string,
  content: string,
  {createsDirectory = false, faults}: OutputOptions = {},
): Promise<void> {
  try {
    if (createsDirectory) await mkdir(dirname(path), {recursive: true});
    const target = await realpath(path).catch(() => path);
    // Each run has its own temporary file, because two may write the same file at the same time. It does not end in
    // .prom, so that no collector reads it.
    const name = `.${basename(target)}.${randomBytes(4).toString('hex')}${temporarySuffix}`;
    const facts = await lstat(target).catch(() => undefined);
    // A rename would replace a device or a pipe.
    if (facts && !facts.isFile()) {
      throw new MeshError('OUTPUT_FAILED', `${path} exists and is not a regular file: nothing was written`, {
        hints: ['give the path of a file, or omit --output-file and redirect the output'],
      });
    }
    await replaceFile(target, join(dirname(target), name), content, {faults});
  } catch (thrown) {
    throw outputError(thrown, path);
  }
}

function outputError(thrown: unknown, path: string): MeshError {
  if (thrown instanceof MeshError) return thrown;
  const missing = errno(thrown) === 'ENOENT';
  const {message} = fileError(thrown, path, 'write');
  return new MeshError('OUTPUT_FAILED', missing ? `the directory of ${path} does not exist` : message, {
    cause: thrown,
    hints: [
      missing
        ? advice`create it first: ${fixWith.run('mkdir', ['-p', filePath(dirname(path))])}`
        : 'an existing file was not changed',
    ],
  });
}
