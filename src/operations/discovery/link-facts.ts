/** The input of the plan of `link`, and its decisions. */
import type {PairDecision, PairError} from '../../domain/discovery/decide-link.js';
import type {LinkRules as PairRules} from '../../domain/discovery/link-input.js';
import type {DiscoveryObservation} from '../../domain/discovery/observation.js';
import type {DiscoveryPair} from '../../domain/discovery/pairs.js';
import type {TokenVerdict} from '../../domain/discovery/token.js';
import type {ErrorReport} from '../../domain/errors.js';
import {identityProblems, knownUids, type ClusterUid} from '../../domain/mesh/identity.js';
import {isKnown, type Observed} from '../../domain/observed.js';
import type {DiscoveryState} from '../../observe/discovery-state.js';
import type {LoadedMesh} from '../shared/load-mesh.js';

/** The flags that decide what is refused. */
export interface LinkRules extends PairRules {
  /** Accept tokens with a lifetime below seven days. */
  readonly acceptShortTokens: boolean;
  readonly acceptUid: boolean;
  /** Only renew tokens in existing remote secrets. */
  readonly renewOnly?: boolean;
}

/** The input of the plan. */
export interface LinkFacts {
  readonly loaded: LoadedMesh;
  /** The pairs to link. */
  readonly pairs: readonly DiscoveryPair[];
  /** Both clusters of every pair, each once. */
  readonly states: readonly DiscoveryState[];
  /** The clusters given on the command line, or all: a pair with another one waits until Istio is installed there. */
  readonly named: readonly string[];
  /** The verdicts on tokens in remote secrets, by {@link pairKey} and Secret. */
  readonly reviews: ReadonlyMap<string, ReadonlyMap<string, Observed<TokenVerdict>>>;
}

/** Identifies a pair. */
export function pairKey({reader, peer}: DiscoveryPair): string {
  return `${reader.name} ${peer.name}`;
}

/** A pair with its decision, or why there is none. */
export interface DecidedPair {
  readonly pair: DiscoveryPair;
  readonly decision?: PairDecision;
  readonly errors: readonly PairError[];
  /** Why its token is not renewed with `--renew-only`: the pair needs another change. */
  readonly finding?: string;
  /** Istio is not installed yet in its other cluster, which was not named. */
  readonly waits?: true;
}

/** Returns what was observed of a cluster; undefined if nothing was. */
export function observed(name: string, states: readonly DiscoveryState[]): DiscoveryObservation | undefined {
  const state = states.find(({cluster}) => cluster.name === name);
  return state && isKnown(state.seen) ? state.seen.value : undefined;
}

/** Returns the UIDs of the clusters, as far as they were read. */
export function uidsOf(states: readonly DiscoveryState[]): readonly ClusterUid[] {
  return knownUids(states.map(({cluster}) => ({cluster, seen: observed(cluster.name, states)})));
}

/**
 * Returns, by cluster, why it can be neither read nor written: it was not observed, or its context points to another cluster,
 * which must not get the tokens for this one.
 */
export function unusableClusters(
  {mesh}: Pick<LoadedMesh, 'mesh'>,
  states: readonly DiscoveryState[],
  {acceptUid}: Pick<LinkRules, 'acceptUid'>,
): ReadonlyMap<string, ErrorReport> {
  return new Map([
    ...states.flatMap(({cluster, seen}) => {
      const error = isKnown(seen) ? (isKnown(seen.value.uid) ? undefined : seen.value.uid.unknown) : seen.unknown;
      return error ? [[cluster.name, error] as const] : [];
    }),
    ...identityProblems(mesh, uidsOf(states), acceptUid).map(({cluster, error}) => [cluster, error] as const),
  ]);
}
