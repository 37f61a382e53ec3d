/** Resolves the facts of a check: the values that it gets, what is unknown, and what was omitted. */
import {type ErrorReport, MeshError, problem} from '../errors.js';
import {PerCluster, PerPod, type ClusterFactKey, type Evidence, type Fact, type FactKey} from '../facts/facts.js';
import {memoizePerObject} from '../memoize.js';
import type {Side} from './check.js';

/** A fact of a check: the value that the check gets, and the errors of what is unknown. */
export interface ResolvedFact {
  readonly value?: unknown;
  readonly unknown: readonly ErrorReport[];
  readonly omitted?: string;
}

/** A fact of all clusters, for a check of the mesh. */
export function resolveForMesh(key: ClusterFactKey, {clusters}: Evidence): ResolvedFact {
  const resolved = clusters.map(({cluster, facts}) => ({cluster, ...resolveFact(facts[key], key)}));
  const gathered = resolved.filter(({omitted}) => omitted === undefined);
  const [first] = resolved;
  if (gathered.length === 0 && first?.omitted !== undefined) return {unknown: [], omitted: first.omitted};
  return {
    value: gathered.filter(({value}) => value !== undefined).map(({cluster, value}) => ({cluster, value})),
    unknown: gathered.flatMap(({unknown}) => unknown),
  };
}

/** A cluster of a pair, with its facts; absent if it was not selected. */
export interface PairMember extends Pick<Evidence['clusters'][number], 'cluster'> {
  readonly facts?: Evidence['clusters'][number]['facts'];
}

/** A fact of the clusters of a pair: of both, or of the side that the check requires. */
export function resolveForPair(
  key: ClusterFactKey,
  side: Side | undefined,
  self: PairMember,
  peer: PairMember,
): ResolvedFact {
  if (side !== undefined)
    return side === 'self' ? resolveSide(side, peer, self, key) : resolveSide(side, self, peer, key);
  const [own, ofPeer] = [resolveAbout(peer, self, key), resolveAbout(self, peer, key)];
  const omitted = own.omitted ?? ofPeer.omitted;
  if (omitted !== undefined) return {unknown: [], omitted};
  const unknown = [...own.unknown, ...ofPeer.unknown];
  if (own.value === undefined || ofPeer.value === undefined) return {unknown};
  return {value: {self: own.value, peer: ofPeer.value}, unknown};
}

/** A fact of one side of a pair. */
function resolveSide(side: Side, about: PairMember, of: PairMember, key: ClusterFactKey): ResolvedFact {
  const fact = of.facts?.[key];
  if (!fact || isPerCluster(fact)) return onSide[side](resolveAbout(about, of, key));
  return wholeOnSide[side](fact);
}

/** A fact of one cluster: of one with a part per other cluster, the part about this other one. */
function resolveAbout({cluster: {name}}: PairMember, {cluster, facts}: PairMember, key: ClusterFactKey): ResolvedFact {
  if (!facts) return {unknown: [], omitted: `${cluster.name} is not selected`};
  const fact = facts[key];
  return resolveFact(fact && isPerCluster(fact) ? fact.value.about(name) : fact, key);
}

function isPerCluster(fact: Fact<unknown>): fact is {readonly value: PerCluster<unknown>} {
  return 'value' in fact && fact.value instanceof PerCluster;
}

/** A fact of one cluster of a pair. Reading the other cluster's, which may be unknown, is a bug of the check. */
class OnlySelf {
  constructor(readonly self: unknown) {}

  get peer(): never {
    throw unrequired('peer');
  }
}

/** The same of the other one. */
class OnlyPeer {
  constructor(readonly peer: unknown) {}

  get self(): never {
    throw unrequired('self');
  }
}

function unrequired(side: Side): MeshError {
  return new MeshError('INTERNAL', `a check reads a fact of ${side} that it does not require`);
}

const onSide: Readonly<Record<Side, (resolved: ResolvedFact) => ResolvedFact>> = {
  self: ({value, ...rest}) => (value === undefined ? rest : {...rest, value: new OnlySelf(value)}),
  peer: ({value, ...rest}) => (value === undefined ? rest : {...rest, value: new OnlyPeer(value)}),
};

/** A fact that is the same for all pairs of its cluster: pairs grow with the square of the clusters. */
const wholeOnSide: Readonly<Record<Side, (fact: Fact<unknown>) => ResolvedFact>> = {
  self: memoizePerObject((fact) => onSide.self(resolveGathered(fact))),
  peer: memoizePerObject((fact) => onSide.peer(resolveGathered(fact))),
};

/** One fact, without regard to the other cluster of a pair. */
export function resolveFact(fact: Fact<unknown> | undefined, key: FactKey): ResolvedFact {
  if (fact === undefined) return {unknown: [problem('INTERNAL', `the fact ${key} was not gathered`)]};
  return resolveGathered(fact);
}

function resolveGathered(fact: Fact<unknown>): ResolvedFact {
  if ('omitted' in fact) return {unknown: [], omitted: fact.omitted};
  if ('unknown' in fact) return {unknown: [fact.unknown]};
  if (!(fact.value instanceof PerPod)) return {value: fact.value, unknown: []};
  return resolvedParts(fact.value);
}

/** The same for every pair of a cluster. */
const resolvedParts = memoizePerObject(({parts}: PerPod<unknown>): ResolvedFact => ({
  value: parts.flatMap(({name, observed}) => ('value' in observed ? [{name, value: observed.value}] : [])),
  unknown: parts.flatMap(({observed}) => ('unknown' in observed ? [observed.unknown] : [])),
}));
