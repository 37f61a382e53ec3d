/**
 * `verify` as text. By default: a line for the mesh and for each passing cluster (one for all of them if there are many), a
 * block for each cluster with rows that do not pass, and the verdict. `-v` prints every row, and `-o wide` also the evidence,
 * in blocks for the mesh, each cluster and each pair; the pairs of a trusting cluster that pass or are skipped share a block,
 * because fifty clusters have 2,450 pairs. Below each check are the observed state and the command that fixes it; a
 * consequence names its cause instead. A command that fixes several rows is printed once, because some must not be run twice.
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
  fixText,
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
  return page(
    result,
    context.verbose === true ? sections(result, options) : summary(result, {...options, counts: true}),
    options,
  );
}

/** `-o wide`: every row with its evidence, and which clusters trust each other, with the certificates. */
export function verifyWide(result: ShownVerify, context: Context = {}): string {
  const options = rowOptions(result, true, context);
  return page(result, [...sections(result, options), ...topologyLines(result.mesh)], options);
}

interface RowOptions {
  /** Whether to print the evidence of rows that pass, too. */
  readonly withEvidence: boolean;
  readonly paint: ReturnType<typeof createPainter>;
  /** Whether lines about pairs name the trusted clusters, because there is no heading with them. */
  readonly namesPeers?: boolean;
  /** Whether consequences are counted instead of listed by id. */
  readonly counts?: boolean;
  /** Returns an earlier row that the same command fixes. */
  readonly twin: (row: ShownRow) => ShownRow | undefined;
}

function rowOptions({checks: rows}: ShownVerify, withEvidence: boolean, {color = false}: Context): RowOptions {
  const byFix = groupBy(
    places(rows).flatMap((one) => one.rows.filter(hasDetails)),
    fixText,
  );
  const twin = (row: ShownRow): ShownRow | undefined => {
    const remedy = fixText(row);
    const first = remedy === '' ? undefined : byFix.get(remedy)?.[0];
    return first === row ? undefined : first;
  };
  return {withEvidence, paint: createPainter(color), twin};
}

/** Adds how to preview fixes, the timeout of `--wait`, and the verdict. */
function page(result: ShownVerify, lines: readonly string[], {paint}: RowOptions): string {
  const {verdict, checks: rows} = result;
  const changes = rows.some(
    ({fix, impliedBy}) => impliedBy === undefined && typeof fix !== 'string' && fix.includesYes,
  );
  return [
    ...lines,
    ...(changes ? ['To preview a `kubectl mesh` fix, run it with --dry-run instead of --yes.', ''] : []),
    ...timeoutLines(result),
    // Nothing was verified if every check was skipped.
    rows.some(isCounted)
      ? `Verdict: ${paint[verdict](verdict)} (${countsText(rows)})`
      : `Verdict: none, no check was run (${countsText(rows)})`,
  ].join('\n');
}

/** The maximum number of passing clusters with a line each. */
const maxClusterLines = 12;

/** Returns the lines of the passing clusters, then the blocks of the others. */
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
    passing.length > maxClusterLines
      ? [
          ...general.filter(isPassing),
          {name: plural(passing.length, 'cluster'), rows: passing.flatMap(({rows}) => rows)},
        ]
      : all.filter(isPassing);
  // Clusters with the same output share a block, such as all those that trust an unreachable cluster.
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

/** Skipped checks count as neither passed nor failed. */
function isCounted({result}: ShownRow): boolean {
  return result !== 'skipped';
}

/** `31 checks ok`. */
function passedText(rows: readonly ShownRow[]): string {
  const ok = rows.filter(isCounted).length;
  return ok > 0 ? `${plural(ok, 'check')} ok` : `${plural(rows.length, 'check')} skipped`;
}

/** Returns the rows that do not pass: those of the cluster, consequences in its pairs, then each pair with details. */
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

/** Returns the blocks of all rows. */
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

/** Reports whether a place is a pair of clusters whose rows all pass or are skipped. */
function isQuietPair({rows}: Place): boolean {
  return rows.every((row) => row.peer !== undefined && !isBad(row));
}

/** Returns one block for several pairs of a trusting cluster: a line for each check and result, with the number of pairs. */
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
 * Returns the lines of one place. Checks that are skipped for the same reason share a line, and so do consequences of the
 * same cause. These lines are last, so that they do not hide the others.
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
        const isCount = row.result === 'skipped' || (options.counts === true && ids.length > maxIds);
        const what = isCount ? plural(ids.length, 'check') : ids.join(', ');
        return `  ${resultOf(row, options)}  ${what} (${peersOf(alike, options)}${shortReason(row)})`;
      }),
  ];
}

/** How many ids of consequences a line of the summary lists; `-v` lists all. */
const maxIds = 4;

/** `to cluster2, cluster3: ` */
function peersOf(rows: readonly ShownRow[], {namesPeers = false}: RowOptions): string {
  const peers = namesPeers ? [...new Set(rows.flatMap(({peer}) => peer ?? []))] : [];
  return peers.length === 0 ? '' : `to ${some(peers)}: `;
}

/** Returns the key of rows that share a line; undefined for a row with its own line. */
function foldKey(row: ShownRow): string | undefined {
  if (hasDetails(row) || row.result === 'ok') return undefined;
  return `${row.result} ${row.peer === undefined ? 'cluster' : 'pair'} ${shortReason(row)}`;
}

/** Reports whether a row has details, and so more than one line. */
function hasDetails(row: ShownRow): boolean {
  return isBad(row) && row.impliedBy === undefined;
}

function shortReason({result, reason = '', impliedBy}: ShownRow): string {
  return result === 'skipped' || impliedBy === undefined ? printableLine(reason) : `follows from ${impliedBy}`;
}

function rowLines(row: ShownRow, options: RowOptions): readonly string[] {
  const head = headOf(row, options);
  if (row.result === 'ok') return [head, ...(options.withEvidence ? detailLines(row, undefined) : [])];
  return hasDetails(row)
    ? [head, ...detailLines(row, options.twin(row))]
    : [`${head} (${peersOf([row], options)}${shortReason(row)})`];
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

/** The cells of the matrix. `NO` is in capitals to stand out. */
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

/** Returns the matrix of trust: rows are the trusting clusters, columns the trusted ones. */
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
