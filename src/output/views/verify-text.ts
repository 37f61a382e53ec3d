/**
 * verify as text. By default: one line for the mesh and one for each passing cluster, or one for all of them where there are
 * many; then a block for each cluster with rows that do not pass; the verdict last. `-v` prints every row, `-o wide` the
 * evidence as well, in one block for the mesh, for each cluster, and for each pair (one for all pairs of a trusting cluster
 * that only pass or are skipped: fifty clusters have 2,450). One line for each check, what was observed indented below it
 * with the command that fixes it; a consequence names its cause instead. A command that fixes several rows is printed once:
 * some must not be executed twice.
 */
import type {Acceptance, ClusterTopology, MeshTopology, TopologyCertificate} from '../../domain/checks/topology.js';
import {groupBy} from '../../domain/group-by.js';
import {shortFingerprint} from '../../domain/keys/keys.js';
import {printableLine} from '../../domain/printable.js';
import {columns, createPainter, plural, some, table} from '../format.js';
import type {ViewContext} from '../view.js';
import {
  countsText,
  details,
  isBad,
  meshPlace,
  placeOf,
  places,
  remedyText,
  resultWidth,
  timeoutLines,
  type Place,
  type ShownRow,
  type ShownVerify,
} from './verify-rows.js';

type Context = Partial<Pick<ViewContext, 'color' | 'verbose'>>;

/** `-o text`. */
export function verifyText(result: ShownVerify, context: Context = {}): string {
  const options = rowOptions(result, false, context);
  return page(result, context.verbose === true ? sections(result, options) : summary(result, options), options);
}

/** `-o wide`: every row with its evidence, which cluster accepts which, and by which certificates. */
export function verifyWide(result: ShownVerify, context: Context = {}): string {
  const options = rowOptions(result, true, context);
  return page(result, [...sections(result, options), ...topologyLines(result.mesh)], options);
}

interface RowOptions {
  /** Whether the evidence of rows that pass is printed as well. */
  readonly withEvidence: boolean;
  readonly paint: ReturnType<typeof createPainter>;
  /** Whether a line about pairs of clusters names the trusted ones: no heading does. */
  readonly namesPeers?: boolean;
  /** The row printed before that the same command fixes. */
  readonly twin: (row: ShownRow) => ShownRow | undefined;
}

function rowOptions({checks: rows}: ShownVerify, withEvidence: boolean, {color = false}: Context): RowOptions {
  const byRemedy = groupBy(
    places(rows).flatMap((one) => one.rows.filter(hasDetails)),
    remedyText,
  );
  const twin = (row: ShownRow): ShownRow | undefined => {
    const remedy = remedyText(row);
    const first = remedy === '' ? undefined : byRemedy.get(remedy)?.[0];
    return first === row ? undefined : first;
  };
  return {withEvidence, paint: createPainter(color), twin};
}

/** The lines, how to preview the fixes that would change something, and the verdict. */
function page(result: ShownVerify, lines: readonly string[], {paint}: RowOptions): string {
  const {verdict, checks: rows} = result;
  const changes = rows.some(({fix, impliedBy}) => impliedBy === undefined && typeof fix !== 'string' && fix.agrees);
  return [
    ...lines,
    ...(changes ? ['To preview a `kubectl mesh` fix, run it with --dry-run instead of --yes.', ''] : []),
    ...timeoutLines(result),
    `Verdict: ${paint[verdict](verdict)} (${countsText(rows)})`,
  ].join('\n');
}

/** More passing clusters than this are one line. */
const mostClusterLines = 12;

