/**
 * Verify as text. Rules: one block for the mesh, one for each cluster and each pair (one for all pairs of a trusting cluster
 * of which nothing but ok and skipped is to be said: fifty clusters have 2,450); one line for each check, what is wrong
 * indented below it with the command that mends it; a consequence names its cause instead; the verdict last. A command
 * that mends several rows is printed once: some must not be executed twice.
 */
import type {Acceptance, ClusterTopology, MeshTopology, TopologyCertificate} from '../../domain/checks/topology.js';
import {some} from '../../domain/checks/describe.js';
import {groupBy} from '../../domain/group-by.js';
import {shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import {table} from '../lines.js';
import {
  details,
  isBad,
  placeOf,
  places,
  remedyText,
  resultWidth,
  timeoutLines,
  type Place,
  type ShownRow,
  type ShownVerify,
} from './verify-rows.js';

/** `-o text`. */
export function verifyText(result: ShownVerify): string {
  return page(result, sections(result, false));
}

/** `-o wide`: the text with its evidence, who accepts whom, and by which certificates. */
export function verifyWide(result: ShownVerify): string {
  return page(result, [...sections(result, true), ...pictureLines(result.mesh)]);
}

/** The lines, how to preview a fix where one of our own commands would ask, and the verdict. */
function page(result: ShownVerify, lines: readonly string[]): string {
  const {verdict, checks: rows} = result;
  const changes = rows.some(({fix, impliedBy}) => impliedBy === undefined && typeof fix !== 'string' && fix.agrees);
  // `2 error, 24 ok, 1 skipped`
  const counts = (['error', 'unknown', 'warning', 'ok', 'skipped'] as const)
    .map((one) => [rows.filter(({result}) => result === one).length, one] as const)
    .filter(([count]) => count > 0)
    .map(([count, one]) => `${String(count)} ${one}`);
  return [
    ...lines,
    ...(changes ? ['What a `kubectl mesh` fix would do, it says itself with --dry-run instead of --yes.', ''] : []),
    ...timeoutLines(result),
    `Verdict: ${verdict} (${counts.join(', ')})`,
  ].join('\n');
}

/** The blocks; `withEvidence`: what was observed of what is well, too. */
function sections({checks: rows}: ShownVerify, withEvidence: boolean): readonly string[] {
  const all = places(rows);
  const quiet = groupBy(all.filter(isQuietPair), clusterOf);
  const shown = groupBy(
    all.flatMap((one) => one.rows.filter(hasDetails)),
    remedyText,
  );
  const twin = (row: ShownRow): ShownRow | undefined => {
    const remedy = remedyText(row);
    const first = remedy === '' ? undefined : shown.get(remedy)?.[0];
    return first === row ? undefined : first;
  };
  return all.flatMap((one) => {
    const alike = isQuietPair(one) ? quiet.get(clusterOf(one)) : undefined;
    if (!alike || alike.length < 2) return [one.place, ...placeLines(one.rows, {withEvidence, twin}), ''];
    return alike[0] === one ? [...quietLines(alike), ''] : [];
  });
}

function clusterOf({rows: [row]}: Place): string {
  return row?.cluster ?? '';
}

/** Whether it is a pair of clusters of which a person has nothing to look at. */
function isQuietPair({rows}: Place): boolean {
  return rows.every((row) => row.peer !== undefined && !isBad(row));
}

/** One block for several pairs of a trusting cluster: a line for each check and result, with the number of pairs. */
function quietLines(all: readonly [Place, ...Place[]]): readonly string[] {
  const rows = all.flatMap((place) => place.rows);
  const peers = [...new Set(rows.flatMap(({peer}) => peer ?? []))];
  return [
    `${clusterOf(all[0])} to ${some(peers)}`,
    ...[...groupBy(rows, headOf)].map(([head, alike]) => {
      const reasons = some([...new Set(alike.flatMap(({reason}) => reason ?? []))]);
      const count = `${String(alike.length)} of ${String(peers.length)} clusters`;
      return `${head} (${count}${reasons === '' ? '' : `: ${printableLine(reasons)}`})`;
    }),
  ];
}

interface RowOptions {
  readonly withEvidence: boolean;
  /** The row shown before that is mended by the same command. */
  readonly twin: (row: ShownRow) => ShownRow | undefined;
}

/**
 * The lines of one place. Checks skipped for one reason are one line, and so are consequences of one cause, last: a page
 * of them would hide the others.
 */
function placeLines(rows: readonly ShownRow[], options: RowOptions): readonly string[] {
  const groups = [...groupBy(rows, (row) => whyFolded(row) ?? row).values()];
  return [
    ...groups.filter(({length}) => length === 1).flatMap(([row]) => rowLines(row, options)),
    ...groups
      .filter(({length}) => length > 1)
      .map((alike) => {
        const [row] = alike;
        const ids = [...new Set(alike.map(({id}) => id))];
        const what = row.result === 'skipped' ? `${String(ids.length)} checks` : ids.join(', ');
        return `  ${row.result.padEnd(resultWidth)}  ${what} (${whyNoDetails(row)})`;
      }),
  ];
}

/** What rows that are folded into one line share. */
function whyFolded(row: ShownRow): string | undefined {
  return hasDetails(row) || row.result === 'ok' ? undefined : `${row.result} ${whyNoDetails(row)}`;
}

/** Whether a person has to read more of it than one line. */
function hasDetails(row: ShownRow): boolean {
  return isBad(row) && row.impliedBy === undefined;
}

function whyNoDetails({result, reason = '', impliedBy}: ShownRow): string {
  return result === 'skipped' || impliedBy === undefined ? printableLine(reason) : `follows from ${impliedBy}`;
}

function rowLines(row: ShownRow, {withEvidence, twin}: RowOptions): readonly string[] {
  const head = headOf(row);
  if (row.result === 'ok') return [head, ...(withEvidence ? detailLines(row, undefined) : [])];
  return hasDetails(row) ? [head, ...detailLines(row, twin(row))] : [`${head} (${whyNoDetails(row)})`];
}

function headOf({result, id, title}: ShownRow): string {
  return `  ${result.padEnd(resultWidth)}  ${id}  ${title}`;
}

const nameWidth = 'observed: '.length;

function detailLines(row: ShownRow, twin: ShownRow | undefined): readonly string[] {
  const seen = twin === undefined ? row : {...row, fix: `the same as for ${twin.id}, ${placeOf(twin)}`};
  return details(seen).map(([name, text]) => `${' '.repeat(resultWidth + 4)}${`${name}:`.padEnd(nameWidth)}${text}`);
}

/** `NO` is the one that must be seen. */
const cells: Readonly<Record<Acceptance, string>> = {yes: 'yes', no: 'NO', unknown: 'unknown', none: '-'};

function pictureLines({clusters}: MeshTopology): readonly string[] {
  if (clusters.length === 0) return [];
  return [
    ...(clusters.length > 1 ? [matrix(clusters), ''] : []),
    table(
      ['CLUSTER', 'LIVE ROOTS', 'LIVE CLUSTER CA'],
      clusters.map(({name, roots, clusterCas}) => [name, list(roots), list(clusterCas)]),
    ),
    ...clusters.flatMap(({name, unseen = []}) => unseen.map((why) => `${name}: not seen: ${printableLine(why)}`)),
    '',
  ];
}

/** Rows trust, columns are trusted. */
function matrix(clusters: readonly ClusterTopology[]): string {
  return table(
    ['TRUSTING', ...clusters.map(({name}) => name)],
    clusters.map(({name, accepts}) => [
      name,
      ...clusters.map((other) => {
        const answer = accepts.find(({cluster}) => cluster === other.name);
        return answer ? cells[answer.result] : '-';
      }),
    ]),
  );
}

function list(certificates: readonly TopologyCertificate[] | undefined): string {
  if (certificates === undefined) return 'unknown';
  return certificates.length === 0
    ? '-'
    : certificates.map(({fingerprint}) => shortFingerprint(fingerprint)).join(', ');
}
