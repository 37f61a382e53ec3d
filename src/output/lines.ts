/** Lines that the views of several commands have in common. */
import type {ErrorReport} from '../domain/errors.js';
import {printable, printableLine} from '../domain/printable.js';
import type {ClusterResult, CommonResult} from '../engine/report.js';
import type {Printed} from './view.js';

type ShownError = Pick<Printed<ErrorReport>, 'message' | 'hints'>;
type Named = Pick<ClusterResult, 'name' | 'outcome'>;

/** Lines that belong below the previous one. */
export const indent = (lines: readonly string[]): readonly string[] => lines.map((line) => `  ${line}`);

/** Hints, below the line that they are about. */
export const arrows = (hints: readonly string[]): readonly string[] =>
  hints.map((hint) => `  → ${printableLine(hint)}`);

/** An error with its hints below it. */
export const errorLines = ({message, hints}: ShownError): readonly string[] => [message, ...indent(hints)];

/** Why a cluster was not done, with the hints below it. */
export function failedLines({name, outcome}: Named, {message, hints}: ShownError): readonly string[] {
  return [`${name}: ${outcome}: ${printable(message)}`, ...arrows(hints)];
}

/** The errors of a result: those of the whole run, then those of clusters that differ from them. */
export function allErrorLines(result: {
  readonly errors: readonly ShownError[];
  readonly clusters: readonly (Named & {readonly error?: ShownError})[];
}): readonly string[] {
  const said = new Set(result.errors.map(({message}) => message));
  const own = result.clusters.flatMap(({name, error}) =>
    error && !said.has(error.message) ? [{...error, message: `${name}: ${error.message}`}] : [],
  );
  return [...result.errors, ...own].flatMap(errorLines);
}

/** The outcome in words; for a dry run, what would be done. */
export function outcomeText(
  {outcome, action}: Pick<Named, 'outcome'> & {readonly action?: string | undefined},
  {dryRun}: Pick<CommonResult, 'dryRun'>,
): string {
  return dryRun !== undefined && action !== undefined && outcome === 'skipped' ? `would ${action}` : outcome;
}

/** `-o name`: the clusters of which something was done. */
export function doneNames({clusters}: {readonly clusters: readonly Named[]}): string {
  return clusters.flatMap(({name, outcome}) => (outcome === 'done' ? [name] : [])).join('\n');
}

/** Lays rows out under a header, as kubectl does. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [header, ...rows];
  const widths = columnWidths(all);
  return all
    .map((row) =>
      header
        .map((_, column) => (row[column] ?? '').padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}

/** The width of each column's widest cell. The first row has all columns. */
export function columnWidths([first = [], ...rows]: readonly (readonly string[])[]): readonly number[] {
  return first.map((name, column) =>
    // There may be more rows than a function takes arguments.
    rows.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), name.length),
  );
}
