import {printableLine} from '../../domain/printable.js';
import type {Change} from '../../domain/journal/changes.js';
import type {ShowResult} from '../../operations/journal/show.js';
import {columnWidths, cut, formatSecond, table} from '../format.js';
import type {View} from '../view.js';

/** The column that is truncated on a narrow terminal; JSON and `-o wide` print it in full. */
const action = 'ACTION';
/** Its minimum width. Characters. */
const minActionWidth = 24;

/** `journal show`: a line for each change, newest last. */
export const journalShowView: View<ShowResult> = {
  text: (result, {width}) =>
    page(
      result,
      ['TIME', 'USER', 'COMMAND', 'CLUSTER', action, 'OUTCOME'],
      (change) => {
        const {command, cluster, title, error} = change;
        const code = error ? ` (${error.code})` : '';
        return [formatSecond(change.time), userOf(change), command, cluster ?? '-', title, `${change.status}${code}`];
      },
      width,
    ),
  wide: (result) =>
    page(
      result,
      ['ENTRY', 'TIME', 'ENDED', 'USER', 'PID', 'API USER', 'COMMAND', 'CLUSTER', action, 'OUTCOME'],
      ({id, time, ended, user, host, pid, identity, command, cluster, title, status, error}) => [
        ...[id, time, ended ?? '-', `${user}@${host}`, pid === undefined ? '-' : String(pid)],
        ...[identity?.username ?? '-', command, cluster ?? '-', title],
        `${status}${error ? ` (${error.code}: ${error.message})` : ''}`,
      ],
    ),
};

function page(
  {changes, total}: ShowResult,
  header: readonly string[],
  cells: (change: Change) => readonly string[],
  width?: number,
): string {
  if (total === 0) return 'The journal has no entries.';
  if (changes.length === 0) return `No matching changes (total: ${String(total)}).`;
  // An empty column would waste space.
  const hasReasons = changes.some(({reason}) => reason !== undefined);
  const columns = [...header, ...(hasReasons ? ['REASON'] : [])];
  const rows = changes.map((change) =>
    [...cells(change), ...(hasReasons ? [change.reason ?? '-'] : [])].map(printableLine),
  );
  return table(columns, width === undefined ? rows : fitted(columns, rows, width));
}

/** Truncates {@link action} to the space that the other columns leave. */
function fitted(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly (readonly string[])[] {
  const at = columns.indexOf(action);
  const others = columnWidths([columns, ...rows]).reduce((sum, one, column) => sum + (column === at ? 0 : one + 2), 0);
  const room = Math.max(minActionWidth, width - others);
  return rows.map((row) => row.map((cell, column) => (column === at ? cut(cell, room) : cell)));
}

/** Formats `alice@host`, without the host's identifier. */
function userOf({user, host}: Change): string {
  return `${user}@${host.split('/')[0] ?? ''}`;
}
