import {MeshError} from '../../domain/errors.js';
import {formatDuration} from '../../domain/format.js';
import type {Hint} from '../../domain/suggest/suggestion.js';
import type {EffectContext} from '../effect.js';

/** Pause between two looks. Milliseconds. */
const pauseMs = 1000;

/** What is waited for. */
interface Awaited {
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
  {deps, waiting}: EffectContext,
  {what, timeoutMs, hints = []}: Awaited,
  missing: () => Promise<string | undefined>,
): Promise<void> {
  const start = deps.now().getTime();
  for (;;) {
    let seen: string | undefined;
    try {
      seen = await missing();
    } catch (thrown) {
      if (!(thrown instanceof MeshError) || thrown.code !== 'UNREACHABLE') throw thrown;
      seen = thrown.message;
    }
    if (seen === undefined) return;
    deps.signal.throwIfAborted();
    const elapsedMs = deps.now().getTime() - start;
    waiting({what: seen, elapsedMs, limitMs: timeoutMs});
    if (elapsedMs >= timeoutMs) {
      throw new MeshError('NOT_READY', `${what} within ${formatDuration(timeoutMs)}: ${seen}`, {hints});
    }
    await deps.sleep(pauseMs);
  }
}
