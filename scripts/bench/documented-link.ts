/**
 * The alternative to link: the commands of Istio's guide, one after another for each pair of clusters
 * (https://istio.io/latest/docs/setup/install/multicluster/multi-primary/, "Enable Endpoint Discovery").
 */
import {sum} from './statistics.js';
import type {Sandbox} from './sandbox.js';

/** A cluster: its name in Istio and its context. */
export interface NamedContext {
  readonly name: string;
  readonly context: string;
}

/** One direction: the reader gets the remote secret of the peer. */
export interface DocumentedPair {
  readonly peer: NamedContext;
  readonly reader: NamedContext;
}

const command = 'istioctl create-remote-secret --context="$1" --name="$2" | kubectl apply -f - --context="$3"';

/** Programs that the guide starts for each pair. */
export const programsPerPair = 2;

/** Every ordered pair, in the guide's order: the secrets of the first cluster, then those of the second one. */
export function documentedPairs(clusters: readonly NamedContext[]): readonly DocumentedPair[] {
  return clusters.flatMap((peer) => clusters.filter((reader) => reader !== peer).map((reader) => ({peer, reader})));
}

/** Runs the guide's command line for one pair. Returns its duration in milliseconds; throws `BenchError` when it fails. */
export async function linkAsDocumented(
  sandbox: Sandbox,
  {peer, reader}: DocumentedPair,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  const args = ['-o', 'pipefail', '-c', command, 'bash', peer.context, peer.name, reader.context];
  return (await sandbox.run({file: 'bash', args, env})).ms;
}

/** Durations of pairs. The first pair of a peer also creates its token Secret. Milliseconds. */
export interface PairTimes {
  readonly first: readonly number[];
  readonly later: readonly number[];
}

/** Runs the guide's command line for each pair, one after another. */
export async function timePairs(
  sandbox: Sandbox,
  pairs: readonly DocumentedPair[],
  env: NodeJS.ProcessEnv,
): Promise<PairTimes> {
  const times: {readonly first: number[]; readonly later: number[]} = {first: [], later: []};
  const known = new Set<string>();
  for (const pair of pairs) {
    const ms = await linkAsDocumented(sandbox, pair, env);
    (known.has(pair.peer.name) ? times.later : times.first).push(ms);
    known.add(pair.peer.name);
  }
  return times;
}

/** The duration for all pairs of so many clusters, from the means of those that were measured. Milliseconds. */
export function timeOfAllPairs({first, later}: PairTimes, clusters: number): number {
  const mean = (values: readonly number[]): number => (values.length === 0 ? 0 : sum(values) / values.length);
  return clusters * (mean(first) + (clusters - 2) * mean(later));
}

/** So many of the items, evenly spread. */
export function evenly<T>(items: readonly T[], count: number): readonly T[] {
  const chosen = Math.min(count, items.length);
  return items.filter(
    (_, index) => Math.floor((index * chosen) / items.length) !== Math.floor(((index - 1) * chosen) / items.length),
  );
}
