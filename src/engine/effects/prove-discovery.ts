/**
 * Proves that every ready istiod pod of a reader has read its peers. A remote secret that istiod cannot load leaves the previous
 * cluster in its list, as synced (istio/istio pkg/kube/multicluster/secretcontroller.go, addRemoteConfig), and nothing in the list
 * distinguishes them: what it cannot load is refused before (domain/mesh/api-server-schema.ts; kubectl itself has read a kubeconfig).
 */
import {asMeshError} from '../../domain/errors.js';
import {clusterzPath, readClusterz, synced} from '../../domain/facts/read/clusterz.js';
import {lacksEndpoints} from '../../domain/discovery/lost-endpoints.js';
import {endpointShardzPath} from '../../domain/facts/read/endpoint-shardz.js';
import {readServiceShards} from '../../domain/facts/read/service-shards.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {AwaitDiscovery, DiscoveryPeer, LinkPeers} from '../discovery-action.js';
import type {EffectContext} from '../effect.js';
import {debugLimits} from '../istiod-debug.js';
import {type DebugPod, IstiodForwards} from '../istiod-forwards.js';

/** Pause between two checks. Milliseconds. */
const pauseMs = 1000;

/**
 * For so long after a write, istiod may still report the state of the previous remote secret: its watch usually delivers a
 * change within a second. Milliseconds.
 */
const settleMs = 2000;

/** What to prove. */
export interface Proof extends Pick<
  LinkPeers | AwaitDiscovery,
  'namespace' | 'istioName' | 'isSelective' | 'reports' | 'timeoutMs'
> {
  readonly peers: readonly DiscoveryPeer[];
  /** Whether an existing remote secret was changed. */
  readonly hasChanged: (peer: DiscoveryPeer) => boolean;
  /** Is called with the name of each peer when every pod has read it. */
  readonly onRead?: (cluster: string) => void;
}

/** Waits, and returns why peers have not been read, by name; empty if all have been. Throws what aborts the run. */
export async function proveDiscovery(
  api: KubeApi,
  proof: Proof,
  context: EffectContext,
): Promise<ReadonlyMap<string, string>> {
  const {deps, waiting} = context;
  const start = deps.now().getTime();
  const pods = new IstiodForwards(api, proof.namespace, deps);
  const done = new Set<string>();
  try {
    for (;;) {
      const elapsedMs = deps.now().getTime() - start;
      const left = proof.peers.filter(({cluster}) => !done.has(cluster));
      const states = await statesOf(pods, proof, left, context);
      for (const peer of left) {
        const isSettled = !proof.hasChanged(peer) || elapsedMs >= settleMs;
        if (!isSettled || states.get(peer.cluster) !== undefined) continue;
        done.add(peer.cluster);
        proof.onRead?.(peer.cluster);
      }
      const missing = left.filter(({cluster}) => !done.has(cluster));
      const [first] = missing;
      if (!first) return new Map();
      deps.signal.throwIfAborted();
      const reasons = new Map(
        missing.map(({cluster}) => [
          cluster,
          states.get(cluster)?.reason ?? 'istiod may still report the state before the change',
        ]),
      );
      const isFinal = elapsedMs >= settleMs && missing.every(({cluster}) => states.get(cluster)?.isFinal === true);
      if (isFinal || elapsedMs >= proof.timeoutMs) return reasons;
      waiting({what: reasons.get(first.cluster) ?? '', elapsedMs, limitMs: proof.timeoutMs});
      await deps.sleep(pauseMs);
    }
  } finally {
    await pods.close();
  }
}

/** Why a peer has not been read. `isFinal`: istiod has given up (pkg/kube/multicluster/cluster.go, SyncStatusTimeout). */
interface Unread {
  readonly reason: string;
  readonly isFinal: boolean;
}

/** Returns why peers have not been read; undefined for one that every pod has read, as far as its version reports it. */
async function statesOf(
  pods: IstiodForwards,
  proof: Proof,
  peers: readonly DiscoveryPeer[],
  {deps}: EffectContext,
): Promise<ReadonlyMap<string, Unread | undefined>> {
  try {
    const states = await pods.each((pod) => unreadBy(pod, proof, peers), 'ready');
    return new Map(
      peers.map(({cluster}) => [cluster, states.map((one) => one.get(cluster)).find((state) => state !== undefined)]),
    );
  } catch (thrown) {
    // What one pod reports is not enough: no peer is read before every pod has reported it.
    deps.signal.throwIfAborted();
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    return new Map(peers.map(({cluster}) => [cluster, {reason: error.message, isFinal: false}]));
  }
}

/** The peers that one pod has not read, with the reason. */
async function unreadBy(
  pod: DebugPod,
  {namespace, reports, istioName, isSelective}: Proof,
  peers: readonly DiscoveryPeer[],
): Promise<ReadonlyMap<string, Unread>> {
  const {name} = pod;
  const unread = new Map<string, Unread>();
  if (reports.clusters) {
    const rows = readClusterz(await pod.get(clusterzPath, debugLimits.clusterz), name);
    for (const peer of peers) {
      const row = rows.find(({id, secretName}) => id === peer.istioName && secretName !== '');
      const isOwn = row?.secretName === `${namespace}/${peer.secret}`;
      if (isOwn && row.status === synced) continue;
      const reason = !row
        ? `pod ${name} does not list cluster ${peer.istioName} yet`
        : isOwn
          ? `pod ${name} reports cluster ${peer.istioName} as ${row.status}`
          : `pod ${name} reads cluster ${peer.istioName} through another Secret, ${row.secretName}`;
      unread.set(peer.cluster, {reason, isFinal: row?.status === 'timeout' || row?.status === 'closed'});
    }
  }
  if (!reports.endpoints || unread.size === peers.length) return unread;
  // istiod may read the namespace of that Service nowhere.
  if (isSelective) return unread;
  const services = readServiceShards(await pod.get(endpointShardzPath, debugLimits.endpointShardz), name);
  for (const peer of peers) {
    if (unread.has(peer.cluster) || !lacksEndpoints(services, istioName, peer.istioName)) continue;
    unread.set(peer.cluster, {reason: `pod ${name} has no endpoints of cluster ${peer.istioName} yet`, isFinal: false});
  }
  return unread;
}
