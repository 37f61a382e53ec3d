import {printableLine} from '../../domain/printable.js';
import type {Change} from '../../domain/journal/changes.js';
import type {ShowResult} from '../../operations/journal/show.js';
import {table} from '../table.js';
import type {View} from '../view.js';

/** `journal show`: a line for each change, newest last. */
export const journalShowView: View<ShowResult> = {
  text: (result) =>
    page(result, ['TIME', 'WHO', 'COMMAND', 'CLUSTER', 'WHAT', 'OUTCOME'], (change) => {
      const {command, cluster, title, error} = change;
      const code = error ? ` (${error.code})` : '';
      return [secondOf(change.time), who(change), command, cluster ?? '-', title, `${change.status}${code}`];
    }),
  wide: (result) =>
    page(
      result,
      ['ENTRY', 'TIME', 'ENDED', 'WHO', 'PID', 'API USER', 'COMMAND', 'CLUSTER', 'WHAT', 'OUTCOME'],
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
): string {
  if (total === 0) return 'Nothing was changed from this work directory yet.';
  if (changes.length === 0) return `None of the ${String(total)} changes in the journal is one of these.`;
  // A column that would be empty takes room from the others.
  const hasReasons = changes.some(({reason}) => reason !== undefined);
  return table(
    [...header, ...(hasReasons ? ['REASON'] : [])],
    changes.map((change) => [...cells(change), ...(hasReasons ? [change.reason ?? '-'] : [])].map(printableLine)),
  );
}

/** `alice@host`: of the host only its name. */
function who({user, host}: Change): string {
  return `${user}@${host.split('/')[0] ?? ''}`;
}

/** To the second; a time that is none as it is. */
function secondOf(time: string): string {
  return time.replace(/\.\d+Z$/, 'Z');
}