/** The lines of what passes, then the blocks of what does not. */
function summary({checks}: ShownVerify, options: RowOptions): readonly string[] {
  const mesh = checks.filter(({cluster}) => cluster === undefined);
  const general: readonly Owner[] = mesh.length > 0 ? [{name: meshPlace, rows: mesh}] : [];
  const clusters: readonly Owner[] = [...groupBy(checks, ({cluster}) => cluster)].flatMap(([name, rows]) =>
    name === undefined ? [] : [{name, rows}],
  );
  const all = [...general, ...clusters];
  const isPassing = ({rows}: Owner): boolean => !rows.some(isBad);
  const passing = clusters.filter(isPassing);
  const lines: readonly Owner[] =
    passing.length > mostClusterLines
      ? [
          ...general.filter(isPassing),
          {name: plural(passing.length, 'cluster'), rows: passing.flatMap(({rows}) => rows)},
        ]
      : all.filter(isPassing);
  // Clusters with the same lines share one block, for example all that trust an unreachable cluster.
  const failing = all
    .filter((one) => !isPassing(one))
    .map((owner) => ({
      name: owner.name,
      counts: countsText(owner.rows.filter(isCounted)),
      lines: ownerLines(owner, options),
    }));
  const blocks = groupBy(failing, ({counts, lines: printed}) => [counts, ...printed].join('\n'));
  return [
    ...columns(lines.map(({name, rows}) => [name, passedText(rows)])),
    ...(lines.length > 0 ? [''] : []),
    ...[...blocks.values()].flatMap((alike) => {
      const [{counts, lines: printed}] = alike;
      const each = alike.length > 1 ? ' each' : '';
      return [`${some(alike.map(({name}) => name))}  ${counts}${each}`, ...printed, ''];
    }),
  ];
}

/** The mesh or a cluster, with its rows and those of its pairs. */
interface Owner {
  readonly name: string;
  readonly rows: readonly ShownRow[];
}

/** A skipped check counts as neither passed nor failed. */
function isCounted({result}: ShownRow): boolean {
  return result !== 'skipped';
}

/** `31 checks ok`. */
function passedText(rows: readonly ShownRow[]): string {
  const ok = rows.filter(isCounted).length;
  return ok > 0 ? `${plural(ok, 'check')} ok` : `${plural(rows.length, 'check')} skipped`;
}

/** What does not pass: of the cluster, consequences in its pairs, then each pair that has more to show. */
function ownerLines({rows}: Owner, options: RowOptions): readonly string[] {
  const bad = rows.filter(isBad);
  const isOfPair = (row: ShownRow): boolean => row.peer !== undefined && hasDetails(row);
  return [
    ...placeLines(
      bad.filter((row) => !isOfPair(row)),
      {...options, namesPeers: true},
    ),
    ...places(bad.filter(isOfPair)).flatMap((pair) => [`  ${pair.place}`, ...placeLines(pair.rows, options)]),
  ];
}

/** The blocks of all rows. */
function sections({checks: rows}: ShownVerify, options: RowOptions): readonly string[] {
  const all = places(rows);
  const quiet = groupBy(all.filter(isQuietPair), clusterOf);
  return all.flatMap((one) => {
    const alike = isQuietPair(one) ? quiet.get(clusterOf(one)) : undefined;
    if (!alike || alike.length < 2) return [one.place, ...placeLines(one.rows, options), ''];
    return alike[0] === one ? [...quietLines(alike, options), ''] : [];
  });
}

function clusterOf({rows: [row]}: Place): string {
  return row?.cluster ?? '';
}

/** Whether it is a pair of clusters whose rows all pass or are skipped. */
function isQuietPair({rows}: Place): boolean {
  return rows.every((row) => row.peer !== undefined && !isBad(row));
}

/** One block for several pairs of a trusting cluster: a line for each check and result, with the number of pairs. */
function quietLines(all: readonly [Place, ...Place[]], options: RowOptions): readonly string[] {
  const rows = all.flatMap((place) => place.rows);
  const peers = [...new Set(rows.flatMap(({peer}) => peer ?? []))];
  return [
    `${clusterOf(all[0])} to ${some(peers)}`,
    ...[...groupBy(rows, (row) => headOf(row, options))].map(([head, alike]) => {
      const reasons = some([...new Set(alike.flatMap(({reason}) => reason ?? []))]);
      const count = `${String(alike.length)} of ${plural(peers.length, 'cluster')}`;
      return `${head} (${count}${reasons === '' ? '' : `: ${printableLine(reasons)}`})`;
    }),
  ];
}

