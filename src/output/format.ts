/**
 * How everything that is printed looks, in one place: errors, hints, tables, colours; counts, dates and durations with the
 * functions of src/domain/format.ts, which findings use as well.
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

/** The lines of a message above its hints. */
const mostMessageLines = 3;

/** Paints words for a terminal: red errors, yellow warnings, magenta for what is unknown, green for what is ok. */
export function createPainter(color: boolean) {
  // Level 1: the sixteen colours that every terminal has.
  const {red, yellow, magenta, green} = new Ansis(color ? 1 : 0);
  const same = (text: string): string => text;
  return {error: red, warning: yellow, unknown: magenta, ok: green, skipped: same} as const;
}

/** Lines that belong below the previous one. */
export const indent = (lines: readonly string[]): readonly string[] =>
  lines.map((line) => (line === '' ? line : `  ${line}`));

/** Hints, below the line that they are about. */
export const hintLines = (hints: readonly string[]): readonly string[] =>
  hints.map((hint) => `  → ${printableLine(hint)}`);

/** An error: at most three lines of its message, then the hints, then the rest of a longer message. */
export function errorLines({message, hints}: ShownError): readonly string[] {
  const lines = printable(message)
    .split('\n')
    .map((line, index) => (index === 0 || line.startsWith(' ') ? line : `  ${line}`));
  return [...lines.slice(0, mostMessageLines), ...hintLines(hints), ...lines.slice(mostMessageLines)];
}

/** Why a cluster was not done, with the hints below it. */
export function failedLines({name, outcome}: Named, {message, hints}: ShownError): readonly string[] {
  return errorLines({message: `${name}: ${outcome}: ${message}`, hints});
}

/** The errors of a result: those of the whole run, then those of clusters that differ from them. */
export function allErrorLines(result: {
  readonly errors: readonly ShownError[];
  readonly clusters: readonly (Named & {readonly error?: ShownError})[];
}): readonly string[] {
  const general = new Set(result.errors.map(({message}) => message));
  return [
    ...result.errors.flatMap(errorLines),
    ...result.clusters.flatMap((cluster) =>
      cluster.error && !general.has(cluster.error.message) ? failedLines(cluster, cluster.error) : [],
    ),
  ];
}

/** Cells of a certificate in a table: key, not after, fingerprint, subject. */
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

/** `-o name`: the clusters of which something was done. */
export function doneNames({clusters}: {readonly clusters: readonly Named[]}): string {
  return clusters.flatMap(({name, outcome}) => (outcome === 'done' ? [name] : [])).join('\n');
}

/** Lays rows out under a header, as kubectl does. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  return columns([header, ...rows]).join('\n');
}

/** A line for each row, its cells in columns. The first row has all columns. */
export function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = columnWidths(rows);
  return rows.map((row) =>
    widths
      .map((width, column) => (row[column] ?? '').padEnd(width))
      .join('  ')
      .trimEnd(),
  );
}

/** The width of each column's widest cell. The first row has all columns. */
export function columnWidths([first = [], ...rows]: readonly (readonly string[])[]): readonly number[] {
  return first.map((name, column) =>
    // There may be more rows than a function takes arguments.
    rows.reduce((widest, row) => Math.max(widest, (row[column] ?? '').length), name.length),
  );
}

/** A line of at most `width` characters; without a width the whole. */
export function cut(text: string, width = Infinity): string {
  return text.length > width ? `${text.slice(0, Math.max(0, width - 1))}…` : text;
}
