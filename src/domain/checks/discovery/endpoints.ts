import type {ClusterEndpoints, ControlPlaneFacts, IstiodDiscovery, NamespaceFacts, PodPart} from '../../facts/facts.js';
import {apiServerService} from '../../facts/read/endpoint-shardz.js';
import {some} from '../../format.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {istiodCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import {controlPlaneOf} from '../control-plane/running-versions.js';
import {restartFix} from '../fixes.js';
import {isDiscovered} from '../trust/bundle-namespaces.js';
import {isFresh, syncStateOf} from './sync-state.js';

/** Every istiod of the reader has the peer's endpoints. */
export const endpointsCheck = istiodCheck({
  id: 'MESH507',
  title: "Every istiod has the peer's endpoints",
  scope: 'pair',
  appliesTo: 'discovery pairs',
  requires: ['istiodDiscovery', 'istiodClusters', 'controlPlanes'],
  optional: ['namespaces', 'remoteSecrets'],
  sides: {istiodClusters: 'self', controlPlanes: 'self', namespaces: 'peer', remoteSecrets: 'self'},
  judge: ({istiodDiscovery, istiodClusters, controlPlanes, namespaces, remoteSecrets}, subject) => {
    const {cluster, peer, now} = subject;
    const pods = istiodDiscovery.self.filter(({value}) => value.endpoints !== undefined);
    if (pods.length === 0) {
      const isRunning = istiodDiscovery.self.length > 0;
      return notApplicable(isRunning ? 'this istiod does not list its endpoints' : 'no istiod runs here');
    }
    const ready = pods.filter(({name}) => isSynced(name, istiodClusters.self, peer));
    if (ready.length === 0) return notApplicable(`no istiod has synced ${peer.name} (MESH506)`);
    const isUnproven = isFresh(remoteSecrets?.self, now);
    const judged = ready.map((pod) => {
      const controlPlane = controlPlaneOf(pod.name, controlPlanes.self);
      const here = endpointsOf(pod, cluster)?.names ?? [];
      const selection = {controlPlane, namespaces: namespaces?.peer, here};
      const services = expectedServices(istiodDiscovery.peer, peer, selection);
      return {pod, controlPlane, missing: missingOf(pod, {cluster, peer, controlPlane, services})};
    });
    const findings = judged.map(({pod, controlPlane, missing}): Finding | undefined => {
      if (missing === undefined) return undefined;
      const names = controlPlane ? [controlPlane.workload.name] : [];
      const observed = `${pod.name} has no endpoints ${missing} in ${peer.name}`;
      return {observed, isUnproven, fix: restartFix(subject, ...names)};
    });
    const counts = ready.map((pod) => `${pod.name}: ${String(endpointsOf(pod, peer)?.services ?? 0)} services`);
    return findingsOr(findings, ok(counts.join(', ')));
  },
  expected: "endpoints of the peer's services",
  meaning:
    "The endpoint /debug/endpointShardz of every istiod pod that has synced the peer lists endpoints there of services that exist in both clusters, default/kubernetes among them. What exists in the peer is read from its own istiod, without the namespaces that the reader's discoverySelectors exclude. Where that is not possible, as for a remote, any endpoint in the peer suffices. Unknown within a minute after the remote secret was written; skipped for versions before 1.20.8.",
  breaks:
    "Requests to services of the peer are sent to this cluster's endpoints only, or fail if there are none, although istiod reports the peer as synced.",
  byHand:
    'kubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &\ncurl -s localhost:15014/debug/endpointShardz   # Kubernetes/CLUSTER for each synced cluster',
  fix: 'Restart istiod: it reads every cluster again. If the endpoints are lost again after a remote secret changed, upgrade istiod (MESH410, endpoints-lost).',
  source:
    'istio/istio pilot/pkg/xds/debug.go, pilot/pkg/model/endpointshards.go, pilot/pkg/serviceregistry/kube/controller/multicluster.go; istio/istio#61043',
});

function isSynced(pod: string, clusters: Parameters<typeof syncStateOf>[0], peer: MeshCluster): boolean {
  const own = (clusters ?? []).filter(({name}) => name === pod);
  return syncStateOf(own, peer) === 'synced';
}

function endpointsOf({value}: PodPart<IstiodDiscovery>, cluster: MeshCluster): ClusterEndpoints | undefined {
  return value.endpoints?.find((one) => one.cluster === istioNameOf(cluster));
}

interface Selection {
  /** Of the reader. */
  readonly controlPlane: ControlPlaneFacts | undefined;
  /** Of the peer; absent: unknown. */
  readonly namespaces: readonly NamespaceFacts[] | undefined;
  /** The services with endpoints in the reader. */
  readonly here: readonly string[];
}

/**
 * The services with endpoints in both clusters, as their own istiods have them, that the reader's istiod reads in the peer;
 * undefined if that is unknown. A namespace that the reader does not read at all (ISTIO_WATCH_NAMESPACE) has none.
 */
function expectedServices(
  pods: readonly PodPart<IstiodDiscovery>[],
  peer: MeshCluster,
  {controlPlane, namespaces, here}: Selection,
): readonly string[] | undefined {
  const there = pods.flatMap((pod) => endpointsOf(pod, peer)?.names ?? []);
  if (there.length === 0 || !controlPlane) return undefined;
  const services = [...new Set(there)].filter((service) => here.includes(service));
  if (controlPlane.discoverySelectors.length === 0) return services;
  if (!namespaces) return undefined;
  const read = namespaces.filter(({labels}) => isDiscovered(labels, controlPlane)).map(({name}) => name);
  return services.filter((service) => read.includes(service.slice(0, service.indexOf('/'))));
}

interface Circumstances {
  readonly cluster: MeshCluster;
  readonly peer: MeshCluster;
  readonly controlPlane: ControlPlaneFacts | undefined;
  readonly services: readonly string[] | undefined;
}

/** Which endpoints a pod lacks, as part of a sentence; undefined if it has what can be expected. */
function missingOf(
  pod: PodPart<IstiodDiscovery>,
  {cluster, peer, controlPlane, services}: Circumstances,
): string | undefined {
  const found = endpointsOf(pod, peer)?.names ?? [];
  if (services) {
    const lacking = services.filter((service) => !found.includes(service));
    // Other services may have changed between the two requests.
    const isLost = lacking.length === services.length || lacking.includes(apiServerService);
    return services.length > 0 && isLost ? `of ${some(lacking)}` : undefined;
  }
  if (found.length > 0 || (controlPlane?.discoverySelectors.length ?? 1) > 0) return undefined;
  return endpointsOf(pod, cluster)?.hasApiServer === true ? 'of any service' : undefined;
}
