/**
 * Turns evidence into rows. The judge, not the check, answers unknown where a needed fact is unknown and skipped where
 * it was left out, so that no check can call healthy what nobody saw.
 */
import {defined} from '../defined.js';
import {type ErrorReport, MeshError, problem} from '../errors.js';
import type {MeshCluster} from '../mesh/mesh.js';
import {firstCommand} from '../suggest/suggestion.js';
import {type Check, type Finding, type Judgement, notApplicable, notApplicableReason, type Side} from './check.js';
import {
  isMeshFact,
  PerPod,
  type ClusterFactKey,
  type ClusterFactValues,
  type Evidence,
  type Fact,
  type FactKey,
  type Facts,
} from '../facts/facts.js';
import {matches} from './select.js';
import {type Report, type Row, type RowResult, verdictOf} from './report.js';

/** Judges the selected checks. Rows come in the order of the checks, then of the clusters. */
export function judge(checks: readonly Check[], evidence: Evidence): Report {
  const withCauses = markConsequences(checks.flatMap((check) => judgeCheck(check, evidence)));
  return {verdict: verdictOf(withCauses), checks: withCauses};
}

/** Whom a row is about. */
interface Target {
  readonly cluster?: MeshCluster;
  readonly peer?: MeshCluster;
}

/** A row, and which others it may be the cause of. */
interface Judged {
  readonly row: Row;
  /** Ids or prefixes. */
  readonly implies: readonly string[];
  /** For a row about the mesh: the clusters that it concerns. Absent: all. */
  readonly clusters?: readonly string[];
}

/** A needed fact after it was looked at: what the check may see of it, and what is not known. */
interface Look {
  readonly value?: unknown;
  readonly unknown: readonly ErrorReport[];
  readonly leftOut?: string;
}

function judgeCheck(check: Check, evidence: Evidence): readonly Judged[] {
  const {clusters} = evidence;
  switch (check.scope) {
    case 'mesh':
      return judgeTarget(check, {}, evidence, (key) => lookMesh(key, evidence));
    case 'cluster':
      return clusters.flatMap(({cluster, facts}) =>
        judgeTarget(check, {cluster}, evidence, (key) => lookFact(facts[key], key)),
      );
    case 'pair':
      return clusters.flatMap((self) =>
        clusters
          .filter((peer) => peer !== self)
          .flatMap((peer) =>
            judgeTarget(check, {cluster: self.cluster, peer: peer.cluster}, evidence, (key) =>
              lookPair(key, check.sides?.[key], self.facts, peer.facts),
            ),
          ),
      );
  }
}

function judgeTarget(
  check: Check,
  target: Target,
  evidence: Evidence,
  lookAtClusters: (key: ClusterFactKey) => Look,
): readonly Judged[] {
  const {now, mesh, facts} = evidence;
  const look = (key: FactKey) => ({key, ...(isMeshFact(key) ? lookFact(facts[key], key) : lookAtClusters(key))});
  const needed = check.needs.map(look);
  const reason = notApplicableReason(check, mesh) ?? needed.find(({leftOut}) => leftOut !== undefined)?.leftOut;
  if (reason !== undefined) return rowsOf(check, target, notApplicable(reason));
  const clusters = check.scope === 'mesh' ? clustersUnseen(check, evidence) : undefined;
  const missing = distinct(needed.flatMap(({unknown}) => unknown)).map((error) =>
    // The error's hints say what to do: by a command where one of them has one.
    judged(check, target, 'unknown', {
      fix: firstCommand(error.hints) ?? error.hints.find((hint) => typeof hint === 'string') ?? '',
      reason: error.message,
      error,
      clusters,
    }),
  );
  // A fact without any known value cannot be judged; of a fact with parts, the known parts can.
  if (needed.some(({unknown, value}) => unknown.length > 0 && value === undefined)) return missing;
  const helpful = (check.uses ?? []).map(look).filter(({value}) => value !== undefined);
  const seen = Object.fromEntries([...needed, ...helpful].map(({key, value}) => [key, value]));
  // The one place where a check's erased types are given back: `needs` and `scope` made both arguments.
  const rows = rowsOf(check, target, check.judge(seen as never, {now, mesh, ...target} as never));
  // "All is well" or "does not apply" cannot be said while parts are unknown; findings stand.
  return missing.length > 0
    ? [...rows.filter(({row: {result}}) => result === 'error' || result === 'warning'), ...missing]
    : rows;
}

function rowsOf(check: Check, target: Target, judgement: Judgement): readonly Judged[] {
  if ('skipped' in judgement) return [judged(check, target, 'skipped', {reason: judgement.skipped})];
  const expected = (said: {readonly expected?: string | undefined}) => said.expected ?? check.expected;
  if ('ok' in judgement) {
    return [judged(check, target, 'ok', {observed: judgement.ok, expected: expected(judgement)})];
  }
  return ('fix' in judgement ? [judgement] : judgement).map((finding) =>
    judged(check, target, finding.severity ?? check.severity, {...finding, expected: expected(finding)}),
  );
}

/** What a row says besides its check's own fields. */
type Said = Partial<Omit<Finding, 'fix'> & Pick<Row, 'fix' | 'reason' | 'error'>>;

