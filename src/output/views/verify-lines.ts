/** The lines of rows in `verify -o text` and `-o wide`: one for each row, its details below it. */
import {groupBy} from '../../domain/group-by.js';
import {printableLine} from '../../domain/printable.js';
import {createPainter, plural, some} from '../format.js';
import type {ViewContext} from '../view.js';
import {
  details,
  fixLabel,
  fixText,
  hasDetails,
  placeOf,
  places,
  resultWidth,
  type ShownRow,
  type ShownVerify,
} from './verify-rows.js';

/** How rows are printed. */
export interface RowOptions {
  /** Whether to print the evidence of rows that pass, too. */
  readonly withEvidence: boolean;
  readonly paint: ReturnType<typeof createPainter>;
  /** Whether lines about pairs name the trusted clusters, because there is no heading with them. */
  readonly namesPeers?: boolean;
  /** Whether consequences are counted instead of listed by id. */
  readonly counts?: boolean;
  /** Returns an earlier row that the same command fixes. */
  readonly twin: (row: ShownRow) => ShownRow | undefined;
}

/** Returns the options for a result's rows. */
export function rowOptions(
  {checks: rows}: ShownVerify,
  withEvidence: boolean,
  {color = false}: Partial<Pick<ViewContext, 'color'>>,
): RowOptions {
  const byFix = groupBy(
    places(rows).flatMap((one) => one.rows.filter(hasDetails)),
    fixText,
  );
  const twin = (row: ShownRow): ShownRow | undefined => {
    const remedy = fixText(row);
    const first = remedy === '' ? undefined : byFix.get(remedy)?.[0];
    return first === row ? undefined : first;
  };
  return {withEvidence, paint: createPainter(color), twin};
}

/**
 * Returns the lines of one place. Checks that are skipped for the same reason share a line, and so do consequences of the
 * same cause. These lines are last, so that they do not hide the others.
 */
export function placeLines(rows: readonly ShownRow[], options: RowOptions): readonly string[] {
  const groups = [...groupBy(rows, (row) => foldKey(row) ?? row).values()];
  return [
    ...groups.filter(({length}) => length === 1).flatMap(([row]) => rowLines(row, options)),
    ...groups
      .filter(({length}) => length > 1)
      .map((alike) => {
        const [row] = alike;
        const ids = [...new Set(alike.map(({id}) => id))];
        const isCount = row.result === 'skipped' || (options.counts === true && ids.length > maxIds);
        const what = isCount ? plural(ids.length, 'check') : ids.join(', ');
        return `  ${resultOf(row, options)}  ${what} (${peersOf(alike, options)}${shortReason(row)})`;
      }),
  ];
}

/** How many ids of consequences a line of the summary lists; `-v` lists all. */
const maxIds = 4;

/** `to cluster2, cluster3: ` */
function peersOf(rows: readonly ShownRow[], {namesPeers = false}: RowOptions): string {
  const peers = namesPeers ? [...new Set(rows.flatMap(({peer}) => peer ?? []))] : [];
  return peers.length === 0 ? '' : `to ${some(peers)}: `;
}

/** Returns the key of rows that share a line; undefined for a row with its own line. */
function foldKey(row: ShownRow): string | undefined {
  if (hasDetails(row) || row.result === 'ok') return undefined;
  return `${row.result} ${row.peer === undefined ? 'cluster' : 'pair'} ${shortReason(row)}`;
}

/** Returns why a row without details does not pass. */
export function shortReason({result, reason = '', impliedBy}: ShownRow): string {
  return result === 'skipped' || impliedBy === undefined ? printableLine(reason) : `follows from ${impliedBy}`;
}

/** Returns a row's line, with its details below it unless it passes or follows from another. */
export function rowLines(row: ShownRow, options: RowOptions): readonly string[] {
  const head = headOf(row, options);
  if (row.result === 'ok') return [head, ...(options.withEvidence ? detailLines(row, undefined) : [])];
  return hasDetails(row)
    ? [head, ...detailLines(row, options.twin(row))]
    : [`${head} (${peersOf([row], options)}${shortReason(row)})`];
}

/** Returns a row's result, id and title. */
export function headOf(row: ShownRow, options: RowOptions): string {
  return `  ${resultOf(row, options)}  ${row.id}  ${row.title}`;
}

function resultOf({result}: ShownRow, {paint}: RowOptions): string {
  return paint[result](result.padEnd(resultWidth));
}

const nameWidth = 'observed: '.length;

function detailLines(row: ShownRow, twin: ShownRow | undefined): readonly string[] {
  const shown = twin === undefined ? row : {...row, fix: `the same as for ${twin.id}, ${placeOf(twin)}`};
  // A reference has the label of the command.
  return details(shown).map(([name, text]) => detailLine(name === 'fix' ? fixLabel(row) : name, text));
}

/** Returns the line of one detail, below the line of its row. */
export function detailLine(name: string, text: string): string {
  return `${' '.repeat(resultWidth + 4)}${`${name}:`.padEnd(nameWidth)}${text}`;
}
