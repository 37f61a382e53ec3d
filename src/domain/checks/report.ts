/** The report of verify: one row for each result of a check, and one verdict (docs/verify.md). The names are those of the JSON output. */
import {codeOfFailedRead, errorClasses, type ErrorCode, type ErrorReport} from '../errors.js';
import type {Hint, Suggestion} from '../suggest/suggestion.js';
import type {CheckId, Scope, Severity, Vantage} from './check.js';

export type RowResult = 'ok' | 'warning' | 'error' | 'unknown' | 'skipped';
export type Verdict = 'ok' | 'warning' | 'error' | 'unknown';

/**
 * What a finding about a pair of clusters states, regardless of the names in its text: views print findings of one kind together.
 * JSON does not contain it.
 */
export class FindingKind {
  constructor(readonly name: string) {}

  toJSON(): undefined {
    return undefined;
  }
}

/** One result of a check. A check with several findings about one cluster has several rows. */
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
  /** Absent: as the texts of the row. */
  readonly kind?: FindingKind;
  readonly vantage: Vantage;
  /** A command that fixes it or shows the cause; text if there is no command; empty if there is nothing to fix. */
  readonly fix: Suggestion | string;
  /** What only the user can do, where no command resolves it here. */
  readonly note?: Hint;
  /** The id of the check whose failure explains this one. */
  readonly impliedBy?: CheckId;
  /** Why it is unknown or skipped. */
  readonly reason?: string;
  /** For unknown: the error that prevented the observation. */
  readonly error?: ErrorReport;
}

/** How many rows of a check about the pairs of one cluster have a result. */
export interface RowCount {
  readonly id: CheckId;
  readonly cluster: string;
  readonly result: 'ok' | 'skipped';
  readonly count: number;
}

/** The report of a verify run. */
export interface Report {
  readonly verdict: Verdict;
  readonly checks: readonly Row[];
  /** The rows about pairs that are ok or skipped, where only their number is needed. Absent: `checks` has all rows. */
  readonly counted?: readonly RowCount[];
}

/** Error before unknown before warning before ok; skipped rows do not count. */
const verdictOrder = ['error', 'unknown', 'warning'] as const satisfies readonly Verdict[];

/** The verdict of rows. */
export function verdictOf(rows: readonly Row[]): Verdict {
  return verdictOrder.find((verdict) => rows.some((row) => row.result === verdict)) ?? 'ok';
}

/** Whether no row is unknown or a finding at or above `failOn`. */
export function isPassing(rows: readonly Row[], failOn: Severity): boolean {
  return !rows.some((row) => row.result === 'unknown' || isFailing(row, failOn));
}

/** Whether a row is a finding at or above `failOn`. */
export function isFailing(row: Pick<Row, 'result'>, failOn: Severity): boolean {
  return row.result === 'error' || (failOn === 'warning' && row.result === 'warning');
}

/**
 * The error code of an unknown row, from which the exit code follows: unknown (4), or invalid input (2) if that is the reason.
 * A failed request never counts as a failed change, a refusal or a timeout.
 */
export function codeOfUnknown(row: Row): ErrorCode {
  const code = codeOfFailedRead(row.error?.code ?? 'API_ERROR');
  const meaning = errorClasses[code];
  return meaning === 'unknown' || meaning === 'invalid' ? code : 'API_ERROR';
}
