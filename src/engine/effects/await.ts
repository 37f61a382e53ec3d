import {MeshError} from '../../domain/errors.js';
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
 * Polls until `missing` returns undefined, and reports each change of what is missing. Throws `NOT_READY` with the last
 * state after `timeoutMs`, and what polling throws; an API server that does not respond is polled again.
 */
export async function awaitReady(
  {deps, line}: EffectContext,
  {what, timeoutMs, hints = []}: WaitOptions,
  missing: () => Promise<string | undefined>,
): Promise<void> {
  const deadline = deps.now().getTime() + timeoutMs;
  for (let reported = ''; ;) {
    let state: string | undefined;
    try {
      state = await missing();
      if (state === undefined) return;
      if (state !== reported) line(state);
      reported = state;
    } catch (thrown) {
      if (!(thrown instanceof MeshError) || thrown.code !== 'UNREACHABLE') throw thrown;
      state = thrown.message;
    }
    deps.signal.throwIfAborted();
    if (deps.now().getTime() >= deadline) {
      throw new MeshError('NOT_READY', `${what} within ${String(Math.round(timeoutMs / 1000))} s: ${state}`, {hints});
    }
    await deps.sleep(pauseMs);
  }
}
