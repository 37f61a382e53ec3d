/**
 * Evaluates checks. The judge, not the check, reports unknown if a required fact is unknown and skipped if it was
 * omitted, so that no check can be ok without an observation.
 */
import {defined} from '../defined.js';
import {groupBy} from '../group-by.js';
import {type ErrorReport, problem} from '../errors.js';
import type {CaSource} from '../istio/ca-source.js';
import type {MeshCluster} from '../mesh/mesh.js';
import {firstCommand} from '../suggest/suggestion.js';
import {
  type Check,
  type CheckSubject,
  type Finding,
  type DecidedJudgement,
  notApplicable,
  notApplicableReason,
} from './check.js';
import {issuingOf} from './issuing.js';
import {isMeshFact, type ClusterFactKey, type Evidence, type FactKey} from '../facts/facts.js';
import {matches} from './select.js';
import {type Decision, PairCounts} from './pair-counts.js';
import {FindingKind, type Report, type Row, type RowResult, verdictOf} from './report.js';
import {type PairMember, type ResolvedFact, resolveFact, resolveForMesh, resolveForPair} from './resolve-facts.js';

/** What the report contains. */
export interface JudgeOptions {
  /** Whether pairs that are ok or skipped are counted instead of listed: they grow with the square of the clusters. */
  readonly countsPairs?: boolean | undefined;
}

/** Judges the selected checks. Rows are in the order of the checks, then of the clusters. */
export function judge(checks: readonly Check[], evidence: Evidence, {countsPairs = false}: JudgeOptions = {}): Report {
  const counts = countsPairs ? new PairCounts() : undefined;
  const withCauses = markConsequences(checks.flatMap((check) => judgeCheck(check, evidence, counts)));
  return defined<Report>({verdict: verdictOf(withCauses), checks: withCauses, counted: counts?.all()});
}

/** The subject of a row. Without a cluster: the mesh. */
interface Target {
  readonly cluster?: MeshCluster;
  readonly peer?: MeshCluster;
  readonly isPeerUnselected?: true;
}

/** A row, and the checks that it may be the cause of. */
interface JudgedRow {
  readonly row: Row;
  /** Ids or prefixes. */
  readonly implies: readonly string[];
  /** For a row about the mesh: the affected clusters. Absent: all. */
  readonly clusters?: readonly string[];
  readonly explains?: Check['explains'];
  /** Ids or prefixes of the checks that can be its cause. Absent: all. */
  readonly causes?: readonly string[];
}

function judgeCheck(check: Check, evidence: Evidence, counts: PairCounts | undefined): readonly JudgedRow[] {
  const {clusters} = evidence;
  const context = {evidence, subject: subjectOf(evidence)};
  switch (check.scope) {
    case 'mesh':
      return rowsOf(
        check,
        {},
        decide(check, {}, context, (key) => resolveForMesh(key, evidence)),
      );
    case 'cluster':
      return clusters.flatMap(({cluster, facts}) =>
        rowsOf(
          check,
          {cluster},
          decide(check, {cluster}, context, (key) => resolveFact(facts[key], key)),
        ),
      );
    case 'pair':
      return clusters.flatMap((self) =>
        peersOf(check, self, evidence).flatMap((peer) => {
          const target = targetOf(self, peer);
          const decision = decide(check, target, context, (key) => resolveForPair(key, check.sides?.[key], self, peer));
          return counts?.add(check, self.cluster, decision) === true ? [] : rowsOf(check, target, decision);
        }),
      );
  }
}

/**
 * The other clusters of a cluster's pairs. Which cluster it reads is part of the cluster's own state, so pairs of discovery
 * include the clusters that were not selected: of these nothing was gathered.
 */
function peersOf({appliesTo}: Check, {cluster}: PairMember, {mesh, clusters}: Evidence): readonly PairMember[] {
  const selected = clusters.filter((other) => other.cluster.name !== cluster.name);
  if (appliesTo !== 'discovery pairs') return selected;
  const names = new Set(clusters.map((one) => one.cluster.name));
  return [...selected, ...mesh.clusters.filter(({name}) => !names.has(name)).map((other) => ({cluster: other}))];
}

function targetOf({cluster}: PairMember, {cluster: peer, facts}: PairMember): Target {
  return facts ? {cluster, peer} : {cluster, peer, isPeerUnselected: true};
}

