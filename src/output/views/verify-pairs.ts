/**
 * The rows of pairs of clusters in `verify -o text` and `-o wide`. Fifty clusters have 2,450 pairs: findings of one kind share a
 * block, and the others are named. Depends on nothing but rows, and so serves every check of pairs.
 */
import {groupBy} from '../../domain/group-by.js';
import {printableLine} from '../../domain/printable.js';
import {plural, some} from '../format.js';
import {PrintedCommand} from '../view.js';
import {detailLine, headOf, placeLines, rowLines, shortReason, type RowOptions} from './verify-lines.js';
import {fixLabel, fixText, hasDetails, placeOf, places, type ShownRow} from './verify-rows.js';

/** Findings of one kind: of several clusters about one peer, of one cluster about several peers, or of all about each other. */
export interface PairFindings {
  /** `c1, c2 to c3`. */
  readonly place: string;
  readonly rows: readonly [ShownRow, ...ShownRow[]];
  /** The first row, with the texts of all. */
  readonly shown: ShownRow;
}

/** A row of a pair. */
type PairRow = ShownRow & {readonly cluster: string; readonly peer: string};

/** Reports whether a row is about a pair of clusters. */
function isPairRow(row: ShownRow): row is PairRow {
  return row.cluster !== undefined && row.peer !== undefined;
}

/** Folds the findings about pairs. Rows without one of their kind, and rows without details, are not among the results. */
export function foldFindings(rows: readonly ShownRow[]): readonly PairFindings[] {
  const kinds = groupBy(rows.filter(isPairRow).filter(hasDetails), kindOf);
  return [...kinds.values()].flatMap((alike) => {
    const mutual = foldMutual(alike);
    if (mutual) return [mutual];
    const byPeer = foldBy('cluster', alike);
    const folded = new Set<ShownRow>(byPeer.flatMap((one) => one.rows));
    return [
      ...byPeer,
      ...foldBy(
        'peer',
        alike.filter((row) => !folded.has(row)),
      ),
    ];
  });
}

/** Rows with the same key state the same. The fix of each is printed unless one command is that of all. */
function kindOf({id, result, kind, observed, expected, reason, note}: PairRow): string {
  return JSON.stringify([id, result, ...(kind ? [kind.name] : [observed, expected, reason, note])]);
}

/** Folds rows about every pair of three or more clusters. */
function foldMutual(rows: readonly [PairRow, ...PairRow[]]): PairFindings | undefined {
  const clusters = new Set(rows.map(({cluster}) => cluster));
  const pairs = new Set(rows.map(({cluster, peer}) => `${cluster} ${peer}`));
  const isMutual = rows.every(({peer}) => clusters.has(peer)) && pairs.size === clusters.size * (clusters.size - 1);
  if (clusters.size < 3 || !isMutual) return undefined;
  return {place: `${some([...clusters])} to each other`, rows, shown: merged(rows)};
}

/** Folds rows that are about the same cluster on one side. */
function foldBy(side: 'cluster' | 'peer', rows: readonly PairRow[]): readonly PairFindings[] {
  const other = side === 'cluster' ? 'peer' : 'cluster';
  return [...groupBy(rows, (row) => row[other]).values()].flatMap((alike): readonly PairFindings[] => {
    const [first] = alike;
    const names = [...new Set(alike.map((row) => row[side]))];
    // A check can have several findings about one pair.
    if (names.length < 2) return [];
    const place = side === 'cluster' ? `${some(names)} to ${first.peer}` : `${first.cluster} to ${some(names)}`;
    return [{place, rows: alike, shown: merged(alike)}];
  });
}

/** How many different texts of folded rows are printed: `-o json` has all. */
const maxTexts = 2;

/** How many different commands of folded rows are printed. */
const maxFixes = 5;

/** The first row with the texts of all. */
function merged(rows: readonly [ShownRow, ...ShownRow[]]): ShownRow {
  const textOf = (field: 'observed' | 'expected' | 'reason' | 'note'): string =>
    some(
      [...new Set(rows.map((row) => row[field] ?? ''))].filter((text) => text !== ''),
      maxTexts,
    );
  const [first] = rows;
  return {
    ...first,
    observed: textOf('observed'),
    expected: textOf('expected'),
    ...(first.reason !== undefined && {reason: textOf('reason')}),
    ...(rows.some(({note}) => note !== undefined) && {note: textOf('note')}),
  };
}

