/** The plan of `link`: reader Secrets first, then one reader, proven there, then the others. Pure. */
import {decidePair, type PairError, type PairFacts} from '../../domain/discovery/decide-link.js';
import type {DiscoveryPair} from '../../domain/discovery/pairs.js';
import type {ErrorReport} from '../../domain/errors.js';
import {groupBy} from '../../domain/group-by.js';
import {hasFeature} from '../../domain/istio/features.js';
import {identityProblems, uidsToRecord, type ClusterUid} from '../../domain/mesh/identity.js';
import {isKnown} from '../../domain/observed.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import {asWarnings, type Blocker, groupOfLanes, type Plan, type Warning} from '../../engine/operation.js';
import {declareGroups} from '../shared/load-mesh.js';
import {readerLanes, readerSecretLanes} from './link-actions.js';
import {type DecidedPair, type LinkFacts, type LinkRules, observed, pairKey} from './link-facts.js';
import {renewalOnly, withheldWarning} from './renew-only.js';

/** The plan with its decisions. */
export interface LinkPlan extends Plan {
  readonly decided: readonly DecidedPair[];
}

/** Plans the links. */
export function planLink(facts: LinkFacts, rules: LinkRules): LinkPlan {
  const {loaded, states, named} = facts;
  const uids = states.flatMap(({cluster, seen}): readonly ClusterUid[] =>
    isKnown(seen) && isKnown(seen.value.uid) ? [{name: cluster.name, uid: seen.value.uid.value}] : [],
  );
  const unusable = new Map<string, ErrorReport>([
    ...states.flatMap(({cluster, seen}) => {
      const error = isKnown(seen) ? (isKnown(seen.value.uid) ? undefined : seen.value.uid.unknown) : seen.unknown;
      return error ? [[cluster.name, error] as const] : [];
    }),
    ...identityProblems(loaded.mesh, uids, rules.acceptUid).map(({cluster, error}) => [cluster, error] as const),
  ]);
  const decided = facts.pairs.map((pair) => {
    const one = decideOne(pair, facts, unusable, rules);
    return withWaiting(rules.renewOnly === true ? renewalOnly(one, facts) : one, named);
  });
  const ready = decided.filter(({errors, waits}) => errors.length === 0 && !waits);
  const blockers = blockersOf(decided, unusable, named);
  const blocked = new Set(blockers.filter(({isPartial}) => !isPartial).map(({cluster}) => cluster));
  const recorded = uids.filter(({name}) => !unusable.has(name) && !blocked.has(name));
  const readers = [...groupBy(ready, ({pair}) => pair.reader.name).values()];
  const [first = [], ...others] = readers
    .map((pairs) => readerLanes(pairs, facts, rules))
    .filter((lanes) => lanes.length > 0);
  return {
    decided,
    groups: [
      ...declareGroups(loaded, {uids: uidsToRecord(loaded.mesh, recorded)}),
      ...groupOfLanes(readerSecretLanes(ready, facts)),
      ...groupOfLanes(first),
      ...groupOfLanes(others.flat()),
    ],
    blockers,
    warnings: [
      ...asWarnings(loaded.notes),
      ...waitingWarnings(decided, named),
      ...silentWarnings(ready, facts),
      ...withheldWarning(decided),
    ],
  };
}

function decideOne(
  pair: DiscoveryPair,
  {loaded: {mesh}, states, reviews}: LinkFacts,
  unusable: ReadonlyMap<string, ErrorReport>,
  rules: LinkRules,
): DecidedPair {
  const errors = [pair.reader, pair.peer].flatMap(({name: cluster}): readonly PairError[] => {
    const error = unusable.get(cluster);
    return error ? [{cluster, error}] : [];
  });
  const [reader, peer] = [observed(pair.reader.name, states), observed(pair.peer.name, states)];
  if (errors.length > 0 || !reader || !peer) return {pair, errors};
  const facts: PairFacts = {pair, reader, peer, reviews: reviews.get(pairKey(pair)) ?? new Map()};
  const {token} = mesh.discovery;
  return {pair, ...decidePair(facts, {namespace: mesh.istio.namespace, token}, rules)};
}

/** Marks a pair whose other cluster was not named and is not ready. */
function withWaiting(decided: DecidedPair, named: readonly string[]): DecidedPair {
  const {errors} = decided;
  const waits = errors.some(({cluster}) => !named.includes(cluster));
  return waits ? {...decided, waits} : decided;
}

/** The cluster for which a pair waits. */
function otherOf({reader, peer}: DiscoveryPair, named: readonly string[]): string {
  return named.includes(reader.name) ? peer.name : reader.name;
}

function waitingWarnings(decided: readonly DecidedPair[], named: readonly string[]): readonly Warning[] {
  const waiting = decided.filter(({waits}) => waits);
  return [...groupBy(waiting, ({pair}) => otherOf(pair, named))].map(([cluster, pairs]) => {
    const reason = pairs[0].errors.find((one) => one.cluster === cluster)?.error.message ?? '';
    return {
      cluster,
      message: advice`not linked yet: ${reason}; when it is ready, run: ${kubectlMesh('link', [cluster])}`,
    };
  });
}

/** What is not proven, because the reader's version of istiod does not report it. */
function silentWarnings(ready: readonly DecidedPair[], {states}: LinkFacts): readonly Warning[] {
  const changing = ready.filter(({decision}) => decision && decision.kind !== 'unchanged');
  return [...new Set(changing.map(({pair}) => pair.reader.name))].flatMap((cluster): readonly Warning[] => {
    const istiods = observed(cluster, states)?.istiods;
    const silent =
      istiods && isKnown(istiods) ? istiods.value.filter((one) => !hasFeature(one.version.version, 'clusterz')) : [];
    return silent.slice(0, 1).map(({version}) => ({
      cluster,
      message: `istiod ${version.text} does not report which clusters it has read, so this is not verified`,
    }));
  });
}

/** An unusable cluster is blocked as a whole; other errors block only the pairs that have them. */
function blockersOf(
  decided: readonly DecidedPair[],
  unusable: ReadonlyMap<string, ErrorReport>,
  named: readonly string[],
): readonly Blocker[] {
  const whole = [...unusable].flatMap(([cluster, error]) => (named.includes(cluster) ? [{cluster, error}] : []));
  const seen = new Set<string>();
  const partial = decided.flatMap(({errors, waits}) =>
    waits
      ? []
      : errors.flatMap(({cluster, error}): readonly Blocker[] => {
          const key = `${cluster} ${error.code} ${error.message}`;
          if (unusable.has(cluster) || seen.has(key)) return [];
          seen.add(key);
          return [{cluster, error, isPartial: true}];
        }),
  );
  return [...whole, ...partial];
}
