/**
 * Verify as text. Rules: one block for the mesh, one for each cluster and each pair (one for all pairs of a trusting cluster
 * of which nothing but ok and skipped is to be said: fifty clusters have 2,450); one line for each check, what is wrong
 * indented below it with the command that mends it; a consequence names its cause instead; the verdict last.
 */
import {some} from '../../domain/checks/describe.js';
import type {Row} from '../../domain/checks/report.js';
import {printableLine} from '../../domain/printable.js';
import type {VerifyResult} from '../../operations/verify/verify.js';
import {details, isBad, places, resultWidth, timeoutLines, verdictText} from './verify-rows.js';

/** `-o text`. */
export function verifyText(result: VerifyResult): string {
  return [...sections(result, false), ...timeoutLines(result), `Verdict: ${verdictText(result)}`].join('\n');
}

/** The blocks; `withEvidence`: what was observed of what is well, too. */
export function sections({checks: rows}: VerifyResult, withEvidence: boolean): readonly string[] {
  const all = places(rows);
  const quiet = all.filter(isQuietPair);
  return all.flatMap((one) => {
    const alike = quiet.includes(one) ? quiet.filter((other) => clusterOf(other) === clusterOf(one)) : [];
    if (alike.length < 2) return [one.place, ...placeLines(one.rows, withEvidence), ''];
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
  const alike = (row: Row): readonly Row[] => rows.filter(({id, result}) => id === row.id && result === row.result);
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

/** The lines of one place. Checks skipped for one reason are one line, last: a page of them would hide the others. */
function placeLines(rows: readonly Row[], withEvidence: boolean): readonly string[] {
  const alike = (row: Row): readonly Row[] =>
    row.result === 'skipped' ? rows.filter(({result, reason}) => result === 'skipped' && reason === row.reason) : [row];
  const single = rows.filter((row) => alike(row).length === 1);
  const several = rows.filter((row) => alike(row).length > 1 && alike(row)[0] === row);
  return [
    ...single.flatMap((row) => rowLines(row, withEvidence)),
    ...several.map((row) => `  skipped  ${String(alike(row).length)} checks (${row.reason ?? ''})`),
  ];
}

function rowLines(row: Row, withEvidence: boolean): readonly string[] {
  const head = headOf(row);
  if (row.result === 'ok') return [head, ...(withEvidence ? detailLines(row) : [])];
  if (row.result === 'skipped') return [`${head} (${row.reason ?? ''})`];
  if (row.impliedBy !== undefined) return [`${head} (follows from ${row.impliedBy})`];
  return [head, ...detailLines(row)];
}

function headOf({result, id, title}: Row): string {
  return `  ${result.padEnd(resultWidth)}  ${id}  ${title}`;
}

const nameWidth = 'observed: '.length;

function detailLines(row: Row): readonly string[] {
  return details(row).map(([name, text]) => `${' '.repeat(resultWidth + 4)}${`${name}:`.padEnd(nameWidth)}${text}`);
}
