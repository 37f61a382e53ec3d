import {printableLine} from '../../domain/printable.js';
import type {Change} from '../../domain/journal/changes.js';
import type {ShowResult} from '../../operations/journal/show.js';
import {columnWidths, table} from '../format.js';
import type {View} from '../view.js';

/** The column that is cut where a terminal is too narrow for all: JSON and `-o wide` have it whole. */
const what = 'WHAT';
/** Less says nothing. Characters. */
const leastOfWhat = 24;

/** `journal show`: a line for each change, newest last. */
export const journalShowView: View<ShowResult> = {
  text: (result, {width}) =>
    page(
      result,
      ['TIME', 'WHO', 'COMMAND', 'CLUSTER', what, 'OUTCOME'],
      (change) => {
        const {command, cluster, title, error} = change;
        const code = error ? ` (${error.code})` : '';
        return [secondOf(change.time), who(change), command, cluster ?? '-', title, `${change.status}${code}`];
      },
      width,
    ),
  wide: (result) =>
    page(
      result,
      ['ENTRY', 'TIME', 'ENDED', 'WHO', 'PID', 'API USER', 'COMMAND', 'CLUSTER', what, 'OUTCOME'],
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
  if (total === 0) return 'Nothing was changed from this work directory yet.';
  if (changes.length === 0) return `None of the ${String(total)} changes in the journal is one of these.`;
  // A column that would be empty takes room from the others.
  const hasReasons = changes.some(({reason}) => reason !== undefined);
  const columns = [...header, ...(hasReasons ? ['REASON'] : [])];
  const rows = changes.map((change) =>
    [...cells(change), ...(hasReasons ? [change.reason ?? '-'] : [])].map(printableLine),
  );
  return table(columns, width === undefined ? rows : fitted(columns, rows, width));
}

/** The rows with {@link what} cut to the room that the other columns leave. */
function fitted(
  columns: readonly string[],
  rows: readonly (readonly string[])[],
  width: number,
): readonly (readonly string[])[] {
  const at = columns.indexOf(what);
  const others = columnWidths([columns, ...rows]).reduce((sum, one, column) => sum + (column === at ? 0 : one + 2), 0);
  const room = Math.max(leastOfWhat, width - others);
  return rows.map((row) => row.map((cell, column) => (column === at ? cut(cell, room) : cell)));
}

function cut(text: string, room: number): string {
  return text.length > room ? `${text.slice(0, room - 1)}…` : text;
}

/** `alice@host`: of the host only its name. */
function who({user, host}: Change): string {
  return `${user}@${host.split('/')[0] ?? ''}`;
}

/** To the second; a time that is none as it is. */
function secondOf(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
