import {asMeshError} from '../domain/errors.js';
import {known, unknown, type Observed} from '../domain/observed.js';

/**
 * Asks for a fact and records the answer or the reason. One request that took too long is a reason like any other; what
 * ends the whole run (Ctrl-C, `--timeout`) and bugs are thrown on.
 */
export async function attempt<T>(signal: AbortSignal, ask: () => Promise<T>): Promise<Observed<T>> {
  try {
    return known(await ask());
  } catch (thrown) {
    signal.throwIfAborted();
    const error = asMeshError(thrown);
    if (error.class === 'interrupted' || error.class === 'bug') throw error;
    return unknown(error);
  }
}