/**
 * The lines of one place. Checks skipped for one reason are one line, and so are consequences of one cause, last: a page
 * of them would hide the others.
 */
function placeLines(rows: readonly ShownRow[], options: RowOptions): readonly string[] {
  const groups = [...groupBy(rows, (row) => foldKey(row) ?? row).values()];
  return [
    ...groups.filter(({length}) => length === 1).flatMap(([row]) => rowLines(row, options)),
    ...groups
      .filter(({length}) => length > 1)
      .map((alike) => {
        const [row] = alike;
        const ids = [...new Set(alike.map(({id}) => id))];
        const what = row.result === 'skipped' ? plural(ids.length, 'check') : ids.join(', ');
        return `  ${resultOf(row, options)}  ${what} (${peersOf(alike, options)}${whyNoDetails(row)})`;
      }),
  ];
}

/** `to cluster2, cluster3: ` */
function peersOf(rows: readonly ShownRow[], {namesPeers = false}: RowOptions): string {
  const peers = namesPeers ? [...new Set(rows.flatMap(({peer}) => peer ?? []))] : [];
  return peers.length === 0 ? '' : `to ${some(peers)}: `;
}

/** What rows that are folded into one line have in common. */
function foldKey(row: ShownRow): string | undefined {
  if (hasDetails(row) || row.result === 'ok') return undefined;
  return `${row.result} ${row.peer === undefined ? 'cluster' : 'pair'} ${whyNoDetails(row)}`;
}

/** Whether more than one line is printed for the row. */
function hasDetails(row: ShownRow): boolean {
  return isBad(row) && row.impliedBy === undefined;
}

function whyNoDetails({result, reason = '', impliedBy}: ShownRow): string {
  return result === 'skipped' || impliedBy === undefined ? printableLine(reason) : `follows from ${impliedBy}`;
}

function rowLines(row: ShownRow, options: RowOptions): readonly string[] {
  const head = headOf(row, options);
  if (row.result === 'ok') return [head, ...(options.withEvidence ? detailLines(row, undefined) : [])];
  return hasDetails(row)
    ? [head, ...detailLines(row, options.twin(row))]
    : [`${head} (${peersOf([row], options)}${whyNoDetails(row)})`];
}

function headOf(row: ShownRow, options: RowOptions): string {
  return `  ${resultOf(row, options)}  ${row.id}  ${row.title}`;
}

function resultOf({result}: ShownRow, {paint}: RowOptions): string {
  return paint[result](result.padEnd(resultWidth));
}

const nameWidth = 'observed: '.length;

function detailLines(row: ShownRow, twin: ShownRow | undefined): readonly string[] {
  const shown = twin === undefined ? row : {...row, fix: `the same as for ${twin.id}, ${placeOf(twin)}`};
  return details(shown).map(([name, text]) => `${' '.repeat(resultWidth + 4)}${`${name}:`.padEnd(nameWidth)}${text}`);
}

/** `NO` stands out. */
const cells: Readonly<Record<Acceptance, string>> = {yes: 'yes', no: 'NO', unknown: 'unknown', none: '-'};

function topologyLines({clusters}: MeshTopology): readonly string[] {
  if (clusters.length === 0) return [];
  return [
    ...(clusters.length > 1 ? [matrix(clusters), ''] : []),
    table(
      ['CLUSTER', 'LIVE ROOTS', 'LIVE CLUSTER CA'],
      clusters.map(({name, roots, clusterCas}) => [name, list(roots), list(clusterCas)]),
    ),
    ...clusters.flatMap(({name, unseen = []}) => unseen.map((why) => `${name}: unknown: ${printableLine(why)}`)),
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