/** The commands of folded rows: one for all if there is one. Each has to be run, but one shows the cause where it is the same. */
function fixesOf(rows: readonly [ShownRow, ...ShownRow[]]): readonly string[] {
  const commands = rows.flatMap(({fix}) => (fix instanceof PrintedCommand ? [fix] : []));
  const one = commands.length === rows.length ? PrintedCommand.merge(commands) : undefined;
  if (one !== undefined) return [one];
  const texts = [...new Set(rows.map(fixText))].filter((text) => text !== '');
  if (fixLabel(rows[0]) === 'inspect') return texts.slice(0, 1);
  const more = texts.length - maxFixes;
  return [...texts.slice(0, maxFixes), ...(more > 0 ? [`${String(more)} more, which -o short prints`] : [])];
}

/** Returns the blocks of folded findings. A command that is that of an earlier row is not repeated. */
export function findingLines(folded: readonly PairFindings[], options: RowOptions): readonly string[] {
  const printed = new Map<string, string>();
  return folded.flatMap(({place, rows, shown}) => {
    const fixes = fixesOf(rows);
    const text = fixes.join('\n');
    const outside = fixes.length === 1 && fixes[0] === fixText(rows[0]) ? options.twin(rows[0]) : undefined;
    const twin = outside && !rows.includes(outside) ? `${outside.id}, ${placeOf(outside)}` : undefined;
    const first = printed.get(text) ?? twin;
    printed.set(text, first ?? `${shown.id}, ${place}`);
    const shownFixes = first !== undefined && text !== '' ? [`the same as for ${first}`] : fixes;
    return [
      `${place} (${plural(rows.length, 'pair')})`,
      ...rowLines({...shown, fix: ''}, {...options, twin: () => undefined}),
      ...shownFixes.map((fix) => detailLine(fixLabel(rows[0]), printableLine(fix))),
      '',
    ];
  });
}

/** Returns the blocks of all rows about pairs, in a mesh of more than two clusters. */
export function pairSections(rows: readonly ShownRow[], options: RowOptions): readonly string[] {
  const all = rows.filter(isPairRow);
  const folded = foldFindings(all);
  const isFolded = new Set<ShownRow>(folded.flatMap((one) => one.rows));
  const single = all.filter((row) => hasDetails(row) && !isFolded.has(row));
  return [
    ...quietLines(all, options),
    ...findingLines(folded, options),
    ...places(single).flatMap(({place, rows: own}) => [place, ...placeLines(own, options), '']),
  ];
}

/**
 * Returns the blocks of the rows without details: a line for each check and result, with the number of pairs. Clusters with
 * the same lines share a block.
 */
function quietLines(all: readonly PairRow[], options: RowOptions): readonly string[] {
  const byCluster = groupBy(all, ({cluster}) => cluster);
  const blocks = [...byCluster].map(([cluster, rows]) => {
    const peers = new Set(rows.map(({peer}) => peer)).size;
    const quiet = rows.filter((row) => !hasDetails(row));
    const lines = [...groupBy(quiet, (row) => headOf(row, options))].map(([head, alike]) => {
      const reasons = some([...new Set(alike.map(shortReason))].filter((reason) => reason !== ''));
      const count = `${String(alike.length)} of ${plural(peers, 'cluster')}`;
      return `${head} (${count}${reasons === '' ? '' : `: ${printableLine(reasons)}`})`;
    });
    return {cluster, lines};
  });
  const alike = groupBy(
    blocks.filter(({lines}) => lines.length > 0),
    ({lines}) => lines.join('\n'),
  );
  return [...alike.values()].flatMap((same) => {
    const names = some(same.map(({cluster}) => cluster));
    const who = same.length > 1 ? `${String(same.length)} of ${plural(byCluster.size, 'cluster')}: ${names}` : names;
    return [`${who} to the others`, ...same[0].lines, ''];
  });
}
