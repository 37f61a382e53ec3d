/** Exit codes, defined here only (docs/exit-codes.md). */
import {type ErrorClass, errorClasses} from '../domain/errors.js';
import type {Conclusion} from '../engine/operation.js';

/** Findings at or above `--fail-on`, or differences. */
const findings = 3;

const codeOfClass: Readonly<Record<ErrorClass, number>> = {
  failed: 1,
  bug: 1,
  invalid: 2,
  unknown: 4,
  refused: 5,
  timeout: 124,
  interrupted: 130,
};

/** Where clusters differ, the command exits with the first of these codes that occurred. */
const precedence = [130, 124, 2, 1, 5, 3, 4, 0] as const;

/** The exit code of one conclusion. */
function codeOf(conclusion: Conclusion): number {
  if (conclusion === 'done') return 0;
  if (conclusion === 'findings') return findings;
  return codeOfClass[errorClasses[conclusion]];
}

/** The exit code of a run; 0 without conclusions. */
export function exitCode(conclusions: readonly Conclusion[]): number {
  const codes = new Set(conclusions.map(codeOf));
  return precedence.find((code) => codes.has(code)) ?? 0;
}
