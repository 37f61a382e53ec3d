/** Reads the endpoints of istiods again where the first answers of two clusters differ. */
import {missingServices} from '../../domain/discovery/missing-services.js';
import {discoveryPairs} from '../../domain/discovery/pairs.js';
import {type ClusterEndpoints, type ClusterFactValues, type IstiodDiscovery, PerPod} from '../../domain/facts/facts.js';
import {endpointsIn, endpointShardzPath, readEndpointShardz} from '../../domain/facts/read/endpoint-shardz.js';
import {memoizePerObject} from '../../domain/memoize.js';
import {istioNameOf} from '../../domain/mesh/istio-name.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {isKnown} from '../../domain/observed.js';
import {debugLimits} from '../../engine/istiod-debug.js';
import type {FactSources, ObservedCluster} from '../fact-sources.js';
import {getDebug, queryAll} from './istiod.js';

/**
 * So long after the first answers the second ones are requested: the watch of another cluster usually delivers a change within a
 * second. Milliseconds.
 */
const pauseMs = 2000;

/** Reads the endpoints of this cluster's istiods again if they differ from those of a peer or a reader. */
export async function deriveEndpointsAgain(sources: FactSources): Promise<ClusterFactValues['endpointsAgain']> {
  const {deps, cluster} = sources;
  const {names, at} = await differencesIn(sources.all)(sources);
  if (!names.has(cluster.name)) return new PerPod([]);
  await deps.sleep(Math.max(0, at.getTime() + pauseMs - deps.now().getTime()));
  return queryAll(sources, async (pod) =>
    readEndpointShardz(await getDebug(pod, sources, endpointShardzPath, debugLimits.endpointShardz), pod.name),
  );
}

/** The clusters to read again, and when that became known. */
interface Differences {
  readonly names: ReadonlySet<string>;
  readonly at: Date;
}

/** Compares all pairs once for all clusters. */
const differencesIn = memoizePerObject((all: ObservedCluster['all']) => {
  let found: Promise<Differences> | undefined;
  return (sources: FactSources): Promise<Differences> => (found ??= compareAll(all, sources));
});

async function compareAll(all: ObservedCluster['all'], {mesh, deps}: FactSources): Promise<Differences> {
  const seen = new Map(
    await Promise.all(
      [...all].map(async ([name, facts]): Promise<readonly [string, readonly IstiodDiscovery[]]> => {
        const {parts} = await facts.fact('istiodDiscovery').catch(() => new PerPod<IstiodDiscovery>([]));
        return [name, parts.flatMap(({observed}) => (isKnown(observed) ? [observed.value] : []))];
      }),
    ),
  );
  const differing = discoveryPairs(mesh.clusters).filter(({reader, peer}) => {
    const there = (seen.get(peer.name) ?? []).map((pod) => namesOf(pod, peer));
    return (seen.get(reader.name) ?? []).some(
      (pod) =>
        pod.endpoints !== undefined &&
        missingServices({here: namesOf(pod, reader), there, found: namesOf(pod, peer)}).length > 0,
    );
  });
  return {names: new Set(differing.flatMap(({reader, peer}) => [reader.name, peer.name])), at: deps.now()};
}

const none: ReadonlySet<string> = new Set();
const noEndpoints: readonly ClusterEndpoints[] = [];

function namesOf({endpoints = noEndpoints}: IstiodDiscovery, cluster: MeshCluster): ReadonlySet<string> {
  return endpointsIn(endpoints, istioNameOf(cluster))?.names ?? none;
}
