import {MeshError} from '../../domain/errors.js';
import type {EffectContext} from '../effect.js';

/** Pause between two looks. Milliseconds. */
const pauseMs = 1000;

/**
 * Looks again and again until there is an answer, and says what it waits for. Throws `NOT_READY` with what was last seen after `timeoutMs`, and what
 * looking throws, except that an API server which does not answer for a while is asked again.
 */
export async function awaitAnswer<T>(
  {deps, line}: Pick<EffectContext, 'deps' | 'line'>,
  {timeoutMs, what}: {readonly timeoutMs: number; readonly what: string},
  look: () => Promise<{readonly answer: T} | {readonly notYet: string}>,
): Promise<T> {
  let said = '';
  const deadline = deps.now().getTime() + timeoutMs;
  for (;;) {
    let seen: string;
    try {
      const looked = await look();
      if ('answer' in looked) return looked.answer;
      seen = looked.notYet;
      if (seen !== said) line(seen);
      said = seen;
    } catch (thrown) {
      if (!(thrown instanceof MeshError) || thrown.code !== 'UNREACHABLE') throw thrown;
      seen = thrown.message;
    }
    deps.signal.throwIfAborted();
    if (deps.now().getTime() >= deadline) {
      throw new MeshError('NOT_READY', `${what} within ${String(Math.round(timeoutMs / 1000))} s: ${seen}`);
    }
    await deps.sleep(pauseMs);
  }
}
