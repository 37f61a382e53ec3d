/** Waiting, and what is thrown when a run is aborted: by Ctrl-C, or at `--timeout`. */
import {setTimeout} from 'node:timers/promises';
import {MeshError} from '../domain/errors.js';

/** The error that an aborted signal stands for: its own reason where that is one of ours. */
export function abortError(signal: AbortSignal): MeshError {
  const reason: unknown = signal.reason;
  return reason instanceof MeshError ? reason : new MeshError('INTERRUPTED', 'interrupted');
}

/** Resolves after so many milliseconds. Throws {@link abortError} as soon as the signal aborts. */
export async function sleep(milliseconds: number, signal: AbortSignal): Promise<void> {
  await setTimeout(milliseconds, undefined, {signal}).catch(() => undefined);
  if (signal.aborted) throw abortError(signal);
}
