/**
 * Turns evidence into rows. The judge, not the check, answers unknown where a needed fact is unknown and skipped where
 * it was left out, so that no check can call healthy what nobody saw.
 */
import {defined} from '../defined.js';
import {type ErrorReport, MeshError, reportError} from '../errors.js';
import type {MeshCluster} from '../mesh/mesh.js';
import {firstCommand} from '../suggest/advice.js';
import {outOfPlace} from './applies.js';
import type {Check, Finding, Judgement, OfPair, Side} from './check.js';
import {
  isMeshFact,
  Parts,
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
        judgeTarget(check, {cluster}, evidence, (key) => lookCluster(key, facts, evidence)),
      );
    case 'pair':
      return clusters.flatMap((self) =>
        clusters
          .filter((peer) => peer !== self)
          .flatMap((peer) =>
            judgeTarget(check, {cluster: self.cluster, peer: peer.cluster}, evidence, (key) =>
              lookPair(key, check.sides?.[key], self.facts, peer.facts, evidence),
            ),
          ),
      );
  }
}

function judgeTarget(
  check: Check,
  target: Target,
  evidence: Evidence,
  look: (key: FactKey) => Look,
): readonly Judged[] {
  const reason = outOfPlace(check, evidence.mesh);
  if (reason !== undefined) return [judged(check, row(check, target, 'skipped', {reason}))];
  const looks = check.needs.map((key) => ({key, ...look(key)}));
  const leftOut = looks.find((one) => one.leftOut !== undefined)?.leftOut;
  if (leftOut !== undefined) return [judged(check, row(check, target, 'skipped', {reason: leftOut}))];
  const blind = check.scope === 'mesh' ? clustersUnseen(check, evidence) : undefined;
  const missing = distinct(looks.flatMap((one) => one.unknown)).map((error) =>
    judged(check, unknownRow(check, target, error), defined({clusters: blind})),
  );
  // A fact without any known value cannot be judged; of a fact with parts, the known parts can.
  if (looks.some((one) => one.unknown.length > 0 && one.value === undefined)) return missing;
  const helpful = (check.uses ?? [])
    .map((key) => [key, look(key).value] as const)
    .filter(([, value]) => value !== undefined);
  const facts = Object.fromEntries([...looks.map((one) => [one.key, one.value] as const), ...helpful]);
  const {now, mesh} = evidence;
  const subject = {now, mesh, ...target};
  // The one place where a check's erased types are given back: `needs` and `scope` made both arguments.
  const judgement = check.judge(facts as never, subject as never);
  const rows = rowsOf(check, target, judgement);
  // "All is well" or "does not apply" cannot be said while parts are unknown; findings stand.
  return missing.length > 0
    ? [...rows.filter(({row: {result}}) => result === 'error' || result === 'warning'), ...missing]
    : rows;
}

function rowsOf(check: Check, target: Target, judgement: Judgement): readonly Judged[] {
  if ('ok' in judgement) {
    return [judged(check, row(check, target, 'ok', {observed: judgement.ok, expected: judgement.expected}))];
  }
  if ('skipped' in judgement) return [judged(check, row(check, target, 'skipped', {reason: judgement.skipped}))];
  return judgement.findings.map((finding) =>
    judged(check, row(check, target, finding.severity ?? check.severity, finding), finding),
  );
}

function judged({implies}: Check, one: Row, finding: Pick<Finding, 'implies' | 'clusters'> = {}): Judged {
  return defined({row: one, implies: finding.implies ?? implies, clusters: finding.clusters});
}

/** The clusters of which something that a check of the mesh needs is unknown; undefined where that is about none of them. */
function clustersUnseen({needs}: Check, {facts, clusters}: Evidence): readonly string[] | undefined {
  if (needs.some((key) => isMeshFact(key) && lookFact(facts[key], key).unknown.length > 0)) return undefined;
  return clusters
    .filter((one) => needs.some((key) => !isMeshFact(key) && lookFact(one.facts[key], key).unknown.length > 0))
    .map(({cluster}) => cluster.name);
}

