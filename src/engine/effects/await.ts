import {MeshError} from '../../domain/errors.js';
import {formatDuration} from '../../domain/format.js';
import type {Hint} from '../../domain/suggest/suggestion.js';
import type {EffectContext} from '../effect.js';

/** Pause between two checks. Milliseconds. */
const pauseMs = 1000;

/** What to wait for, and for how long. */
interface WaitOptions {
  /** The error message's main clause: what did not happen. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly hints?: readonly Hint[];
}

/**
 * Polls until `missing` returns undefined, and reports what is missing. Throws `NOT_READY` with the last state after
 * `timeoutMs`, and what polling throws; an API server that does not respond is polled again.
 */
export async function awaitReady(
  {deps, waiting}: EffectContext,
  {what, timeoutMs, hints = []}: WaitOptions,
  missing: () => Promise<string | undefined>,
): Promise<void> {
  const start = deps.now().getTime();
  for (;;) {
    let state: string | undefined;
    try {
      state = await missing();
    } catch (thrown) {
      if (!(thrown instanceof MeshError) || thrown.code !== 'UNREACHABLE') throw thrown;
      state = thrown.message;
    }
    if (state === undefined) return;
    deps.signal.throwIfAborted();
    const elapsedMs = deps.now().getTime() - start;
    waiting({what: state, elapsedMs, limitMs: timeoutMs});
    if (elapsedMs >= timeoutMs) {
      throw new MeshError('NOT_READY', `${what} within ${formatDuration(timeoutMs)}: ${state}`, {hints});
    }
    await deps.sleep(pauseMs);
  }
}
