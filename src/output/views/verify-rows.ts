/** Words that all views of verify share: where a row belongs, and what there is to say of it. */
import type {Row} from '../../domain/checks/report.js';
import {printableLine} from '../../domain/printable.js';
import type {VerifyResult} from '../../operations/verify/verify.js';

/** Where rows about no single cluster stand. */
export const meshPlace = 'mesh';

/** The cluster of a row, or the pair: `cluster1 to cluster2`. */
export function placeOf({cluster, peer}: Row): string {
  if (cluster === undefined) return meshPlace;
  return peer === undefined ? cluster : `${cluster} to ${peer}`;
}

/** Every place with its rows: the mesh first, then in order of appearance. */
export function places(rows: readonly Row[]): readonly {readonly place: string; readonly rows: readonly Row[]}[] {
  const names = [...new Set(rows.map(placeOf))];
  const ordered = [...names.filter((name) => name === meshPlace), ...names.filter((name) => name !== meshPlace)];
  return ordered.map((place) => ({place, rows: rows.filter((row) => placeOf(row) === place)}));
}

/** The longest result and id: `warning`, `MESH101`. */
export const resultWidth = 7;

/** What is said of a row, by name; empty parts are left out. */
export function details({observed, expected, reason, fix}: Row): readonly (readonly [string, string])[] {
  const all = [
    ['reason', reason ?? ''],
    ['observed', observed],
    ['expected', expected],
    [onlyLooks(fix) ? 'look' : 'fix', fix],
  ] as const;
  return all.filter(([, text]) => text !== '').map(([name, text]) => [name, printableLine(text)] as const);
}

/** kubectl's commands that change nothing (kubectl --help). */
const looking = ['get', 'describe', 'logs', 'version', 'auth', 'events'];

/** Our own that change nothing, and are the fix of checks that only a person can mend. */
const ownLooking = ['journal show', 'journal verify'];

/** Whether a command shows a person what to do and mends nothing by itself. */
export function onlyLooks(command: string): boolean {
  if (/&&|;/.test(command)) return false;
  const words = command.split(' ');
  if (words[0] !== 'kubectl') return false;
  const flagsWithValue = ['--context', '--kubeconfig', '--as', '--as-group', '-n'];
  const verb = words.slice(1).find((word, at) => !word.startsWith('-') && !flagsWithValue.includes(words[at] ?? ''));
  if (verb === 'mesh') return ownLooking.includes(words.slice(2, 4).join(' '));
  return verb !== undefined && looking.includes(verb);
}

/** Whether a person has to look at it. */
export function isBad({result}: Row): boolean {
  return result !== 'ok' && result !== 'skipped';
}

/** That `--wait` was given up, and why; nothing otherwise. */
export function timeoutLines({error}: VerifyResult): readonly string[] {
  return error ? [`Gave up waiting: ${error.message}`] : [];
}

/** `error (2 error, 24 ok, 1 skipped)`. */
export function verdictText({verdict, checks: rows}: VerifyResult): string {
  const counts = (['error', 'unknown', 'warning', 'ok', 'skipped'] as const)
    .map((result) => [rows.filter((row) => row.result === result).length, result] as const)
    .filter(([count]) => count > 0)
    .map(([count, result]) => `${String(count)} ${result}`);
  return `${verdict} (${counts.join(', ')})`;
}
