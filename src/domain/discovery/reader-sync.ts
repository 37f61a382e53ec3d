/** What the istiods of a reader report about a peer. */
import {remoteSecretDefects} from '../istio/remote-secret-defects.js';
import {affects} from '../istio/since.js';
import {istioNameOf} from '../mesh/istio-name.js';
import {isKnown} from '../observed.js';
import type {DiscoveryIstiod, DiscoveryObservation, DiscoveryPod} from './observation.js';
import type {DiscoveryPair} from './pairs.js';

/**
 * Whether istiod reads a peer through a Secret. `pending`: it has not given up yet; `not reported`: its version does not list what
 * it reads. States: istio/istio pkg/kube/multicluster/cluster.go (SyncStatus).
 */
export type ReadState = 'synced' | 'pending' | 'not synced' | 'not reported';

/**
 * Returns the best state that a pod of the reader reports: one that has read the peer shows that its address works.
 * `secret`: NAMESPACE/NAME.
 */
export function readState(reader: DiscoveryObservation, pair: DiscoveryPair, secret: string): ReadState {
  const states = podStates(reader, pair, secret);
  const best = (['synced', 'pending', 'not synced'] as const).find((state) => states.includes(state));
  return best ?? 'not reported';
}

/** Whether every pod has read the peer through this Secret, as far as its version reports it. */
export function hasSynced(reader: DiscoveryObservation, pair: DiscoveryPair, secret: string): boolean {
  return podStates(reader, pair, secret).every((state) => state === 'synced' || state === 'not reported');
}

/** The istiods that lose a cluster's endpoints when its remote secret changes. A version that is not known may. */
export function losing({istiods}: DiscoveryObservation): readonly DiscoveryIstiod[] {
  return isKnown(istiods)
    ? istiods.value.filter(({version}) => affects(remoteSecretDefects.endpoints, version.version))
    : [];
}

function podStates({istiods}: DiscoveryObservation, {peer}: DiscoveryPair, secret: string): readonly ReadState[] {
  const pods = isKnown(istiods) ? istiods.value.flatMap((istiod) => istiod.pods) : [];
  return pods.map((pod) => podState(pod, istioNameOf(peer), secret));
}

function podState({clusters}: DiscoveryPod, istioName: string, secret: string): ReadState {
  if (!isKnown(clusters)) return 'not synced';
  if (clusters.value === undefined) return 'not reported';
  const status = clusters.value.find(({id, secretName}) => id === istioName && secretName === secret)?.status;
  return status === 'synced' ? 'synced' : status === 'syncing' ? 'pending' : 'not synced';
}
