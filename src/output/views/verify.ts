/**
 * How verify is read. Rules: one block for the mesh and one for each cluster; one line for each check, what is wrong
 * indented below it with the command that mends it; a consequence names its cause instead; the verdict last.
 */
import type {Row} from '../../domain/checks/report.js';
import {printableLine} from '../../domain/printable.js';
import type {CheckList, ExplainedCheck} from '../../operations/verify/catalogue.js';
import type {VerifyResult} from '../../operations/verify/verify.js';
import type {View} from '../view.js';

/** `verify`. `short` says only what is not ok, a line each, and nothing when all is well. */
export const verifyView: View<VerifyResult> = {
  text: (result) => [...sections(result.checks), ...timeoutLines(result), verdictLine(result)].join('\n'),
  short: (result) => [...shortLines(result.checks.filter(isBad)), ...timeoutLines(result)].join('\n'),
};

/** `verify --list-checks` */
export const checkListView: View<CheckList> = {text: listText, short: listText};

/** `verify --explain ID` */
export const explainView: View<ExplainedCheck> = {text: explainText, short: explainText};

function sections(rows: readonly Row[]): readonly string[] {
  const places = [...new Set(rows.map(placeOf))];
  const ordered = [...places.filter((place) => place === mesh), ...places.filter((place) => place !== mesh)];
  return ordered.flatMap((place) => [place, ...placeLines(rows.filter((row) => placeOf(row) === place)), '']);
}

/** The lines of one place. Checks skipped for one reason are one line, last: a page of them would hide the others. */
function placeLines(rows: readonly Row[]): readonly string[] {
  const alike = (row: Row): readonly Row[] =>
    row.result === 'skipped' ? rows.filter(({result, reason}) => result === 'skipped' && reason === row.reason) : [row];
  const single = rows.filter((row) => alike(row).length === 1);
  const several = rows.filter((row) => alike(row).length > 1 && alike(row)[0] === row);
  return [
    ...single.flatMap(rowLines),
    ...several.map((row) => `  skipped  ${String(alike(row).length)} checks (${row.reason ?? ''})`),
  ];
}

const mesh = 'mesh';

function placeOf({cluster, peer}: Row): string {
  if (cluster === undefined) return mesh;
  return peer === undefined ? cluster : `${cluster} to ${peer}`;
}

/** The longest result and id: `warning`, `MESH101`. */
const resultWidth = 7;

function rowLines(row: Row): readonly string[] {
  const head = `  ${row.result.padEnd(resultWidth)}  ${row.id}  ${row.title}`;
  if (row.result === 'ok') return [head];
  if (row.result === 'skipped') return [`${head} (${row.reason ?? ''})`];
  if (row.impliedBy !== undefined) return [`${head} (follows from ${row.impliedBy})`];
  return [
    head,
    ...details(row).map(([name, text]) => `${' '.repeat(resultWidth + 4)}${`${name}:`.padEnd(nameWidth)}${text}`),
  ];
}

const nameWidth = 'observed: '.length;

function details({observed, expected, reason, fix}: Row): readonly (readonly [string, string])[] {
  const all = [
    ['reason', reason ?? ''],
    ['observed', observed],
    ['expected', expected],
    ['fix', fix],
  ] as const;
  return all.filter(([, text]) => text !== '').map(([name, text]) => [name, printableLine(text)] as const);
}

function isBad({result}: Row): boolean {
  return result !== 'ok' && result !== 'skipped';
}

/** A line for each row; what follows from another check is one line for all of it. */
function shortLines(rows: readonly Row[]): readonly string[] {
  const isFirst = (row: Row): boolean => rows.find((other) => groupOf(other) === groupOf(row)) === row;
  return rows.flatMap((row) => {
    if (row.impliedBy === undefined) return [shortLine(row)];
    if (!isFirst(row)) return [];
    const ids = rows.filter((other) => groupOf(other) === groupOf(row)).map(({id}) => id);
    return [`${row.result} ${[...new Set(ids)].join(',')} ${placeOf(row)}: follows from ${row.impliedBy}`];
  });
}

/** Consequences of one cause, in one place, with one result. */
function groupOf(row: Row): string | undefined {
  return row.impliedBy === undefined ? undefined : [row.result, row.impliedBy, placeOf(row)].join(' ');
}

function shortLine(row: Row): string {
  const what = row.result === 'unknown' ? (row.reason ?? '') : row.observed;
  const fix = row.fix === '' ? '' : `; fix: ${row.fix}`;
  return printableLine(`${row.result} ${row.id} ${placeOf(row)}: ${row.title}: ${what}${fix}`);
}

function timeoutLines({error}: VerifyResult): readonly string[] {
  return error ? [`Gave up waiting: ${error.message}`] : [];
}

function verdictLine({verdict, checks: rows}: VerifyResult): string {
  const counts = (['error', 'unknown', 'warning', 'ok', 'skipped'] as const)
    .map((result) => [rows.filter((row) => row.result === result).length, result] as const)
    .filter(([count]) => count > 0)
    .map(([count, result]) => `${String(count)} ${result}`);
  return `Verdict: ${verdict} (${counts.join(', ')})`;
}

function listText({checks}: CheckList): string {
  return checks
    .map(
      ({id, severity, scope, title}) =>
        `${id}  ${severity.padEnd(resultWidth)}  ${scope.padEnd(resultWidth)}  ${title}`,
    )
    .join('\n');
}

function explainText(check: ExplainedCheck): string {
  const parts = [
    ['What it means', check.meaning],
    ['What breaks', check.breaks],
    ['How to see it by hand', check.byHand],
    ['How to mend it', check.mend],
    ['Source', check.source],
    ['Implies', check.implies.join(', ')],
  ] as const;
  return [
    `${check.id}: ${check.title}`,
    `${check.severity}, for each ${check.scope}, seen from: ${check.vantage}`,
    ...parts
      .filter(([, text]) => text !== '')
      .flatMap(([title, text]) => ['', title, ...text.split('\n').map((line) => `  ${line}`)]),
  ].join('\n');
}
