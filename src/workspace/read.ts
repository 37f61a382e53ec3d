/**
 * Reads files that anybody may have put there. A named pipe without a writer, or a link to /dev/zero, must not stop the
 * program: opening a pipe in the usual way blocks a thread for good, and Node cannot end while a thread is blocked, so
 * that not even Ctrl-C would help.
 */
import {closeSync, constants, fstatSync, openSync, readFileSync, readSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {Socket} from 'node:net';
import type {Readable} from 'node:stream';
import {MeshError} from '../domain/errors.js';

/** Returns at once on a pipe that nobody writes to. No effect on regular files (open(2)). */
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

/** More than any certificate, Secret or passphrase, and little enough for memory. Bytes. */
const maxOutsideBytes = 64 * 1024 * 1024;

/**
 * The text of a regular file, links followed. Throws what the file system says, `EISDIR` for a directory, and
 * `WORKDIR_CONFLICT` for anything else that is no file.
 */
export async function readRegular(path: string): Promise<string> {
  const file = await open(path, flags);
  try {
    const facts = await file.stat();
    if (facts.isFile() || facts.isDirectory()) return await file.readFile('utf8');
    throw new MeshError('WORKDIR_CONFLICT', `${path} is a pipe, socket or device, a file belongs there`, {
      hints: ['move it away'],
    });
  } finally {
    await file.close();
  }
}

/**
 * The bytes of a file that the user named; a pipe (`<(pass show mesh)`) is read to its end. Throws what the file system
 * says, `WORKDIR_UNREADABLE` for more than anybody means, and the signal's reason.
 */
export async function readAny(path: string, signal: AbortSignal | undefined): Promise<Buffer> {
  const file = openSync(path, flags);
  // The stream closes what it was given. A pipe is opened once only: who opens it later misses that its writer has gone.
  if (fstatSync(file).isFIFO()) return readStream(new Socket({fd: file}), path, signal);
  try {
    const facts = fstatSync(file);
    return facts.isFile() || facts.isDirectory() ? readFileSync(file) : readDevice(file, path);
  } finally {
    closeSync(file);
  }
}

/** Everything that a stream has. Throws what {@link readAny} throws. */
export async function readStream(stream: Readable, name: string, signal: AbortSignal | undefined): Promise<Buffer> {
  const chunks: Buffer[] = [];
  const stop = (): void => {
    stream.destroy(signal?.reason instanceof Error ? signal.reason : undefined);
  };
  signal?.addEventListener('abort', stop, {once: true});
  try {
    signal?.throwIfAborted();
    let size = 0;
    for await (const chunk of stream) {
      chunks.push(Buffer.from(chunk as Uint8Array));
      size += chunks.at(-1)?.length ?? 0;
      if (size > maxOutsideBytes) throw tooLargeError(name);
    }
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks);
}

/** What a small file of our own says, as JSON; undefined where that is not `isWhole`. */
export function parseJsonFile<T>(
  text: string,
  isWhole: (value: Partial<Record<keyof T, unknown>>) => boolean,
): T | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof T, unknown>> | null;
    return value !== null && isWhole(value) ? (value as T) : undefined;
  } catch {
    return undefined;
  }
}

/** /dev/null is empty, /dev/zero has no end. */
function readDevice(file: number, path: string): Buffer {
  const buffer = Buffer.alloc(1024 * 1024);
  const bytesRead = readSync(file, buffer);
  if (bytesRead === buffer.length) throw tooLargeError(path);
  return buffer.subarray(0, bytesRead);
}

function tooLargeError(name: string): MeshError {
  return new MeshError('WORKDIR_UNREADABLE', `${name} has no end, or is larger than anything that is read here`);
}