/** The error's hints say what to do: by a command where one of them has one. */
function unknownRow(check: Check, target: Target, error: ErrorReport): Row {
  const text = error.hints.find((hint) => typeof hint === 'string');
  const fix = firstCommand(error.hints) ?? text ?? '';
  return {...row(check, target, 'unknown', {}), fix, reason: error.message, error};
}

function row(
  check: Check,
  {cluster, peer}: Target,
  result: RowResult,
  said: Partial<Finding> & {readonly reason?: string},
): Row {
  return defined({
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
  });
}

function lookMesh(key: FactKey, evidence: Evidence): Look {
  if (isMeshFact(key)) return lookFact(evidence.facts[key], key);
  const looks = evidence.clusters.map(({cluster, facts}) => ({cluster, ...lookFact(facts[key], key)}));
  const asked = looks.filter((one) => one.leftOut === undefined);
  const [first] = looks;
  if (asked.length === 0 && first?.leftOut !== undefined) return {unknown: [], leftOut: first.leftOut};
  return {
    value: asked.filter((one) => one.value !== undefined).map(({cluster, value}) => ({cluster, value})),
    unknown: asked.flatMap((one) => one.unknown),
  };
}

function lookCluster(key: FactKey, facts: Facts<ClusterFactValues>, evidence: Evidence): Look {
  return isMeshFact(key) ? lookFact(evidence.facts[key], key) : lookFact(facts[key], key);
}

function lookPair(
  key: FactKey,
  side: Side | undefined,
  self: Facts<ClusterFactValues>,
  peer: Facts<ClusterFactValues>,
  evidence: Evidence,
): Look {
  if (isMeshFact(key)) return lookFact(evidence.facts[key], key);
  if (side !== undefined) {
    const {value, ...rest} = lookFact(side === 'self' ? self[key] : peer[key], key);
    return defined({...rest, value: value === undefined ? undefined : new OneSided(side, value)});
  }
  const [mine, theirs] = [lookFact(self[key], key), lookFact(peer[key], key)];
  const leftOut = mine.leftOut ?? theirs.leftOut;
  if (leftOut !== undefined) return {unknown: [], leftOut};
  const unknown = [...mine.unknown, ...theirs.unknown];
  if (mine.value === undefined || theirs.value === undefined) return {unknown};
  return {value: {self: mine.value, peer: theirs.value}, unknown};
}

/** A fact of one cluster of a pair: looking at the other's, about which nothing may be known, is a bug of a check. */
class OneSided implements OfPair<unknown> {
  constructor(
    private readonly side: Side,
    private readonly value: unknown,
  ) {}

  get self(): unknown {
    return this.#of('self');
  }

  get peer(): unknown {
    return this.#of('peer');
  }

  #of(side: Side): unknown {
    if (side !== this.side) throw new MeshError('INTERNAL', `a check looks at a fact of ${side} without needing it`);
    return this.value;
  }
}

function lookFact(fact: Fact<unknown> | undefined, key: FactKey): Look {
  if (fact === undefined) {
    return {unknown: [reportError(new MeshError('INTERNAL', `the fact ${key} was not gathered`))]};
  }
  if ('leftOut' in fact) return {unknown: [], leftOut: fact.leftOut};
  if ('unknown' in fact) return {unknown: [fact.unknown]};
  if (!(fact.value instanceof Parts)) return {value: fact.value, unknown: []};
  const parts: Parts<unknown>['parts'] = fact.value.parts;
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
  const isBad = ({row: {result}}: Judged): boolean => result !== 'ok' && result !== 'skipped';
  // Of many clusters the rows of pairs are by far the most, and they imply nothing.
  const candidates = all.filter((one) => one.implies.length > 0 && isBad(one));
  const found = new Map<Judged, readonly Judged[]>();
  const causesOf = (one: Judged): readonly Judged[] => {
    const before = found.get(one);
    if (before) return before;
    const causes = isBad(one) ? candidates.filter((candidate) => explains(candidate, one.row)) : [];
    found.set(one, causes);
    return causes;
  };
  return all.map((one) => {
    const causes = causesOf(one);
    const cause = causes.find((other) => causesOf(other).length === 0) ?? causes[0];
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
