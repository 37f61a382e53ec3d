/** `-o short`: what is not ok, a line each; nothing when all is well. */
import {groupBy} from '../../domain/group-by.js';
import {printableLine} from '../../domain/printable.js';
import {isBad, placeOf, remedyName, remedyText, timeoutLines, type ShownRow, type ShownVerify} from './verify-rows.js';

/** `-o short`. */
export function verifyShort(result: ShownVerify): string {
  return [...shortLines(result.checks.filter(isBad)), ...timeoutLines(result)].join('\n');
}

/** A line for each row; what follows from another check is one line for all of it. */
function shortLines(rows: readonly ShownRow[]): readonly string[] {
  const groups = groupBy(rows, groupOf);
  return rows.flatMap((row) => {
    if (row.impliedBy === undefined) return [shortLine(row)];
    const group = groups.get(groupOf(row)) ?? [];
    if (group[0] !== row) return [];
    const ids = new Set(group.map(({id}) => id));
    return [`${row.result} ${[...ids].join(',')} ${placeOf(row)}: follows from ${row.impliedBy}`];
  });
}

/** Consequences of one cause, in one place, with one result. */
function groupOf(row: ShownRow): string | undefined {
  return row.impliedBy === undefined ? undefined : [row.result, row.impliedBy, placeOf(row)].join(' ');
}

function shortLine(row: ShownRow): string {
  const what = row.result === 'unknown' ? (row.reason ?? '') : row.observed;
  const remedy = remedyText(row);
  const fix = remedy === '' ? '' : `; ${remedyName(row)}: ${remedy}`;
  return printableLine(`${row.result} ${row.id} ${placeOf(row)}: ${row.title}: ${what}${fix}`);
}
