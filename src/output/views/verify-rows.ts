/** Shared by the views of verify: a row's place and details, and counts. */
import type {Row, RowCount} from '../../domain/checks/report.js';
import {groupBy} from '../../domain/group-by.js';
import {printableLine} from '../../domain/printable.js';
import type {Purpose} from '../../domain/suggest/suggestion.js';
import type {VerifyResult} from '../../operations/verify/verify.js';
import {errorLines, plural} from '../format.js';
import type {Printed} from '../view.js';

/** The result as text. */
export type ShownVerify = Printed<VerifyResult>;

/** A row as text. */
export type ShownRow = Printed<Row>;

/** The largest number of clusters that are listed one by one although nothing is wrong with them. */
export const maxClusterLines = 12;

/** The place of rows about the mesh. */
export const meshPlace = 'mesh';

/** Returns a row's place: the mesh, a cluster, or a pair of clusters (`cluster1 to cluster2`). */
export function placeOf({cluster, peer}: ShownRow): string {
  if (cluster === undefined) return meshPlace;
  return peer === undefined ? cluster : `${cluster} to ${peer}`;
}

/** A mesh, cluster or pair with its rows. */
export interface Place {
  readonly place: string;
  readonly rows: readonly ShownRow[];
}

/** Groups rows by place: the mesh first, then in order of appearance. */
export function places(rows: readonly ShownRow[]): readonly Place[] {
  const all = [...groupBy(rows, placeOf)].map(([place, own]) => ({place, rows: own}));
  return [...all.filter(({place}) => place === meshPlace), ...all.filter(({place}) => place !== meshPlace)];
}

/** The width of the longest result and id: `warning`, `MESH101`. */
export const resultWidth = 7;

/** Returns the details of a row, by name. Empty ones are omitted. */
export function details(row: ShownRow): readonly (readonly [string, string])[] {
  const {observed, expected, reason, note} = row;
  const all = [
    ['reason', reason ?? ''],
    ['observed', observed],
    ['expected', expected],
    ['note', note ?? ''],
    [fixLabel(row), fixText(row)],
  ] as const;
  return all.filter(([, text]) => text !== '').map(([name, text]) => [name, printableLine(text)] as const);
}

/** Returns the command of a row, or the text in its place; empty if there is nothing to fix. */
export function fixText({fix}: Pick<ShownRow, 'fix'>): string {
  return typeof fix === 'string' ? fix : fix.text;
}

/** Returns `fix` for a command that fixes the finding, `inspect` for one that only shows its cause. */
export function fixLabel({fix}: Pick<ShownRow, 'fix'>): Purpose {
  return typeof fix === 'string' ? 'fix' : fix.purpose;
}

/** Reports whether a row does not pass. */
export function isBad({result}: ShownRow): boolean {
  return result !== 'ok' && result !== 'skipped';
}

/** The results in the order of {@link countsText}: those that do not pass first. */
const results = ['error', 'unknown', 'warning', 'ok', 'skipped'] as const;

/** Rows, and how many others there are that are not listed. */
export interface Tally {
  readonly rows: readonly ShownRow[];
  readonly counted: readonly RowCount[];
}

/** Returns how many rows have a result. */
export function countOf({rows, counted}: Tally, result: Row['result']): number {
  const unlisted = counted.filter((one) => one.result === result).reduce((sum, {count}) => sum + count, 0);
  return rows.filter((row) => row.result === result).length + unlisted;
}

/** Formats counts: `2 errors, 24 ok, 1 skipped`. */
export function countsText(tally: Tally): string {
  return results
    .map((one) => [countOf(tally, one), one] as const)
    .filter(([count]) => count > 0)
    .map(([count, one]) => (one === 'error' || one === 'warning' ? plural(count, one) : `${String(count)} ${one}`))
    .join(', ');
}

/** The timeout or interruption of `--wait`, with its hints; empty if there was none. */
export function timeoutLines({error}: ShownVerify): readonly string[] {
  return error ? errorLines({...error, message: `error: ${error.message}`}) : [];
}

/** Reports whether a row has details, and so more than one line. */
export function hasDetails(row: ShownRow): boolean {
  return isBad(row) && row.impliedBy === undefined;
}
