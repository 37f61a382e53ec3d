/** What the istiods of a reader report about a peer, and which of them lose its endpoints. */
import {hasFeature} from '../istio/features.js';
import {remoteSecretDefects} from '../istio/remote-secret-defects.js';
import {affects} from '../istio/since.js';
import {istioNameOf} from '../mesh/istio-name.js';
import {isKnown} from '../observed.js';
import {lacksEndpoints} from './lost-endpoints.js';
import {decisivePods, type DiscoveryIstiod, type DiscoveryObservation, type DiscoveryPod} from './observation.js';
import type {DiscoveryPair} from './pairs.js';

/**
 * Whether istiod reads a peer through a Secret. `pending`: it has not given up yet; `not reported`: its version does not list what
 * it reads, or lists as synced what it could not read. States: istio/istio pkg/kube/multicluster/cluster.go (SyncStatus).
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

/** Whether every pod that decides has read the peer through this Secret, as far as its version reports it. */
export function hasSynced(reader: DiscoveryObservation, pair: DiscoveryPair, secret: string): boolean {
  const {istiods} = reader;
  if (!isKnown(istiods) || withoutEndpoints(reader, pair, secret).length > 0) return false;
  const decisive = decisivePods(istiods.value);
  const unread = losing(reader).some(({pods}) =>
    pods.some((pod) => decisive.includes(pod) && pod.services && !isKnown(pod.services)),
  );
  return !unread && podStates(reader, pair, secret).every((state) => state === 'synced' || state === 'not reported');
}

/** The pods that do not decide, and do not report that they have read the peer. */
export function unprovenPods(
  {istiods}: DiscoveryObservation,
  {peer}: DiscoveryPair,
  secret: string,
): readonly string[] {
  if (!isKnown(istiods)) return [];
  const decisive = decisivePods(istiods.value);
  return istiods.value.flatMap((istiod) =>
    istiod.pods
      .filter((pod) => !decisive.includes(pod) && podState(pod, istiod, istioNameOf(peer), secret) !== 'synced')
      .map(({name}) => name),
  );
}

/** The istiods that lose a cluster's endpoints when its remote secret changes. A version that is not known may. */
export function losing({istiods}: DiscoveryObservation): readonly DiscoveryIstiod[] {
  return isKnown(istiods)
    ? istiods.value.filter(({version}) => affects(remoteSecretDefects.endpoints, version.version))
    : [];
}

/** The istiods that have lost a peer's endpoints: a pod lists the peer as synced, and has none of its endpoints. */
export function withoutEndpoints(
  observation: DiscoveryObservation,
  {reader, peer}: DiscoveryPair,
  secret: string,
): readonly DiscoveryIstiod[] {
  return losing(observation).filter(
    (istiod) =>
      !istiod.isSelective &&
      istiod.pods.some(
        (pod) =>
          podState(pod, istiod, istioNameOf(peer), secret) === 'synced' &&
          pod.services &&
          isKnown(pod.services) &&
          lacksEndpoints(pod.services.value, istioNameOf(reader), istioNameOf(peer)),
      ),
  );
}

function podStates({istiods}: DiscoveryObservation, {peer}: DiscoveryPair, secret: string): readonly ReadState[] {
  if (!isKnown(istiods)) return [];
  const decisive = decisivePods(istiods.value);
  return istiods.value.flatMap((istiod) =>
    istiod.pods.filter((pod) => decisive.includes(pod)).map((pod) => podState(pod, istiod, istioNameOf(peer), secret)),
  );
}

function podState({clusters}: DiscoveryPod, {version}: DiscoveryIstiod, istioName: string, secret: string): ReadState {
  if (!isKnown(clusters)) return 'not synced';
  if (clusters.value === undefined) return 'not reported';
  const status = clusters.value.find(({id, secretName}) => id === istioName && secretName === secret)?.status;
  if (status !== 'synced') return status === 'syncing' ? 'pending' : 'not synced';
  return hasFeature(version.version, 'clusterzReportsTimeout') ? 'synced' : 'not reported';
}
