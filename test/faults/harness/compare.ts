/** What changed between a healthy answer of verify and one with a seeded fault, and whether checks had declared it. */
import type {Check} from '../../../src/domain/checks/check.js';
import {matches} from '../../../src/domain/checks/select.js';
import type {CheckRow} from '../../e2e/harness/mesh-cli.js';

/** Rows of one check about one subject that are not as they were. */
export interface Change {
  readonly id: string;
  /** `MESH301 one`, `MESH311 one two`. */
  readonly subject: string;
  readonly before: readonly string[];
  readonly after: readonly CheckRow[];
}

/** `MESH301 one`: what a row is about. */
export function subjectOf({id, cluster, peer}: Pick<CheckRow, 'id' | 'cluster' | 'peer'>): string {
  return [id, cluster, peer].filter((word) => word !== undefined).join(' ');
}

/** Subjects whose results are not what they were before. */
export function changes(before: readonly CheckRow[], after: readonly CheckRow[]): readonly Change[] {
  const subjects = [...new Set([...before, ...after].map(subjectOf))].sort();
  const of = (rows: readonly CheckRow[], subject: string): readonly CheckRow[] =>
    rows.filter((row) => subjectOf(row) === subject);
  return subjects.flatMap((subject) => {
    const [was, is] = [of(before, subject), of(after, subject)];
    const results = was.map(({result}) => result).sort();
    const same =
      results.join() ===
      is
        .map(({result}) => result)
        .sort()
        .join();
    return same ? [] : [{id: subject.split(' ')[0] ?? '', subject, before: results, after: is}];
  });
}

/** Whether a check declares, by itself or through others, that another cannot be ok while it is not. */
export function declaresImplied(checks: readonly Check[], cause: string, consequence: string): boolean {
  const reached = new Set<string>();
  const visit = (id: string): void => {
    if (reached.has(id)) return;
    reached.add(id);
    const implied = checks.find((check) => check.id === id)?.implies ?? [];
    for (const check of checks) if (implied.some((prefix) => matches(check.id, prefix))) visit(check.id);
  };
  visit(cause);
  return cause !== consequence && reached.has(consequence);
}

/**
 * Whether a change is one that follows from a fault of check `cause`: declared, and each row that is not well says so
 * itself. A row that is skipped or gone says nothing wrong, but must be declared all the same.
 */
export function followsFrom(checks: readonly Check[], cause: string, {id, after}: Change): boolean {
  if (!declaresImplied(checks, cause, id)) return false;
  return after
    .filter(({result}) => result !== 'ok' && result !== 'skipped')
    .every(({impliedBy = ''}) => impliedBy === cause || declaresImplied(checks, cause, impliedBy));
}
