/** Bounds waiting by a timeout, and by the signal that aborts a run (Ctrl-C, or `--timeout`). */
import {setTimeout as delay} from 'node:timers/promises';
import {MeshError} from '../domain/errors.js';

/** The error for an aborted signal: its reason, if that is a MeshError. */
export function abortError(signal: AbortSignal): MeshError {
  const reason: unknown = signal.reason;
  return reason instanceof MeshError ? reason : new MeshError('INTERRUPTED', 'interrupted');
}

/** Resolves after this many milliseconds. Throws {@link abortError} as soon as the signal aborts. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, {signal}).catch(() => undefined);
  if (signal.aborted) throw abortError(signal);
}

/**
 * What to call when a signal aborts. A signal searches all of its listeners whenever one is added or removed, which thousands of
 * concurrent requests would notice, so each signal has a single listener here.
 */
const callbacks = new WeakMap<AbortSignal, Set<() => void>>();

/** Calls `callback` when the signal aborts. Returns a function that ends this. */
function onAbort(signal: AbortSignal, callback: () => void): () => void {
  const all = callbacks.get(signal) ?? listenTo(signal);
  all.add(callback);
  return () => {
    all.delete(callback);
  };
}

function listenTo(signal: AbortSignal): Set<() => void> {
  const all = new Set<() => void>();
  callbacks.set(signal, all);
  signal.addEventListener('abort', () => {
    for (const callback of all) callback();
  });
  return all;
}

/**
 * Waits for work that cannot be cancelled, such as key generation on a thread, until the run is aborted. Throws
 * {@link abortError} in that case.
 */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const stop = (): void => {
      reject(abortError(signal));
    };
    if (signal.aborted) stop();
    const end = onAbort(signal, stop);
    work.then(resolve, reject).finally(end);
  });
}

/** Returns the result, or `timed-out` after this many milliseconds; the work itself continues. */
export async function within<T>(timeoutMs: number, work: Promise<T>): Promise<T | 'timed-out'> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<'timed-out'>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, 'timed-out' as const);
  });
  return Promise.race([work, timeout]).finally(() => {
    clearTimeout(timer);
  });
}

/** The bounds of work that reports its result by callbacks. */
export interface Bounds {
  /** 0: no timeout. */
  readonly timeoutMs: number;
  /** Creates the error for a timeout. */
  readonly timeoutError: () => Error;
  readonly signal: AbortSignal;
}

/**
 * A promise for the work that `start` begins, settled by its callbacks, the timeout or the signal, whichever comes
 * first. Does not begin if the signal is already aborted.
 */
export async function bounded<T>(
  {timeoutMs, timeoutError: late, signal}: Bounds,
  start: (resolve: (value: T) => void, fail: (reason: Error) => void) => void,
): Promise<T> {
  if (signal.aborted) throw abortError(signal);
  const work = untilAborted(new Promise<T>(start), signal);
  const result = await (timeoutMs === 0 ? work : within(timeoutMs, work));
  if (result === 'timed-out') throw late();
  return result;
}

/** A duration for people. */
export function seconds(milliseconds: number): string {
  return `${String(Math.round(milliseconds / 100) / 10)} s`;
}
