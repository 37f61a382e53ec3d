/** `verify --list-checks` and `verify --explain ID`: need neither a network nor a work directory. */
import type {Check, Explanation} from '../../domain/checks/check.js';
import {checks} from '../../domain/checks/registry.js';
import {findChecks} from '../../domain/checks/select.js';
import type {Operation} from '../../engine/operation.js';

/** A check without its explanation. */
export type CheckSummary = Pick<Check, 'id' | 'title' | 'severity' | 'scope' | 'vantage'>;

/** The result of `--list-checks`. */
export interface CheckList {
  readonly checks: readonly CheckSummary[];
}

/** The result of `--explain`. */
export interface ExplainedCheck extends CheckSummary, Omit<Explanation, 'fix'> {
  readonly mend: string;
  /** Ids or prefixes of checks that cannot be ok while this one is not. */
  readonly implies: readonly string[];
}

/** `verify --list-checks` */
export const listChecks: Operation<undefined, CheckList> = {
  command: 'verify',
  changes: false,
  execute: () => Promise.resolve({checks: checks.map(summary)}),
  conclude: () => [],
};

/** `verify --explain ID`: the explanation of a check; for a prefix of several checks, their list. Throws `UNKNOWN_ID`. */
export const explainCheck: Operation<{readonly id: string}, ExplainedCheck | CheckList> = {
  command: 'verify',
  changes: false,
  execute: ({id}) =>
    new Promise((resolve) => {
      const [check, ...others] = findChecks(checks, id);
      resolve(others.length === 0 ? explained(check) : {checks: [check, ...others].map(summary)});
    }),
  conclude: () => [],
};

function explained(check: Check): ExplainedCheck {
  const {meaning, breaks, byHand, fix, source, implies} = check;
  return {...summary(check), meaning, breaks, byHand, mend: fix, source, implies};
}

function summary({id, title, severity, scope, vantage}: CheckSummary): CheckSummary {
  return {id, title, severity, scope, vantage};
}
