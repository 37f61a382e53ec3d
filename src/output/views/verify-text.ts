/**
 * `verify` as text. By default: a line for the mesh and for each passing cluster (one for all of them if there are many), a
 * block for each cluster with rows that do not pass, and the verdict. `-v` prints every row, and `-o wide` also the evidence,
 * in blocks for the mesh, each cluster and each pair. Rows of pairs of the same kind share a block (verify-pairs.ts). Below each
 * check are the observed state and the command that fixes it; a consequence names its cause instead. A command that fixes
 * several rows is printed once, because some must not be run twice.
 */
import {groupBy} from '../../domain/group-by.js';
import {columns, plural, some} from '../format.js';
import type {ViewContext} from '../view.js';
import {placeLines, rowOptions, type RowOptions} from './verify-lines.js';
import {findingLines, foldFindings, pairSections} from './verify-pairs.js';
import {
  countOf,
  countsText,
  hasDetails,
  isBad,
  maxClusterLines,
  meshPlace,
  places,
  timeoutLines,
  type ShownRow,
  type ShownVerify,
  type Tally,
} from './verify-rows.js';
import {topologyLines} from './verify-topology.js';
import {trafficLines} from './verify-traffic.js';

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

/** Adds how to preview fixes, the timeout of `--wait`, and the verdict. */
function page(result: ShownVerify, lines: readonly string[], {paint}: RowOptions): string {
  const {verdict, checks: rows} = result;
  const tally = {rows, counted: result.counted ?? []};
  const changes = rows.some(
    ({fix, impliedBy}) => impliedBy === undefined && typeof fix !== 'string' && fix.includesYes,
  );
  return [
    ...lines,
    ...(changes ? ['To preview a `kubectl mesh` fix, run it with --dry-run instead of --yes.', ''] : []),
    ...trafficLines(result.mesh),
    ...timeoutLines(result),
    // Nothing was verified if every check was skipped.
    isRun(tally)
      ? `Verdict: ${paint[verdict](verdict)} (${countsText(tally)})`
      : `Verdict: none, no check was run (${countsText(tally)})`,
  ].join('\n');
}

/** Returns the lines of the passing clusters, then the blocks of the others. */
function summary(result: ShownVerify, options: RowOptions): readonly string[] {
  const {checks} = result;
  const mesh = checks.filter(({cluster}) => cluster === undefined);
  const general: readonly Owner[] = mesh.length > 0 ? [{name: meshPlace, rows: mesh, counted: []}] : [];
  const clusters = clustersOf(result);
  const all = [...general, ...clusters];
  const isPassing = ({rows}: Owner): boolean => !rows.some(isBad);
  const passing = clusters.filter(isPassing);
  const lines: readonly Owner[] =
    passing.length > maxClusterLines
      ? [
          ...general.filter(isPassing),
          {
            name: plural(passing.length, 'cluster'),
            rows: passing.flatMap(({rows}) => rows),
            counted: passing.flatMap(({counted}) => counted),
          },
        ]
      : all.filter(isPassing);
  const findings = foldFindings(checks);
  const isFolded = new Set(findings.flatMap(({rows}) => rows));
  // Clusters with the same output share a block, such as all those that trust an unreachable cluster.
  const failing = all
    .filter((one) => !isPassing(one))
    .map((owner) => ({
      name: owner.name,
      counts: countsText(withoutSkipped(owner)),
      lines: ownerLines(owner, isFolded, options),
    }));
  const blocks = groupBy(failing, ({counts, lines: printed}) => [counts, ...printed].join('\n'));
  return [
    ...columns(lines.map((owner) => [owner.name, passedText(owner)])),
    ...(lines.length > 0 ? [''] : []),
    ...[...blocks.values()].flatMap((alike) => {
      const [{counts, lines: printed}] = alike;
      const each = alike.length > 1 ? ' each' : '';
      return [`${some(alike.map(({name}) => name))}  ${counts}${each}`, ...printed, ''];
    }),
    ...findingLines(findings, options),
  ];
}

/** The mesh or a cluster, with its rows and those of its pairs. */
interface Owner extends Tally {
  readonly name: string;
}

/** The clusters, in order. */
function clustersOf({checks, counted = [], mesh: {clusters}}: ShownVerify): readonly Owner[] {
  const rowsOf = groupBy(checks, ({cluster}) => cluster);
  const countsOf = groupBy(counted, ({cluster}) => cluster);
  const names = new Set([...clusters.map(({name}) => name), ...rowsOf.keys(), ...countsOf.keys()]);
  return [...names].flatMap((name) => {
    if (name === undefined) return [];
    const owner = {name, rows: rowsOf.get(name) ?? [], counted: countsOf.get(name) ?? []};
    return owner.rows.length + owner.counted.length === 0 ? [] : [owner];
  });
}

/** Skipped checks count as neither passed nor failed. */
function withoutSkipped({rows, counted}: Tally): Tally {
  return {
    rows: rows.filter(({result}) => result !== 'skipped'),
    counted: counted.filter(({result}) => result !== 'skipped'),
  };
}

/** Whether any check was not skipped. */
function isRun(tally: Tally): boolean {
  const {rows, counted} = withoutSkipped(tally);
  return rows.length + counted.length > 0;
}

/** `31 checks ok`. For rows that pass. */
function passedText(tally: Tally): string {
  const ok = countOf(tally, 'ok');
  return ok > 0 ? `${plural(ok, 'check')} ok` : `${plural(countOf(tally, 'skipped'), 'check')} skipped`;
}

/**
 * Returns the rows that do not pass: those of the cluster, consequences in its pairs, then each pair with details whose
 * findings are not folded.
 */
function ownerLines({rows}: Owner, isFolded: ReadonlySet<ShownRow>, options: RowOptions): readonly string[] {
  const bad = rows.filter((row) => isBad(row) && !isFolded.has(row));
  const isOfPair = (row: ShownRow): boolean => row.peer !== undefined && hasDetails(row);
  return [
    ...placeLines(
      bad.filter((row) => !isOfPair(row)),
      {...options, namesPeers: true},
    ),
    ...places(bad.filter(isOfPair)).flatMap((pair) => [`  ${pair.place}`, ...placeLines(pair.rows, options)]),
  ];
}

/** Returns the blocks of all rows. With two clusters there is nothing to fold. */
function sections({checks: rows}: ShownVerify, options: RowOptions): readonly string[] {
  const peers = new Set(rows.flatMap(({peer}) => peer ?? []));
  const isListed = ({peer}: ShownRow): boolean => peer === undefined || peers.size <= 2;
  return [
    ...places(rows.filter(isListed)).flatMap(({place, rows: own}) => [place, ...placeLines(own, options), '']),
    ...pairSections(
      rows.filter((row) => !isListed(row)),
      options,
    ),
  ];
}
