/**
 * Reads files of unknown origin. A named pipe without a writer, or a link to /dev/zero, must not block the program:
 * opening a pipe normally blocks a thread forever, and Node cannot exit while a thread is blocked, so that not even
 * Ctrl-C would help.
 */
import {closeSync, constants, fstatSync, openSync, readFileSync, readSync} from 'node:fs';
import {open} from 'node:fs/promises';
import {Socket} from 'node:net';
import type {Readable} from 'node:stream';
import {MeshError} from '../domain/errors.js';

/** Opening a pipe without a writer returns immediately. No effect on regular files (open(2)). */
const flags = constants.O_RDONLY | constants.O_NONBLOCK;

/** Larger than any certificate, Secret or passphrase, and small enough for memory. Bytes. */
const maxBytes = 64 * 1024 * 1024;

/** Larger than a journal of a million changes, and smaller than the longest string of V8, 512 MiB. Bytes. */
export const maxJournalBytes = 500 * 1024 * 1024;

/**
 * Reads the text of a regular file, following links. Throws file system errors, such as `EISDIR` for a directory, and
 * `WORKDIR_CONFLICT` for anything else that is not a file, and `WORKDIR_UNREADABLE` for a file above the limit in bytes.
 */
export async function readRegular(path: string, limit = maxBytes): Promise<string> {
  const file = await open(path, flags);
  try {
    const facts = await file.stat();
    if (facts.isFile() && facts.size > limit) throw tooLargeError(path);
    if (facts.isFile() || facts.isDirectory()) return await file.readFile('utf8');
    throw new MeshError('WORKDIR_CONFLICT', `${path} is a pipe, socket or device, but must be a file`, {
      hints: ['move it away'],
    });
  } finally {
    await file.close();
  }
}

/**
 * Reads the bytes of a file that the user named; a pipe (`<(pass show mesh)`) is read to its end. Throws file system
 * errors, `WORKDIR_UNREADABLE` for a file that is too large, and the signal's reason.
 */
export async function readAny(path: string, signal: AbortSignal | undefined): Promise<Buffer> {
  const file = openSync(path, flags);
  // The stream closes the descriptor. A pipe is opened only once: opened again, it would not report that its writer has
  // closed it.
  if (fstatSync(file).isFIFO()) return readStream(new Socket({fd: file}), path, signal);
  try {
    const facts = fstatSync(file);
    if (facts.isFile() && facts.size > maxBytes) throw tooLargeError(path);
    return facts.isFile() || facts.isDirectory() ? readFileSync(file) : readDevice(file, path);
  } finally {
    closeSync(file);
  }
}

/** Reads a stream to its end. Throws what {@link readAny} throws. */
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
      if (size > maxBytes) throw tooLargeError(name);
    }
  } finally {
    signal?.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks);
}

/** Parses a small JSON file of this program; undefined if it is not valid according to `isValid`. */
export function parseJsonFile<T>(
  text: string,
  isValid: (value: Partial<Record<keyof T, unknown>>) => boolean,
): T | undefined {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof T, unknown>> | null;
    return value !== null && isValid(value) ? (value as T) : undefined;
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
  return new MeshError('WORKDIR_UNREADABLE', `${name} is too large, or has no end`);
}