function decide(
  check: Check,
  target: Target,
  {evidence, subject}: {readonly evidence: Evidence; readonly subject: CheckSubject},
  clusterFact: (key: ClusterFactKey) => ResolvedFact,
): Decision {
  const {mesh, facts} = evidence;
  const resolve = (key: FactKey): ResolvedFact => (isMeshFact(key) ? resolveFact(facts[key], key) : clusterFact(key));
  const required = check.requires.map(resolve);
  const reason =
    notApplicableReason(check, mesh, target) ?? required.find(({omitted}) => omitted !== undefined)?.omitted;
  if (reason !== undefined) return {judgement: notApplicable(reason), unknown: []};
  const clusters = check.scope === 'mesh' ? clustersWithUnknowns(check, evidence) : undefined;
  const missing = {unknown: required.flatMap(({unknown}) => unknown), clusters};
  // Without any known value nothing can be judged; the known parts of a per-pod fact can.
  if (required.some(({unknown, value}) => unknown.length > 0 && value === undefined)) return missing;
  const known: Partial<Record<FactKey, unknown>> = {};
  for (const [index, key] of check.requires.entries()) known[key] = required[index]?.value;
  for (const key of check.optional ?? []) {
    const {value} = resolve(key);
    if (value !== undefined) known[key] = value;
  }
  // The only place that restores a check's erased types: `requires`, `optional` and `scope` determine both arguments.
  const judgement = check.judge(known as never, {...subject, ...target} as never);
  if (!('undecidedWithout' in judgement)) return {judgement, ...missing};
  const {omitted, unknown} = resolve(judgement.undecidedWithout);
  return omitted === undefined ? {unknown, clusters} : {judgement: notApplicable(omitted), unknown: []};
}

/** What all checks get. */
function subjectOf(evidence: Evidence): CheckSubject {
  const {now, mesh, facts} = evidence;
  const issuing = issuingOf(mesh, facts.issuing);
  return {now, mesh, issuing, otherSources: otherSourcesOf(evidence), managers: managersOf(evidence)};
}

/** From the fact that the fixes of several checks depend on; where it is unknown, a push may help. */
function otherSourcesOf({clusters}: Evidence): ReadonlyMap<string, CaSource> {
  return new Map(
    clusters.flatMap(({cluster, facts: {caOrigin}}) =>
      caOrigin && 'value' in caOrigin && caOrigin.value.from === 'mounted'
        ? [[cluster.name, caOrigin.value.source] as const]
        : [],
    ),
  );
}

function managersOf({clusters}: Evidence): ReadonlyMap<string, string> {
  return new Map(
    clusters.flatMap(({cluster, facts: {cacerts}}) => {
      const value = cacerts && 'value' in cacerts ? cacerts.value : 'absent';
      return value === 'absent' || value.managedBy === undefined ? [] : [[cluster.name, value.managedBy] as const];
    }),
  );
}

function rowsOf(check: Check, target: Target, {judgement, unknown, clusters}: Decision): readonly JudgedRow[] {
  const rows = judgement ? judgedRows(check, target, judgement) : [];
  if (unknown.length === 0) return rows;
  return [
    ...rows.filter(({row: {result}}) => result === 'error' || result === 'warning'),
    ...distinct(unknown).map((error) =>
      // The error's hints state the fix: as a command if one of them contains one.
      judgedRow(check, target, 'unknown', {
        fix: firstCommand(error.hints) ?? error.hints.find((hint) => typeof hint === 'string') ?? '',
        reason: error.message,
        error,
        clusters,
      }),
    ),
  ];
}

function judgedRows(check: Check, target: Target, judgement: DecidedJudgement): readonly JudgedRow[] {
  if ('skipped' in judgement) return [judgedRow(check, target, 'skipped', {reason: judgement.skipped})];
  const expected = (own: {readonly expected?: string | undefined}) => own.expected ?? check.expected;
  if ('ok' in judgement) {
    return [judgedRow(check, target, 'ok', {observed: judgement.ok, expected: expected(judgement)})];
  }
  return ('fix' in judgement ? [judgement] : judgement).map(({isUnproven = false, ...finding}) => {
    const fields = {...finding, expected: expected(finding)};
    if (!isUnproven) return judgedRow(check, target, finding.severity ?? check.severity, fields);
    const error = problem('NOT_PROVEN', finding.observed);
    return judgedRow(check, target, 'unknown', {...fields, observed: '', reason: finding.observed, error});
  });
}

