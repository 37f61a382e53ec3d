import {type ErrorReport, asMeshError, reportError} from './errors.js';

/** A fact: its value, or why it could not be told. Unknown is never treated as healthy or as absent. */
export type Observed<T> = {readonly value: T} | {readonly unknown: ErrorReport};

/** A fact that is known. */
export function known<T>(value: T): Observed<T> {
  return {value};
}

/** A fact that could not be told, from whatever was thrown while asking. */
export function unknown(thrown: unknown): Observed<never> {
  return {unknown: reportError(asMeshError(thrown))};
}

/** Whether the fact is known. */
export function isKnown<T>(fact: Observed<T>): fact is {readonly value: T} {
  return 'value' in fact;
}

/** The value of a fact; `otherwise` where it could not be told. */
export function valueOr<T, Other>(fact: Observed<T>, otherwise: Other): T | Other {
  return isKnown(fact) ? fact.value : otherwise;
}

/** Why some of these facts could not be told. */
export function unknownsOf(...facts: readonly Observed<unknown>[]): readonly ErrorReport[] {
  return facts.flatMap((fact) => (isKnown(fact) ? [] : [fact.unknown]));
}

/**
 * Asks and records the answer or the reason. Interruptions, time-outs and bugs are not facts about a cluster: they are
 * thrown on.
 */
export async function observe<T>(ask: () => Promise<T>): Promise<Observed<T>> {
  try {
    return known(await ask());
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'interrupted' || error.class === 'timeout' || error.class === 'bug') throw error;
    return unknown(error);
  }
}
