import {MeshError} from '../../domain/errors.js';
import type {Hint} from '../../domain/suggest/suggestion.js';
import type {EffectContext} from '../effect.js';

/** Pause between two looks. Milliseconds. */
const pauseMs = 1000;

/** What is waited for. */
interface WaitOptions {
  /** The sentence of the error that says what did not happen. */
  readonly what: string;
  readonly timeoutMs: number;
  readonly hints?: readonly Hint[];
}

/**
 * Looks again and again until nothing is missing, and says what still is. Throws `NOT_READY` with what was last seen after
 * `timeoutMs`, and what looking throws, except that an API server which does not answer for a while is asked again.
 */
export async function awaitReady(
  {deps, line}: EffectContext,
  {what, timeoutMs, hints = []}: WaitOptions,
  missing: () => Promise<string | undefined>,
): Promise<void> {
  const deadline = deps.now().getTime() + timeoutMs;
  for (let said = ''; ;) {
    let seen: string | undefined;
    try {
      seen = await missing();
      if (seen === undefined) return;
      if (seen !== said) line(seen);
      said = seen;
    } catch (thrown) {
      if (!(thrown instanceof MeshError) || thrown.code !== 'UNREACHABLE') throw thrown;
      seen = thrown.message;
    }
    deps.signal.throwIfAborted();
    if (deps.now().getTime() >= deadline) {
      throw new MeshError('NOT_READY', `${what} within ${String(Math.round(timeoutMs / 1000))} s: ${seen}`, {hints});
    }
    await deps.sleep(pauseMs);
  }
}