/** The fields of a row that do not come from its check. */
type RowFields = Partial<Omit<Finding, 'fix'> & Pick<Row, 'fix' | 'reason' | 'error'>>;

function judgedRow(check: Check, {cluster, peer}: Target, result: RowResult, fields: RowFields): JudgedRow {
  const row: Row = defined({
    id: check.id,
    title: check.title,
    severity: fields.severity ?? check.severity,
    scope: check.scope,
    cluster: cluster?.name,
    peer: peer?.name,
    result,
    observed: fields.observed ?? '',
    expected: fields.expected ?? '',
    kind: fields.kind === undefined ? undefined : new FindingKind(fields.kind),
    vantage: check.vantage,
    fix: fields.fix ?? '',
    note: fields.note,
    reason: fields.reason,
    error: fields.error,
  });
  const {explains} = check;
  return defined({
    row,
    implies: fields.implies ?? check.implies,
    clusters: fields.clusters,
    explains,
    causes: fields.causes,
  });
}

/** The clusters with an unknown fact that a check of the mesh requires; undefined if a fact of the mesh itself is unknown. */
function clustersWithUnknowns({requires}: Check, {facts, clusters}: Evidence): readonly string[] | undefined {
  if (requires.some((key) => isMeshFact(key) && resolveFact(facts[key], key).unknown.length > 0)) return undefined;
  return clusters
    .filter((one) => requires.some((key) => !isMeshFact(key) && resolveFact(one.facts[key], key).unknown.length > 0))
    .map(({cluster}) => cluster.name);
}

function distinct(errors: readonly ErrorReport[]): readonly ErrorReport[] {
  return errors.filter(
    (error, index) =>
      errors.findIndex((other) => other.code === error.code && other.message === error.message) === index,
  );
}

/**
 * Sets the cause of rows that are consequences: a check that is not ok, implies this one, and is about the same cluster.
 * An unknown cause explains only unknown rows, a warning only warnings. Of several causes, the first in order that is not a
 * consequence itself.
 */
function markConsequences(all: readonly JudgedRow[]): readonly Row[] {
  const bad = all.filter(({row: {result}}) => result !== 'ok' && result !== 'skipped');
  const candidates = bad.filter(({implies}) => implies.length > 0);
  // With many clusters most rows are about pairs, and these explain only rows about the same pair.
  const ofPairs = groupBy(
    candidates.filter(({row: {peer}}) => peer !== undefined),
    ({row}) => pairOf(row),
  );
  const others = candidates.filter(({row: {peer}}) => peer === undefined);
  const causes = new Map(
    bad.map((one) => {
      const possible = [...others, ...(ofPairs.get(pairOf(one.row)) ?? [])];
      return [one, possible.filter((candidate) => explains(candidate, one))];
    }),
  );
  return all.map((one) => {
    const own = causes.get(one) ?? [];
    const cause = own.find((other) => causes.get(other)?.length === 0) ?? own[0];
    return cause ? {...one.row, impliedBy: cause.row.id} : one.row;
  });
}

function pairOf({cluster = '', peer = ''}: Row): string {
  return `${cluster} ${peer}`;
}

function explains(cause: JudgedRow, {row, causes}: JudgedRow): boolean {
  return (
    concerns(cause, row) &&
    (causes === undefined || causes.some((id) => matches(cause.row.id, id))) &&
    cause.row.id !== row.id &&
    (cause.row.result === 'error' || cause.row.result === row.result) &&
    cause.implies.some((id) => matches(row.id, id))
  );
}

/** Whether a cause and a row are about the same cluster, or pair. */
function concerns({row: cause, clusters, explains: only}: JudgedRow, {cluster, peer}: Row): boolean {
  if (cause.peer !== undefined) return cause.cluster === cluster && cause.peer === peer;
  const affected = cause.cluster === undefined ? clusters : [cause.cluster];
  if (affected === undefined || cluster === undefined) return true;
  if (only === 'requests to it' && peer !== undefined) return affected.includes(peer);
  return affected.includes(cluster) || (peer !== undefined && affected.includes(peer));
}
