/**
 * Verify as text. Rules: one block for the mesh, one for each cluster and each pair; one line for each check, what is wrong
 * indented below it with the command that mends it; a consequence names its cause instead; the verdict last.
 */
import type {Row} from '../../domain/checks/report.js';
import type {VerifyResult} from '../../operations/verify/verify.js';
import {details, places, resultWidth, timeoutLines, verdictText} from './verify-rows.js';

/** `-o text`. */
export function verifyText(result: VerifyResult): string {
  return [...sections(result, false), ...timeoutLines(result), `Verdict: ${verdictText(result)}`].join('\n');
}

/** The blocks; `withEvidence`: what was observed of what is well, too. */
export function sections({checks: rows}: VerifyResult, withEvidence: boolean): readonly string[] {
  return places(rows).flatMap(({place, rows: own}) => [place, ...placeLines(own, withEvidence), '']);
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
  const head = `  ${row.result.padEnd(resultWidth)}  ${row.id}  ${row.title}`;
  if (row.result === 'ok') return [head, ...(withEvidence ? detailLines(row) : [])];
  if (row.result === 'skipped') return [`${head} (${row.reason ?? ''})`];
  if (row.impliedBy !== undefined) return [`${head} (follows from ${row.impliedBy})`];
  return [head, ...detailLines(row)];
}

const nameWidth = 'observed: '.length;

function detailLines(row: Row): readonly string[] {
  return details(row).map(([name, text]) => `${' '.repeat(resultWidth + 4)}${`${name}:`.padEnd(nameWidth)}${text}`);
}
