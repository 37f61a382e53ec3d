/** The plan of `link`: one reader first, proven there, then the others; before each, the reader Secrets in its peers. Pure. */
import {decidePair, type PairError} from '../../domain/discovery/decide-link.js';
import type {PairFacts} from '../../domain/discovery/link-input.js';
import type {DiscoveryPair} from '../../domain/discovery/pairs.js';
import type {ErrorCode, ErrorReport} from '../../domain/errors.js';
import {some} from '../../domain/format.js';
import {groupBy} from '../../domain/group-by.js';
import {type Feature, hasFeature} from '../../domain/istio/features.js';
import {uidsToRecord} from '../../domain/mesh/identity.js';
import {isKnown} from '../../domain/observed.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import {asWarnings, type Blocker, groupOfLanes, type Plan, type Warning} from '../../engine/operation.js';
import {declareGroups} from '../shared/load-mesh.js';
import {readerLanes, readerSecretLanes, supersededLanes} from './link-actions.js';
import {
  type DecidedPair,
  type LinkFacts,
  type LinkRules,
  pairKey,
  observed,
  uidsOf,
  unusableClusters,
} from './link-facts.js';
import {renewalOnly, withheldWarning} from './renew-only.js';

/** The plan with its decisions. */
export interface LinkPlan extends Plan {
  readonly decided: readonly DecidedPair[];
}

/** Plans the links. */
export function planLink(facts: LinkFacts, rules: LinkRules): LinkPlan {
  const {loaded, states, named} = facts;
  const uids = uidsOf(states);
  const unusable = unusableClusters(loaded, states, rules);
  const decided = facts.pairs.map((pair) => {
    const one = decideOne(pair, facts, unusable, rules);
    return withWaiting(rules.renewOnly === true ? renewalOnly(one) : one, named);
  });
  const ready = decided.filter(({errors, waits}) => errors.length === 0 && !waits);
  const blockers = blockersOf(decided, unusable);
  const blocked = new Set(blockers.filter(({isPartial}) => !isPartial).map(({cluster}) => cluster));
  const recorded = uids.filter(({name}) => !unusable.has(name) && !blocked.has(name));
  const [first, ...others] = [...groupBy(ready, ({pair}) => pair.reader.name).values()]
    .map((pairs) => ({pairs, lanes: readerLanes(pairs, facts, rules)}))
    .filter(({lanes}) => lanes.length > 0);
  const secretsFor = (readers: typeof others) =>
    readerSecretLanes(
      readers.flatMap(({pairs}) => pairs),
      facts,
    );
  return {
    decided,
    groups: [
      ...declareGroups(loaded, {uids: uidsToRecord(loaded.mesh, recorded)}),
      ...groupOfLanes(secretsFor(first ? [first] : [])),
      ...groupOfLanes(first?.lanes ?? []),
      ...groupOfLanes(secretsFor(others)),
      ...groupOfLanes(others.flatMap(({lanes}) => lanes)),
      ...groupOfLanes(supersededLanes(ready, facts)),
    ],
    blockers,
    warnings: [
      ...asWarnings(loaded.notes),
      ...waitingWarnings(decided, named),
      ...silentWarnings(ready, facts),
      ...unreadyWarnings(ready),
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
  const {discovery, clusters, istio} = mesh;
  return {pair, ...decidePair(facts, {namespace: istio.namespace, token: discovery.token, clusters}, rules)};
}

/** What a cluster lacks before Istio is installed there; every other error is one of the pair. */
const notReady: readonly ErrorCode[] = ['NO_ISTIOD', 'READER_MISSING'];

/** Marks a pair whose other cluster was not named and only lacks Istio. */
function withWaiting(decided: DecidedPair, named: readonly string[]): DecidedPair {
  const errors = decided.errors.filter(({cluster, error}) => named.includes(cluster) || !notReady.includes(error.code));
  if (errors.length > 0) return {...decided, errors};
  return decided.errors.length > 0 ? {...decided, waits: true} : decided;
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
    const versions = istiods && isKnown(istiods) ? istiods.value.map(({version}) => version) : [];
    const lacks = (feature: Feature) => versions.find(({version}) => !hasFeature(version, feature));
    const [silent, vague] = [lacks('clusterz'), lacks('clusterzReportsTimeout')];
    const what = silent
      ? `istiod ${silent.text} does not report which clusters it has read`
      : vague && `istiod ${vague.text} also reports clusters as synced that it could not read`;
    return what === undefined ? [] : [{cluster, message: `${what}, so this is not verified`}];
  });
}

/** What is not proven, because a pod is not ready. */
function unreadyWarnings(ready: readonly DecidedPair[]): readonly Warning[] {
  return [...groupBy(ready, ({pair}) => pair.reader.name)].flatMap(([cluster, pairs]): readonly Warning[] => {
    const pods = [...new Set(pairs.flatMap(({decision}) => decision?.unproven ?? []))];
    if (pods.length === 0) return [];
    const what = pods.length === 1 ? `istiod pod ${pods.join('')} is` : `istiod pods ${some(pods)} are`;
    return [{cluster, message: `${what} not ready: which clusters it reads is not verified`}];
  });
}

/** An unusable cluster is blocked as a whole; other errors block only the pairs that have them. */
function blockersOf(decided: readonly DecidedPair[], unusable: ReadonlyMap<string, ErrorReport>): readonly Blocker[] {
  const whole = [...unusable].map(([cluster, error]) => ({cluster, error}));
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
