/** `-o short`: what is not ok, a line each; nothing when all is well. */
import type {Row} from '../../domain/checks/report.js';
import {printableLine} from '../../domain/printable.js';
import type {VerifyResult} from '../../operations/verify/verify.js';
import {isBad, placeOf, timeoutLines} from './verify-rows.js';

/** `-o short`. */
export function verifyShort(result: VerifyResult): string {
  return [...shortLines(result.checks.filter(isBad)), ...timeoutLines(result)].join('\n');
}

/** A line for each row; what follows from another check is one line for all of it. */
function shortLines(rows: readonly Row[]): readonly string[] {
  const isFirst = (row: Row): boolean => rows.find((other) => groupOf(other) === groupOf(row)) === row;
  return rows.flatMap((row) => {
    if (row.impliedBy === undefined) return [shortLine(row)];
    if (!isFirst(row)) return [];
    const ids = rows.filter((other) => groupOf(other) === groupOf(row)).map(({id}) => id);
    return [`${row.result} ${[...new Set(ids)].join(',')} ${placeOf(row)}: follows from ${row.impliedBy}`];
  });
}

/** Consequences of one cause, in one place, with one result. */
function groupOf(row: Row): string | undefined {
  return row.impliedBy === undefined ? undefined : [row.result, row.impliedBy, placeOf(row)].join(' ');
}

function shortLine(row: Row): string {
  const what = row.result === 'unknown' ? (row.reason ?? '') : row.observed;
  const fix = row.fix === '' ? '' : `; fix: ${row.fix}`;
  return printableLine(`${row.result} ${row.id} ${placeOf(row)}: ${row.title}: ${what}${fix}`);
}
