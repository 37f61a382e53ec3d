/**
 * The rows of pairs of clusters in `verify -o text` and `-o wide`. Fifty clusters have 2,450 pairs: rows with equal results share
 * lines, and the others are named. Depends on nothing but rows, and so serves every check of pairs.
 */
import {groupBy} from '../../domain/group-by.js';
import {printableLine} from '../../domain/printable.js';
import {plural, some} from '../format.js';
import {headOf, placeLines, rowLines, shortReason, type RowOptions} from './verify-lines.js';
import {fixText, hasDetails, places, type ShownRow} from './verify-rows.js';

/** Findings of one check with equal results: of several clusters about one peer, or of one cluster about several peers. */
export interface PairFindings {
  /** `c1, c2 to c3`. */
  readonly place: string;
  readonly rows: readonly [ShownRow, ...ShownRow[]];
  /** The first row, with the names of all clusters in place of its own. */
  readonly shown: ShownRow;
}

/** A row of a pair. */
type PairRow = ShownRow & {readonly cluster: string; readonly peer: string};

/** Reports whether a row is about a pair of clusters. */
function isPairRow(row: ShownRow): row is PairRow {
  return row.cluster !== undefined && row.peer !== undefined;
}

/** Folds the findings about pairs. Rows without an equal one, and rows without details, are not among the results. */
export function foldFindings(rows: readonly ShownRow[]): readonly PairFindings[] {
  const findings = rows.filter(isPairRow).filter(hasDetails);
  const byPeer = foldBy('cluster', findings);
  const folded = new Set<ShownRow>(byPeer.flatMap((one) => one.rows));
  const rest = findings.filter((row) => !folded.has(row));
  return [...byPeer, ...foldBy('peer', rest)];
}

/** Folds rows that are equal except for the name of one of their clusters. */
function foldBy(side: 'cluster' | 'peer', rows: readonly PairRow[]): readonly PairFindings[] {
  const other = side === 'cluster' ? 'peer' : 'cluster';
  const groups = groupBy(rows, (row) => {
    const {id, result, observed, expected, reason, note} = withName(row, row[side], nameMark);
    return JSON.stringify([id, result, row[other], observed, expected, reason, note, fixText(row)]);
  });
  return [...groups.values()].flatMap((alike): readonly PairFindings[] => {
    const [first] = alike;
    const names = some([...new Set(alike.map((row) => row[side]))]);
    // A check can have several findings about one pair.
    if (new Set(alike.map((row) => row[side])).size < 2) return [];
    const place = side === 'cluster' ? `${names} to ${first.peer}` : `${first.cluster} to ${names}`;
    return [{place, rows: alike, shown: withName(first, first[side], names)}];
  });
}

/** Stands for a name; no text of a row contains it. */
const nameMark = '\u0000';

/** Replaces a cluster's name in the texts of a row, but not in its fix, which must work as it is. */
function withName<Of extends ShownRow>(row: Of, name: string, replacement: string): Of {
  const escaped = name.replaceAll(/[^A-Za-z0-9-]/g, String.raw`\$&`);
  const word = new RegExp(`(?<![A-Za-z0-9-])${escaped}(?![A-Za-z0-9-])`, 'g');
  const replaced = (text: string): string => text.replace(word, () => replacement);
  const {observed, expected, reason, note} = row;
  return {
    ...row,
    observed: replaced(observed),
    expected: replaced(expected),
    ...(reason !== undefined && {reason: replaced(reason)}),
    ...(note !== undefined && {note: replaced(note)}),
  };
}

/** Returns the blocks of folded findings. */
export function findingLines(folded: readonly PairFindings[], options: RowOptions): readonly string[] {
  return folded.flatMap(({place, rows, shown}) => {
    const first = options.twin(rows[0]);
    const own = first !== undefined && rows.includes(first) ? undefined : first;
    return [`${place} (${plural(rows.length, 'pair')})`, ...rowLines(shown, {...options, twin: () => own}), ''];
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
