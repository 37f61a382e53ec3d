/**
 * Verify as text. Rules: one block for the mesh, one for each cluster and each pair (one for all pairs of a trusting cluster
 * of which nothing but ok and skipped is to be said: fifty clusters have 2,450); one line for each check, what is wrong
 * indented below it with the command that mends it; a consequence names its cause instead; the verdict last. A command
 * that mends several rows is printed once: some must not be executed twice.
 */
import {some} from '../../domain/checks/describe.js';
import {printableLine} from '../../domain/printable.js';
import {
  details,
  isBad,
  placeOf,
  places,
  remedyText,
  resultWidth,
  timeoutLines,
  verdictText,
  type ShownRow,
  type ShownVerify,
} from './verify-rows.js';

/** `-o text`. */
export function verifyText(result: ShownVerify): string {
  return [
    ...sections(result, false),
    ...dryRunLines(result),
    ...timeoutLines(result),
    `Verdict: ${verdictText(result)}`,
  ].join('\n');
}

/** How to see what a fix would do, where one of our own commands is a fix that would ask otherwise. */
export function dryRunLines({checks: rows}: ShownVerify): readonly string[] {
  const changes = rows.some(({fix, impliedBy}) => impliedBy === undefined && typeof fix !== 'string' && fix.agrees);
  return changes ? ['What a `kubectl mesh` fix would do, it says itself with --dry-run instead of --yes.', ''] : [];
}

/** The blocks; `withEvidence`: what was observed of what is well, too. */
export function sections({checks: rows}: ShownVerify, withEvidence: boolean): readonly string[] {
  const all = places(rows);
  const quiet = all.filter(isQuietPair);
  const shown = all.flatMap((one) => one.rows.filter(hasDetails));
  const twin = (row: ShownRow): ShownRow | undefined => {
    const remedy = remedyText(row);
    const first = remedy === '' ? undefined : shown.find((other) => remedyText(other) === remedy);
    return first === row ? undefined : first;
  };
  const options = {withEvidence, twin};
  return all.flatMap((one) => {
    const alike = quiet.includes(one) ? quiet.filter((other) => clusterOf(other) === clusterOf(one)) : [];
    if (alike.length < 2) return [one.place, ...placeLines(one.rows, options), ''];
    return alike[0] === one ? [...quietLines(alike), ''] : [];
  });
}

/** A mesh, cluster or pair with its rows. */
type Place = ReturnType<typeof places>[number];

function clusterOf({rows: [row]}: Place): string {
  return row?.cluster ?? '';
}

/** Whether it is a pair of clusters of which a person has nothing to look at. */
function isQuietPair({rows}: Place): boolean {
  return rows.every((row) => row.peer !== undefined && !isBad(row));
}

/** One block for several pairs of a trusting cluster: a line for each check and result, with the number of pairs. */
function quietLines(all: readonly Place[]): readonly string[] {
  const rows = all.flatMap((place) => place.rows);
  const peers = [...new Set(rows.flatMap(({peer}) => peer ?? []))];
  const alike = (row: ShownRow): readonly ShownRow[] =>
    rows.filter(({id, result}) => id === row.id && result === row.result);
  return [
    `${all.slice(0, 1).map(clusterOf).join('')} to ${some(peers)}`,
    ...rows
      .filter((row) => alike(row)[0] === row)
      .map((row) => {
        const reasons = some([...new Set(alike(row).flatMap(({reason}) => reason ?? []))]);
        const count = `${String(alike(row).length)} of ${String(peers.length)} clusters`;
        return `${headOf(row)} (${count}${reasons === '' ? '' : `: ${printableLine(reasons)}`})`;
      }),
  ];
}

interface RowOptions {
  readonly withEvidence: boolean;
  /** The row shown before that is mended by the same command. */
  readonly twin: (row: ShownRow) => ShownRow | undefined;
}

/**
 * The lines of one place. Checks skipped for one reason are one line, and so are consequences of one cause, last: a page
 * of them would hide the others.
 */
function placeLines(rows: readonly ShownRow[], options: RowOptions): readonly string[] {
  const alike = (row: ShownRow): readonly ShownRow[] => {
    const why = whyFolded(row);
    return why === undefined ? [row] : rows.filter((other) => whyFolded(other) === why);
  };
  const single = rows.filter((row) => alike(row).length === 1);
  const several = rows.filter((row) => alike(row).length > 1 && alike(row)[0] === row);
  return [
    ...single.flatMap((row) => rowLines(row, options)),
    ...several.map((row) => {
      const ids = [...new Set(alike(row).map(({id}) => id))];
      const what = row.result === 'skipped' ? `${String(ids.length)} checks` : ids.join(', ');
      return `  ${row.result.padEnd(resultWidth)}  ${what} (${whyNoDetails(row)})`;
    }),
  ];
}

/** What rows that are folded into one line share. */
function whyFolded(row: ShownRow): string | undefined {
  return hasDetails(row) || row.result === 'ok' ? undefined : `${row.result} ${whyNoDetails(row)}`;
}

/** Whether a person has to read more of it than one line. */
function hasDetails(row: ShownRow): boolean {
  return isBad(row) && row.impliedBy === undefined;
}

function whyNoDetails({result, reason = '', impliedBy}: ShownRow): string {
  return result === 'skipped' || impliedBy === undefined ? printableLine(reason) : `follows from ${impliedBy}`;
}

function rowLines(row: ShownRow, {withEvidence, twin}: RowOptions): readonly string[] {
  const head = headOf(row);
  if (row.result === 'ok') return [head, ...(withEvidence ? detailLines(row, undefined) : [])];
  return hasDetails(row) ? [head, ...detailLines(row, twin(row))] : [`${head} (${whyNoDetails(row)})`];
}

function headOf({result, id, title}: ShownRow): string {
  return `  ${result.padEnd(resultWidth)}  ${id}  ${title}`;
}

const nameWidth = 'observed: '.length;

function detailLines(row: ShownRow, twin: ShownRow | undefined): readonly string[] {
  const seen = twin === undefined ? row : {...row, fix: `the same as for ${twin.id}, ${placeOf(twin)}`};
  return details(seen).map(([name, text]) => `${' '.repeat(resultWidth + 4)}${`${name}:`.padEnd(nameWidth)}${text}`);
}
