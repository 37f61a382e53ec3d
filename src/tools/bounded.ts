/** Limits to waiting: a time, and the signal that aborts a run (Ctrl-C, or `--timeout`). */
import {setTimeout as delay} from 'node:timers/promises';
import {MeshError} from '../domain/errors.js';

/** The error that an aborted signal stands for: its own reason where that is one of ours. */
export function abortError(signal: AbortSignal): MeshError {
  const reason: unknown = signal.reason;
  return reason instanceof MeshError ? reason : new MeshError('INTERRUPTED', 'interrupted');
}

/** Resolves after so many milliseconds. Throws {@link abortError} as soon as the signal aborts. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, {signal}).catch(() => undefined);
  if (signal.aborted) throw abortError(signal);
}

/**
 * Waits for work that cannot be cancelled, such as a key being made on a thread, only until the run is aborted. Throws
 * {@link abortError} then.
 */
export async function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  const end = new AbortController();
  const aborted = new Promise<never>((_, reject) => {
    const stop = (): void => {
      reject(abortError(signal));
    };
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, {signal: end.signal});
  });
  return Promise.race([aborted, work]).finally(() => {
    end.abort();
  });
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

/** What bounds something that answers by callbacks. */
export interface Bounds {
  /** 0: as long as it takes. */
  readonly timeoutMs: number;
  /** What it failed with when the time is over. */
  readonly timeoutError: () => Error;
  readonly signal: AbortSignal;
}

/**
 * A promise for what `start` begins: settled by its callbacks, by the time or by the signal, whichever is first. Begins
 * nothing when the signal is aborted already.
 */
export async function bounded<T>(
  {timeoutMs, timeoutError: late, signal}: Bounds,
  start: (resolve: (value: T) => void, fail: (reason: Error) => void) => void,
): Promise<T> {
  if (signal.aborted) throw abortError(signal);
  const answer = untilAborted(new Promise<T>(start), signal);
  const inTime = await (timeoutMs === 0 ? answer : within(timeoutMs, answer));
  if (inTime === 'late') throw late();
  return inTime;
}

/** A duration for people. */
export function seconds(milliseconds: number): string {
  return `${String(Math.round(milliseconds / 100) / 10)} s`;
}
