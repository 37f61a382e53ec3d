/** Suggested commands in tests: as text without flags, as JSON carries them, and printed for views. */
import type {Check} from '../../src/domain/checks/check.js';
import type {Evidence} from '../../src/domain/facts/facts.js';
import {asMeshError, type MeshError} from '../../src/domain/errors.js';
import {judge} from '../../src/domain/checks/judge.js';
import type {FindingKind, Report} from '../../src/domain/checks/report.js';
import type {Advice, Hint, Suggestion} from '../../src/domain/suggest/suggestion.js';
import {printError, printResult} from '../../src/cli/suggest/print.js';
import {renderHint, renderSuggestion} from '../../src/cli/suggest/render.js';
import type {TypedTarget} from '../../src/cli/suggest/typed-target.js';
import type {Printed} from '../../src/output/view.js';

/** Data as JSON carries it: suggestions and hints are text. */
export type AsJson<T> = T extends Suggestion | Advice
  ? string
  : T extends FindingKind
    ? never
    : T extends object
      ? {readonly [Key in keyof T]: AsJson<T[Key]>}
      : T;

/** What `-o json` would carry, of a run with these flags. */
export function asJson<T extends object>(data: T, typed: TypedTarget = {}): AsJson<T> {
  return JSON.parse(JSON.stringify(printResult(data, typed))) as AsJson<T>;
}

/** A suggestion as shown to a user who typed no flags. */
export function textOf(suggestion: Suggestion): string {
  return renderSuggestion(suggestion, {});
}

/** Hints as shown to a user who typed no flags. */
export function hintTexts(hints: readonly Hint[]): readonly string[] {
  return hints.map((hint) => renderHint(hint, {}));
}

/** What a function throws or rejects with, its hints as text. Fails where it does neither. */
export async function failureOf(run: () => unknown): Promise<MeshError> {
  try {
    await run();
  } catch (thrown) {
    return printError(asMeshError(thrown), {});
  }
  throw new Error('nothing was thrown');
}

/** A result as views see it. */
export function printed<T extends object>(result: T): Printed<T> & object {
  return printResult(result, {});
}

/** The report of checks, its commands as text. */
export function judgedText(checks: readonly Check[], evidence: Evidence, typed?: TypedTarget): AsJson<Report> {
  return asJson(judge(checks, evidence), typed);
}
