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
