/** What the running istiods of a reader report about a peer, and from when on that counts. */
import type {ControlPlaneFacts, IstiodClusters, KnownCluster, PodPart, RemoteSecretFacts} from '../../facts/facts.js';
import {synced} from '../../facts/read/clusterz.js';
import {groupBy} from '../../group-by.js';
import {memoizePerObject} from '../../memoize.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {minuteMs} from '../../time.js';

/**
 * `settling`: not synced, but the remote secret was written, or istiod has started, so recently that this shows nothing;
 * `not reported`: this version of istiod does not report it.
 */
export type SyncState = 'synced' | 'settling' | 'not synced' | 'not reported';

/** Reports whether what an istiod pod states about a peer may change by itself. */
export type Settling = (pod: string) => boolean;

/** Summarizes what all pods report: the worst state of those that report one. */
export function syncStateOf(
  pods: readonly PodPart<IstiodClusters>[] | undefined,
  peer: MeshCluster,
  settling: Settling = () => false,
): SyncState {
  const states = (pods ?? []).map((pod) => podState(pod, peer, settling));
  return (['not synced', 'settling', 'synced'] as const).find((state) => states.includes(state)) ?? 'not reported';
}

/** What one pod reports. */
export function podState({name, value}: PodPart<IstiodClusters>, peer: MeshCluster, settling: Settling): SyncState {
  if (value.known === undefined) return 'not reported';
  if (rowOf(value, peer)?.status !== synced) return settling(name) ? 'settling' : 'not synced';
  return value.hidesTimeouts === true ? 'not reported' : 'synced';
}

/** What a pod lists about a peer that it reads; undefined if it reads none of this name. */
export function rowOf(clusters: IstiodClusters, peer: MeshCluster): KnownCluster | undefined {
  return rowsById(clusters)
    .get(istioNameOf(peer))
    ?.find(({secretName}) => secretName !== '');
}

/** What a pod lists, by Istio's names. */
const rowsById = memoizePerObject(({known = []}: IstiodClusters) => groupBy(known, ({id}) => id));

/**
 * How long istiod may take to follow a remote secret, or a new pod to read its peers: PILOT_REMOTE_CLUSTER_TIMEOUT (default:
 * 30s; istio/istio pilot/pkg/features/pilot.go), and as much again.
 */
const settleMs = minuteMs;

/** Returns which pods of a reader may still change what they report about the peer of a remote secret. */
export function settlingPods(
  secret: RemoteSecretFacts | 'absent' | undefined,
  controlPlanes: readonly ControlPlaneFacts[],
  now: Date,
): Settling {
  // istiod may not have followed a Secret yet that was just written.
  if (secret !== undefined && secret !== 'absent' && isRecent(secret.writtenAt, now)) return () => true;
  return (name) =>
    controlPlanes.some(({workload}) => workload.pods.some((pod) => pod.name === name && isRecent(pod.startedAt, now)));
}

/** A time that lies further in the future shows that clocks differ, not that something has just happened. */
function isRecent(at: Date | undefined, now: Date): boolean {
  return at !== undefined && Math.abs(now.getTime() - at.getTime()) < settleMs;
}
