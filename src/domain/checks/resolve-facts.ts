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
  const sides = {self: () => resolveAbout(peer, self, key), peer: () => resolveAbout(self, peer, key)};
  if (side !== undefined) {
    const {value, ...rest} = sides[side]();
    return value === undefined ? rest : {...rest, value: oneSided(side, value)};
  }
  const [own, ofPeer] = [sides.self(), sides.peer()];
  const omitted = own.omitted ?? ofPeer.omitted;
  if (omitted !== undefined) return {unknown: [], omitted};
  const unknown = [...own.unknown, ...ofPeer.unknown];
  if (own.value === undefined || ofPeer.value === undefined) return {unknown};
  return {value: {self: own.value, peer: ofPeer.value}, unknown};
}

/** A fact of one cluster: of one with a part per other cluster, the part about this other one. */
function resolveAbout({cluster: {name}}: PairMember, {cluster, facts}: PairMember, key: ClusterFactKey): ResolvedFact {
  if (!facts) return {unknown: [], omitted: `${cluster.name} is not selected`};
  const fact = facts[key];
  if (!fact || !('value' in fact) || !(fact.value instanceof PerCluster)) return resolveFact(fact, key);
  return resolveFact(partsByName(fact.value).get(name), key);
}

/** Pairs grow with the square of the clusters. */
const partsByName = memoizePerObject(
  ({parts}: PerCluster<unknown>) => new Map(parts.map(({name, observed}) => [name, observed])),
);

/** A fact of one cluster of a pair. Reading the other cluster's, which may be unknown, is a bug of the check. */
function oneSided(side: Side, value: unknown): object {
  const other: Side = side === 'self' ? 'peer' : 'self';
  return Object.defineProperty({[side]: value}, other, {
    get: () => {
      throw new MeshError('INTERNAL', `a check reads a fact of ${other} that it does not require`);
    },
  });
}

/** One fact, without regard to the other cluster of a pair. */
export function resolveFact(fact: Fact<unknown> | undefined, key: FactKey): ResolvedFact {
  if (fact === undefined) return {unknown: [problem('INTERNAL', `the fact ${key} was not gathered`)]};
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
