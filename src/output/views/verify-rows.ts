/** What the views of verify share: the place of a row, its details, and counts. */
import type {Row} from '../../domain/checks/report.js';
import {groupBy} from '../../domain/group-by.js';
import {printableLine} from '../../domain/printable.js';
import type {Purpose} from '../../domain/suggest/suggestion.js';
import type {VerifyResult} from '../../operations/verify/verify.js';
import {errorLines, plural} from '../format.js';
import type {Printed} from '../view.js';

/** The result as views get it. */
export type ShownVerify = Printed<VerifyResult>;

/** A row as views get it. */
export type ShownRow = Printed<Row>;

/** The place of rows about no single cluster. */
export const meshPlace = 'mesh';

/** The cluster of a row, or the pair: `cluster1 to cluster2`. */
export function placeOf({cluster, peer}: ShownRow): string {
  if (cluster === undefined) return meshPlace;
  return peer === undefined ? cluster : `${cluster} to ${peer}`;
}

/** A mesh, cluster or pair with its rows. */
export interface Place {
  readonly place: string;
  readonly rows: readonly ShownRow[];
}

/** Every place with its rows: the mesh first, then in order of appearance. */
export function places(rows: readonly ShownRow[]): readonly Place[] {
  const all = [...groupBy(rows, placeOf)].map(([place, own]) => ({place, rows: own}));
  return [...all.filter(({place}) => place === meshPlace), ...all.filter(({place}) => place !== meshPlace)];
}

/** The longest result and id: `warning`, `MESH101`. */
export const resultWidth = 7;

/** The details of a row, by name; empty ones are left out. */
export function details(row: ShownRow): readonly (readonly [string, string])[] {
  const {observed, expected, reason} = row;
  const all = [
    ['reason', reason ?? ''],
    ['observed', observed],
    ['expected', expected],
    [remedyName(row), remedyText(row)],
  ] as const;
  return all.filter(([, text]) => text !== '').map(([name, text]) => [name, printableLine(text)] as const);
}

/** The command of a row, or the text that replaces it; empty where nothing needs fixing. */
export function remedyText({fix}: Pick<ShownRow, 'fix'>): string {
  return typeof fix === 'string' ? fix : fix.text;
}

/** `fix` for a command that fixes the finding, `look` for one that only shows where to look. */
export function remedyName({fix}: Pick<ShownRow, 'fix'>): Purpose {
  return typeof fix === 'string' ? 'fix' : fix.purpose;
}

/** Whether the row does not pass. */
export function isBad({result}: ShownRow): boolean {
  return result !== 'ok' && result !== 'skipped';
}

/** The results in the order in which they are counted: those that do not pass first. */
const results = ['error', 'unknown', 'warning', 'ok', 'skipped'] as const;

/** `2 errors, 24 ok, 1 skipped`. */
export function countsText(rows: readonly ShownRow[]): string {
  return results
    .map((one) => [rows.filter(({result}) => result === one).length, one] as const)
    .filter(([count]) => count > 0)
    .map(([count, one]) => (one === 'error' || one === 'warning' ? plural(count, one) : `${String(count)} ${one}`))
    .join(', ');
}

/** Why `--wait` ended before every check passed, with its hints; nothing otherwise. */
export function timeoutLines({error}: ShownVerify): readonly string[] {
  return error ? errorLines({...error, message: `Timed out: ${error.message}`}) : [];
}
