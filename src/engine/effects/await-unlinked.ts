import {MeshError} from '../../domain/errors.js';
import {type ClusterServices, servicesByCluster} from '../../domain/discovery/lost-endpoints.js';
import {clusterzPath, readClusterz} from '../../domain/facts/read/clusterz.js';
import {endpointShardzPath} from '../../domain/facts/read/endpoint-shardz.js';
import {readServiceShards} from '../../domain/facts/read/service-shards.js';
import {advice, fixWith, inspectWith, words} from '../../domain/suggest/suggestion.js';
import type {AwaitUnlinked} from '../discovery-action.js';
import type {Effect} from '../effect.js';
import {debugLimits} from '../istiod-debug.js';
import {type DebugPod, IstiodForwards} from '../istiod-forwards.js';
import {awaitReady} from './await.js';

/**
 * Waits until every running istiod pod has forgotten clusters (istio/istio pkg/kube/multicluster/secretcontroller.go,
 * deleteCluster: it closes its watches and drops the endpoints), and still has endpoints of the others.
 */
export const effect: Effect<'await-unlinked'> = async (action, context) => {
  const {deps} = context;
  const {cluster, namespace, timeoutMs, gone} = action;
  const api = await deps.clusters.open(action.context);
  const pods = new IstiodForwards(api, namespace, deps);
  const hints = [
    advice`check istiod's log: ${inspectWith.kubectl(action, words`-n ${namespace} logs -l app=istiod --tail=50`)}`,
    advice`if it does not stop reading, restart it: ${fixWith.kubectl(action, words`-n ${namespace} rollout restart deployment -l app=istiod`)}`,
  ];
  let states: readonly PodState[] = [];
  try {
    await awaitReady(
      context,
      {
        what: `istiod of ${cluster} has not confirmed the removal of ${gone.join(', ')}`,
        timeoutMs,
        hints,
      },
      async () => {
        try {
          states = await pods.each((pod) => stateOf(pod, action));
        } catch (thrown) {
          // A pod that was replaced meanwhile is not an error: the next one is read.
          if (!(thrown instanceof MeshError) || thrown.class !== 'unknown') throw thrown;
          return thrown.message;
        }
        return states.map(({missing}) => missing).find((one) => one !== undefined);
      },
    );
  } finally {
    await pods.close();
  }
  return {pods: states.map(({pod}) => pod), kept: fewest(states.map(({services}) => services))};
};

/** What one pod reports. */
interface PodState {
  readonly pod: string;
  readonly missing: string | undefined;
  readonly services: readonly ClusterServices[];
}

async function stateOf(pod: DebugPod, {gone, kept, listsClusters}: AwaitUnlinked): Promise<PodState> {
  const {name} = pod;
  const listed = listsClusters
    ? readClusterz(await pod.get(clusterzPath, debugLimits.clusterz), name).filter(({secretName}) => secretName !== '')
    : [];
  const shards = readServiceShards(await pod.get(endpointShardzPath, debugLimits.endpointShardz), name);
  const services = servicesByCluster(shards);
  const still = listed.find(({id}) => gone.includes(id));
  const holds = services.find((one) => gone.includes(one.cluster));
  const lost = kept.find((one) => !services.some((now) => now.cluster === one.cluster));
  const missing = still
    ? `pod ${name} still lists cluster ${still.id}`
    : holds
      ? `pod ${name} still has endpoints of cluster ${holds.cluster}`
      : lost && `pod ${name} no longer has endpoints of cluster ${lost.cluster}`;
  return {pod: name, missing, services: services.filter(({cluster}) => kept.some((one) => one.cluster === cluster))};
}

/** The fewest services of each cluster that any pod has. */
function fewest(all: readonly (readonly ClusterServices[])[]): readonly ClusterServices[] {
  const least = new Map<string, number>();
  for (const {cluster, services} of all.flat()) least.set(cluster, Math.min(services, least.get(cluster) ?? services));
  return [...least].map(([cluster, services]) => ({cluster, services}));
}
