import {type ErrorReport, asMeshError, reportError} from './errors.js';

/** A fact: its value, or the reason why it is unknown. Unknown is never treated as healthy or as absent. */
export type Observed<T> = {readonly value: T} | {readonly unknown: ErrorReport};

/** Creates a known fact. */
export function known<T>(value: T): Observed<T> {
  return {value};
}

/** Creates an unknown fact from the error that reading it caused. */
export function unknown(thrown: unknown): Observed<never> {
  return {unknown: reportError(asMeshError(thrown))};
}

/** Whether the fact is known. */
export function isKnown<T>(fact: Observed<T>): fact is {readonly value: T} {
  return 'value' in fact;
}

/** Returns the value of a fact, or `otherwise` if it is unknown. */
export function valueOr<T, Other>(fact: Observed<T>, otherwise: Other): T | Other {
  return isKnown(fact) ? fact.value : otherwise;
}

/** Returns the errors of the facts that are unknown. */
export function unknownsOf(...facts: readonly Observed<unknown>[]): readonly ErrorReport[] {
  return facts.flatMap((fact) => (isKnown(fact) ? [] : [fact.unknown]));
}

/**
 * Reads a fact and returns its value or the error. Interruptions, timeouts and bugs are rethrown: they are not facts
 * about a cluster.
 */
export async function observe<T>(read: () => Promise<T>): Promise<Observed<T>> {
  try {
    return known(await read());
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'interrupted' || error.class === 'timeout' || error.class === 'bug') throw error;
    return unknown(error);
  }
}
