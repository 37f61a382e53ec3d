/** What comes from outside has bounds: in time, and in bytes. */
import type {IncomingMessage} from 'node:http';
import {asMeshError, type MeshError} from '../domain/errors.js';

/** What bounds something that answers by callbacks. */
export interface Bounds {
  readonly timeoutMs: number;
  /** What it failed with when the time is over. */
  readonly late: () => MeshError;
  readonly signal: AbortSignal;
}

/**
 * A promise for what `start` begins: settled by its callbacks, by the time or by the signal, whichever is first. Rejects
 * with a MeshError; leaves neither timer nor listener behind.
 */
export async function bounded<T>(
  {timeoutMs, late, signal}: Bounds,
  start: (resolve: (value: T) => void, fail: (reason: unknown) => void) => void,
): Promise<T> {
  const end = new AbortController();
  try {
    return await new Promise<T>((resolve, reject) => {
      const fail = (reason: unknown): void => {
        reject(asMeshError(reason));
      };
      const timer = setTimeout(() => {
        fail(late());
      }, timeoutMs);
      end.signal.addEventListener('abort', () => {
        clearTimeout(timer);
      });
      signal.addEventListener(
        'abort',
        () => {
          fail(signal.reason);
        },
        {signal: end.signal},
      );
      start(resolve, fail);
    });
  } finally {
    end.abort();
  }
}

/** The answer, or `late` when it takes longer than so many milliseconds; what is waited for goes on. */
export async function within<T>(timeoutMs: number, answer: Promise<T>): Promise<T | 'late'> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<'late'>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, 'late' as const);
  });
  return Promise.race([answer, late]).finally(() => {
    clearTimeout(timer);
  });
}

/** A body that is longer than allowed. */
export class TooLong extends Error {
  constructor(readonly maxBytes: number) {
    super(`longer than ${String(maxBytes)} bytes`);
  }
}

/** The whole body of a response. Throws {@link TooLong} as soon as it is longer than allowed, and what the connection fails with. */
export async function readBody(response: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let bytes = 0;
  for await (const piece of response) {
    bytes += (piece as Buffer).length;
    // Leaving the loop destroys the response.
    if (bytes > maxBytes) throw new TooLong(maxBytes);
    pieces.push(piece as Buffer);
  }
  return Buffer.concat(pieces);
}
