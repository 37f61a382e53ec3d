/** Whether the istiods of a reader have read a peer, and which of them lose its endpoints. */
import {remoteSecretDefects} from '../istio/remote-secret-defects.js';
import {affects} from '../istio/since.js';
import {istioNameOf} from '../mesh/istio-name.js';
import {isKnown} from '../observed.js';
import {lacksEndpoints} from './lost-endpoints.js';
import type {DiscoveryIstiod, DiscoveryObservation, DiscoveryPod} from './observation.js';
import type {DiscoveryPair} from './pairs.js';

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
    ({isSelective, pods}) =>
      !isSelective &&
      pods.some(
        (pod) =>
          lists(pod, istioNameOf(peer), secret) === true &&
          pod.services &&
          isKnown(pod.services) &&
          lacksEndpoints(pod.services.value, istioNameOf(reader), istioNameOf(peer)),
      ),
  );
}

/** Whether every running istiod pod has read the peer through this Secret, as far as its version reports it. */
export function hasSynced(reader: DiscoveryObservation, pair: DiscoveryPair, secret: string): boolean {
  const {istiods} = reader;
  if (!isKnown(istiods) || withoutEndpoints(reader, pair, secret).length > 0) return false;
  const unread = losing(reader).some(({pods}) => pods.some(({services}) => services && !isKnown(services)));
  const pods = istiods.value.flatMap((istiod) => istiod.pods);
  return !unread && pods.every((pod) => lists(pod, istioNameOf(pair.peer), secret) !== false);
}

/** Whether a pod lists a cluster as read through this Secret. Undefined: its version does not report that. */
function lists({clusters}: DiscoveryPod, istioName: string, secret: string): boolean | undefined {
  if (!isKnown(clusters)) return false;
  return clusters.value?.some((one) => one.id === istioName && one.secretName === secret && one.status === 'synced');
}
