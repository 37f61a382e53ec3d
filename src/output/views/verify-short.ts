import {groupBy} from '../../domain/group-by.js';
import {printableLine} from '../../domain/printable.js';
import {isBad, placeOf, fixLabel, fixText, timeoutLines, type ShownRow, type ShownVerify} from './verify-rows.js';

/**
 * `-o short`: a line for each row that does not pass; empty if all pass. Rows of one place that follow from the same check,
 * with the same result, are one line.
 */
export function verifyShort(result: ShownVerify): string {
  const groups = groupBy(result.checks.filter(isBad), (row) =>
    row.impliedBy === undefined ? row : [row.result, row.impliedBy, placeOf(row)].join(' '),
  );
  return [...[...groups.values()].map(shortLine), ...timeoutLines(result).slice(0, 1)].join('\n');
}

function shortLine(group: readonly [ShownRow, ...ShownRow[]]): string {
  const [row] = group;
  if (row.impliedBy !== undefined) {
    const ids = new Set(group.map(({id}) => id));
    return `${row.result} ${[...ids].join(',')} ${placeOf(row)}: follows from ${row.impliedBy}`;
  }
  const observed = row.result === 'unknown' ? (row.reason ?? '') : row.observed;
  const remedy = fixText(row);
  const fix = remedy === '' ? '' : `; ${fixLabel(row)}: ${remedy}`;
  return printableLine(`${row.result} ${row.id} ${placeOf(row)}: ${row.title}: ${observed}${fix}`);
}
