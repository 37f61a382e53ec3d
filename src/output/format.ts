/**
 * Formats all output: errors, hints, tables and colors. Counts, dates and durations are formatted by src/domain/format.ts,
 * which findings use as well.
 */
import {Ansis} from 'ansis';
import type {ErrorReport} from '../domain/errors.js';
import {formatExpiry} from '../domain/format.js';
import {shortFingerprint} from '../domain/keys/keys.js';
import {printable, printableLine} from '../domain/printable.js';
import type {CertificateRef} from '../domain/x509/describe.js';
import type {ClusterResult, CommonResult} from '../engine/report.js';
import type {Printed} from './view.js';

export * from '../domain/format.js';

type ShownError = Pick<Printed<ErrorReport>, 'message' | 'hints'>;
type Named = Pick<ClusterResult, 'name' | 'outcome'>;

/** The lines of a message before its hints. */
const maxMessageLines = 3;

/** Returns functions that color words for a terminal: error red, warning yellow, unknown magenta, ok green. */
export function createPainter(color: boolean) {
  // Level 1: the sixteen colors that every terminal has.
  const {red, yellow, magenta, green} = new Ansis(color ? 1 : 0);
  const same = (text: string): string => text;
  return {error: red, warning: yellow, unknown: magenta, ok: green, skipped: same} as const;
}

/** Indents lines that belong to the line before them. */
export const indent = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => (line === '' ? line : `  ${line}`));

/** Hints, printed below the line that they refer to. */
export const hintLines = (hints: readonly string[]): readonly string[] =>
  hints.map((hint) => `  → ${printableLine(hint)}`);

/** An error: at most three lines of its message, then the hints, then the rest of a longer message. */
export function errorLines({message, hints}: ShownError): readonly string[] {
  const lines = printable(message)
    .split('\n')
    .map((line, index) => (index === 0 || line.startsWith(' ') ? line : `  ${line}`));
  return [...lines.slice(0, maxMessageLines), ...hintLines(hints), ...lines.slice(maxMessageLines)];
}

/** Errors of the whole run in a result. */
export function generalErrorLines(errors: readonly ShownError[]): readonly string[] {
  return errors.flatMap(({message, hints}) => errorLines({message: `error: ${message}`, hints}));
}

/** Removes hints that are already printed for an earlier error: clusters often fail for the same reason. */
export function withoutRepeatedHints(lines: readonly string[]): readonly string[] {
  return lines.filter((line, index) => !/^ *→ /.test(line) || lines.indexOf(line) === index);
}

/** A cluster's error, with its hints. */
export function failedLines({name, outcome}: Named, {message, hints}: ShownError): readonly string[] {
  return errorLines({message: `${name}: ${outcome}: ${message}`, hints});
}

/** The errors of a result: those of the whole run, then those of clusters with a different message. */
export function allErrorLines(result: {
  readonly errors: readonly ShownError[];
  readonly clusters: readonly (Named & {readonly error?: ShownError})[];
}): readonly string[] {
  const general = new Set(result.errors.map(({message}) => message));
  return withoutRepeatedHints([
    ...generalErrorLines(result.errors),
    ...result.clusters.flatMap((cluster) =>
      cluster.error && !general.has(cluster.error.message) ? failedLines(cluster, cluster.error) : [],
    ),
  ]);
}

/** A certificate's table cells: key, not after, fingerprint, subject. */
export function certificateCells(
  {key, notAfter, fingerprint, subject}: CertificateRef,
  now: Date,
): readonly [key: string, notAfter: string, fingerprint: string, subject: string] {
  return [key, formatExpiry(notAfter, now), shortFingerprint(fingerprint), printableLine(subject)];
}

/** `cluster CA AA:BB (O=Istio, CN=Intermediate CA, not after 2028-11-27, in 729 days)`. */
export function clusterCaText(
  {fingerprint, subject, notAfter}: Omit<CertificateRef, 'key'>,
  now: Date,
  print: (fingerprint: string) => string = shortFingerprint,
): string {
  return `cluster CA ${print(fingerprint)} (${printableLine(subject)}, not after ${formatExpiry(notAfter, now)})`;
}

/** The outcome in words; for a dry run, what would be done. */
export function outcomeText(
  {outcome, action}: Pick<Named, 'outcome'> & {readonly action?: string | undefined},
  {dryRun}: Pick<CommonResult, 'dryRun'>,
): string {
  return dryRun !== undefined && action !== undefined && outcome === 'skipped' ? `would ${action}` : outcome;
}

/** `-o name`: the clusters that were changed. */
export function doneNames({clusters}: {readonly clusters: readonly Named[]}): string {
  return clusters.flatMap(({name, outcome}) => (outcome === 'done' ? [name] : [])).join('\n');
}

/** Formats rows as a table with a header, as kubectl does. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return columns([header, ...rows]).join('\n');
}

/** Returns a line for each row, with aligned cells. The first row has all columns. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = columnWidths(rows);
  return rows.map((row) =>
    widths
      .map((width, column) => (row[column] ?? '').padEnd(width))
      .join('  ')
      .trimEnd(),
  );
}

/** Returns the width of each column's widest cell. The first row has all columns. */
export function columnWidths([first = [], ...rows]: readonly (readonly string[])[]): readonly number[] {
  return first.map((name, column) =>
    // Not Math.max(...): there may be more rows than a function accepts arguments.
    rows.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), name.length),
  );
}

/** Truncates a line to `width` characters; without a width, returns it unchanged. */
export function cut(text: string, width = Infinity): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}
