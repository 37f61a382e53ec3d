/** What verify says: one row for each judgement, and one verdict (docs/verify.md). These names are the JSON answer. */
import {errorClasses, type ErrorCode, type ErrorReport} from '../errors.js';
import type {Suggestion} from '../suggest/suggestion.js';
import type {CheckId, Scope, Severity, Vantage} from './check.js';

export type RowResult = 'ok' | 'warning' | 'error' | 'unknown' | 'skipped';
export type Verdict = 'ok' | 'warning' | 'error' | 'unknown';

/** One judgement. A check with several findings about one cluster has several rows. */
export interface Row {
  readonly id: CheckId;
  readonly title: string;
  readonly severity: Severity;
  readonly scope: Scope;
  readonly cluster?: string;
  readonly peer?: string;
  readonly result: RowResult;
  readonly observed: string;
  readonly expected: string;
  readonly vantage: Vantage;
  /** What fixes it, or shows where to look; text where no command does; empty when nothing needs fixing. */
  readonly fix: Suggestion | string;
  /** The id of the check whose failure explains this one. */
  readonly impliedBy?: CheckId;
  /** Why it is unknown or skipped. */
  readonly reason?: string;
  /** For unknown: what went wrong when asking. */
  readonly error?: ErrorReport;
}

/** The answer of a verify run. */
export interface Report {
  readonly verdict: Verdict;
  readonly checks: readonly Row[];
}

/** Error over unknown over warning over ok; skipped rows say nothing. */
const verdictOrder = ['error', 'unknown', 'warning'] as const satisfies readonly Verdict[];

/** The verdict of some rows. */
export function verdictOf(rows: readonly Row[]): Verdict {
  return verdictOrder.find((verdict) => rows.some((row) => row.result === verdict)) ?? 'ok';
}

/** Whether the rows are good enough to go on: nothing unknown and no finding at or above `failOn`. */
export function isGreen(rows: readonly Row[], failOn: Severity): boolean {
  return !rows.some((row) => row.result === 'unknown' || isFailing(row, failOn));
}

/** Whether a row is a finding at or above `failOn`. */
export function isFailing(row: Pick<Row, 'result'>, failOn: Severity): boolean {
  return row.result === 'error' || (failOn === 'warning' && row.result === 'warning');
}

/**
 * The error code that an unknown row stands for in the exit code: "could not tell" (4), or invalid input (2) where
 * that is the reason. That asking failed never counts as "something was tried and failed".
 */
export function codeOfUnknown(row: Row): ErrorCode {
  const code = row.error?.code ?? 'API_ERROR';
  const meaning = errorClasses[code];
  return meaning === 'unknown' || meaning === 'invalid' ? code : 'API_ERROR';
}
