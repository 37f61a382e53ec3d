/** Counts the answers of a round of requests. */
import type {TrafficFacts, TrafficFailure} from '../facts/facts.js';
import {printableLine} from '../printable.js';
import type {DialAnswer} from './dial.js';

/**
 * The requests of a round. If one of four gateways does not work, a round of 10 has a chance of 6 % to be answered completely, one of
 * 30 of 0.02 %; two follow each other, of which the second one counts. Proxies retry a failed connection at another gateway, so one that refuses connections at once can stay unnoticed
 * (1.31.0:pilot/pkg/networking/core/route/retry/retry.go, DefaultPolicy).
 */
export const requestsPerRound = 30;

/** A round ends early when its first requests all fail: each may take as long as the client waits. */
export const maxFailuresAtStart = 3;

/** How many targets get requests at the same time from one pod. */
export const targetsAtOnce = 8;

/** The longest text of a failure that is shown. Characters. */
const maxTextLength = 200;

/** Whether an echo pod answered: /dial does not report the HTTP status, so only the body shows who did. */
export function isAnswered({isResponse, text}: DialAnswer, pods: readonly string[]): boolean {
  return isResponse && pods.includes(text);
}

/** Whether a round with these answers needs no more requests. */
export function isRoundOver(answers: readonly DialAnswer[], pods: readonly string[]): boolean {
  if (answers.length >= requestsPerRound) return true;
  return answers.length >= maxFailuresAtStart && answers.every((answer) => !isAnswered(answer, pods));
}

/** The facts of a round. */
export function countAnswers(answers: readonly DialAnswer[], pods: readonly string[]): TrafficFacts {
  const failures = new Map<string, TrafficFailure>();
  const failed = answers.filter((answer) => !isAnswered(answer, pods));
  for (const {isResponse, text} of failed) {
    const shown = printableLine(text).slice(0, maxTextLength);
    const key = JSON.stringify([isResponse, shown]);
    failures.set(key, {text: shown, isResponse, count: (failures.get(key)?.count ?? 0) + 1});
  }
  return {requests: answers.length, answered: answers.length - failed.length, failures: [...failures.values()]};
}