function judged(check: Check, {cluster, peer}: Target, result: RowResult, said: Said): Judged {
  const row: Row = defined({
    id: check.id,
    title: check.title,
    severity: said.severity ?? check.severity,
    scope: check.scope,
    cluster: cluster?.name,
    peer: peer?.name,
    result,
    observed: said.observed ?? '',
    expected: said.expected ?? '',
    vantage: check.vantage,
    fix: said.fix ?? '',
    reason: said.reason,
    error: said.error,
  });
  return defined({row, implies: said.implies ?? check.implies, clusters: said.clusters});
}

/** The clusters of which something that a check of the mesh needs is unknown; undefined where that is about none of them. */
function clustersUnseen({needs}: Check, {facts, clusters}: Evidence): readonly string[] | undefined {
  if (needs.some((key) => isMeshFact(key) && lookFact(facts[key], key).unknown.length > 0)) return undefined;
  return clusters
    .filter((one) => needs.some((key) => !isMeshFact(key) && lookFact(one.facts[key], key).unknown.length > 0))
    .map(({cluster}) => cluster.name);
}

function lookMesh(key: ClusterFactKey, {clusters}: Evidence): Look {
  const looks = clusters.map(({cluster, facts}) => ({cluster, ...lookFact(facts[key], key)}));
  const asked = looks.filter(({leftOut}) => leftOut === undefined);
  const [first] = looks;
  if (asked.length === 0 && first?.leftOut !== undefined) return {unknown: [], leftOut: first.leftOut};
  return {
    value: asked.filter(({value}) => value !== undefined).map(({cluster, value}) => ({cluster, value})),
    unknown: asked.flatMap(({unknown}) => unknown),
  };
}

function lookPair(
  key: ClusterFactKey,
  side: Side | undefined,
  self: Facts<ClusterFactValues>,
  peer: Facts<ClusterFactValues>,
): Look {
  const sides = {self: () => lookFact(self[key], key), peer: () => lookFact(peer[key], key)};
  if (side !== undefined) {
    const {value, ...rest} = sides[side]();
    return value === undefined ? rest : {...rest, value: oneSided(side, value)};
  }
  const [mine, theirs] = [sides.self(), sides.peer()];
  const leftOut = mine.leftOut ?? theirs.leftOut;
  if (leftOut !== undefined) return {unknown: [], leftOut};
  const unknown = [...mine.unknown, ...theirs.unknown];
  if (mine.value === undefined || theirs.value === undefined) return {unknown};
  return {value: {self: mine.value, peer: theirs.value}, unknown};
}

/** A fact of one cluster of a pair: looking at the other's, about which nothing may be known, is a bug of a check. */
function oneSided(side: Side, value: unknown): object {
  const other: Side = side === 'self' ? 'peer' : 'self';
  return Object.defineProperty({[side]: value}, other, {
    get: () => {
      throw new MeshError('INTERNAL', `a check looks at a fact of ${other} without needing it`);
    },
  });
}

function lookFact(fact: Fact<unknown> | undefined, key: FactKey): Look {
  if (fact === undefined) return {unknown: [problem('INTERNAL', `the fact ${key} was not gathered`)]};
  if ('leftOut' in fact) return {unknown: [], leftOut: fact.leftOut};
  if ('unknown' in fact) return {unknown: [fact.unknown]};
  if (!(fact.value instanceof PerPod)) return {value: fact.value, unknown: []};
  const parts: PerPod<unknown>['parts'] = fact.value.parts;
  return {
    value: parts.flatMap(({name, seen}) => ('value' in seen ? [{name, value: seen.value}] : [])),
    unknown: parts.flatMap(({seen}) => ('unknown' in seen ? [seen.unknown] : [])),
  };
}

function distinct(errors: readonly ErrorReport[]): readonly ErrorReport[] {
  return errors.filter(
    (error, index) =>
      errors.findIndex((other) => other.code === error.code && other.message === error.message) === index,
  );
}

/**
 * Names the cause of rows that could not be ok anyway: a check that is not ok itself, declares that it implies this one,
 * and is about the same cluster. An unknown cause explains only what is unknown, a warning only warnings. Of several
 * causes it is the first, in order, that is no consequence itself.
 */
function markConsequences(all: readonly Judged[]): readonly Row[] {
  const bad = all.filter(({row: {result}}) => result !== 'ok' && result !== 'skipped');
  // Of many clusters the rows of pairs are by far the most, and they imply nothing.
  const candidates = bad.filter(({implies}) => implies.length > 0);
  const causes = new Map(bad.map((one) => [one, candidates.filter((candidate) => explains(candidate, one.row))]));
  return all.map((one) => {
    const own = causes.get(one) ?? [];
    const cause = own.find((other) => causes.get(other)?.length === 0) ?? own[0];
    return cause ? {...one.row, impliedBy: cause.row.id} : one.row;
  });
}

function explains(cause: Judged, row: Row): boolean {
  return (
    concerns(cause, row) &&
    cause.row.id !== row.id &&
    (cause.row.result === 'error' || cause.row.result === row.result) &&
    cause.implies.some((id) => matches(row.id, id))
  );
}

/** Whether a cause is about a cluster that the other row is about, too. */
function concerns({row: cause, clusters}: Judged, {cluster, peer}: Row): boolean {
  const about = cause.cluster === undefined ? clusters : [cause.cluster];
  if (about === undefined || cluster === undefined) return true;
  return about.includes(cluster) || (peer !== undefined && about.includes(peer));
}
