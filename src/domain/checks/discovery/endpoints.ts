import {commonServices, missingServices} from '../../discovery/missing-services.js';
import type {ClusterEndpoints, ControlPlaneFacts, NamespaceFacts, PodPart} from '../../facts/facts.js';
import {apiServerService, endpointsIn} from '../../facts/read/endpoint-shardz.js';
import {some} from '../../format.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import type {MeshCluster} from '../../mesh/mesh.js';
import {istiodCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import {controlPlaneOf} from '../control-plane/running-versions.js';
import {restartFix} from '../fixes.js';
import {isDiscovered} from '../trust/bundle-namespaces.js';
import {podState, settlingPods} from './sync-state.js';

/** Every istiod of the reader has the peer's endpoints. */
export const endpointsCheck = istiodCheck({
  id: 'MESH507',
  title: "Every istiod has the peer's endpoints",
  scope: 'pair',
  appliesTo: 'discovery pairs',
  requires: ['istiodDiscovery', 'istiodClusters', 'controlPlanes'],
  optional: ['endpointsAgain', 'namespaces', 'remoteSecrets'],
  sides: {istiodClusters: 'self', controlPlanes: 'self', namespaces: 'peer', remoteSecrets: 'self'},
  implies: ['MESH6'],
  judge: ({istiodDiscovery, endpointsAgain, istiodClusters, controlPlanes, namespaces, remoteSecrets}, subject) => {
    const {peer, now} = subject;
    const listing = istiodDiscovery.self.flatMap(({name, value: {endpoints}}) =>
      endpoints ? [{name, endpoints}] : [],
    );
    if (listing.length === 0) {
      const isRunning = istiodDiscovery.self.length > 0;
      return notApplicable(isRunning ? 'this istiod does not list its endpoints' : 'no istiod runs here');
    }
    const settling = settlingPods(remoteSecrets?.self, controlPlanes.self, now);
    const synced = new Set(
      istiodClusters.self.filter((pod) => podState(pod, peer, settling) === 'synced').map(({name}) => name),
    );
    const ready = listing.filter(({name}) => synced.has(name));
    if (ready.length === 0) return notApplicable(`no istiod has synced ${peer.name} (MESH506)`);
    const there = istiodDiscovery.peer.flatMap(({name, value: {endpoints}}) => (endpoints ? [{name, endpoints}] : []));
    const judged = ready.map((pod): Finding | 'undecided' | undefined => {
      const controlPlane = controlPlaneOf(pod.name, controlPlanes.self);
      const facts = {
        ...subject,
        controlPlane,
        namespaces: namespaces?.peer,
        there: again(there, endpointsAgain?.peer),
      };
      const [own = {first: pod.endpoints}] = again([pod], endpointsAgain?.self);
      const lack = lackOf(own, facts);
      if (!lack || lack === 'undecided') return lack;
      const fix = restartFix(subject, ...(controlPlane ? [controlPlane.workload.name] : []));
      const observed = `${pod.name} has no endpoints in ${peer.name} ${lack.what}`;
      const finding = {kind: lack.what, observed, fix, isUnproven: lack.isUnproven || settling(pod.name)};
      return lack.isPartial ? {...finding, severity: 'warning', implies: []} : finding;
    });
    const findings = judged.map((one) => (one === 'undecided' ? undefined : one));
    const silent = istiodDiscovery.self.filter(({value}) => value.endpoints === undefined).map(({name}) => name);
    if (findings.every((finding) => finding === undefined)) {
      if (judged.includes('undecided'))
        return notApplicable(`nothing shows which endpoints in ${peer.name} istiod needs`);
      if (silent.length > 0)
        return notApplicable(`${silent.join(', ')} does not list its endpoints; the others have them`);
    }
    const counts = ready.map(
      ({name, endpoints}) => `${name}: ${String(inCluster(endpoints, peer)?.services ?? 0)} services`,
    );
    return findingsOr(findings, ok(counts.join(', ')));
  },
  expected: "endpoints of the peer's services",
  meaning:
    "The endpoint /debug/endpointShardz of every istiod pod that has synced the peer lists endpoints there of services that exist in both clusters, default/kubernetes among them. What exists in the peer is read from its own istiod, without the namespaces that the reader's discoverySelectors exclude and without services whose endpoints are not ready. Services that are missing are read again after two seconds, on both sides, because they may have been created or deleted between the requests; if some are then still missing, the result is a warning, and if all are, or default/kubernetes is, an error. Where the peer's own istiod cannot be read, as for a remote, any endpoint in the peer suffices; if there is none, the check is skipped where discoverySelectors may explain that. Unknown within a minute after the remote secret was written or istiod started; skipped for versions before 1.20.8.",
  breaks:
    "Requests to these services are sent to this cluster's endpoints only, or fail if there are none, although istiod reports the peer as synced.",
  byHand:
    'kubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15014 &\ncurl -s localhost:15014/debug/endpointShardz   # Kubernetes/CLUSTER for each synced cluster',
  fix: 'Restart istiod: it reads every cluster again. If the endpoints are lost again after a remote secret changed, upgrade istiod (MESH410, endpoints-lost).',
  source:
    'istio/istio pilot/pkg/xds/debug.go, pilot/pkg/model/endpointshards.go, pilot/pkg/serviceregistry/kube/controller/multicluster.go; istio/istio#61043',
});

/** What one pod lists: at first, and again; absent: it was not read again, or that failed. */
interface Listed {
  readonly first: readonly ClusterEndpoints[];
  readonly second?: readonly ClusterEndpoints[];
}

function again(
  pods: readonly {readonly name: string; readonly endpoints: readonly ClusterEndpoints[]}[],
  read: readonly PodPart<readonly ClusterEndpoints[]>[] = [],
): readonly Listed[] {
  return pods.map(({name, endpoints}) => {
    const second = read.find((part) => part.name === name)?.value;
    return second ? {first: endpoints, second} : {first: endpoints};
  });
}

interface Circumstances {
  readonly cluster: MeshCluster;
  readonly peer: MeshCluster;
  /** Of the reader; absent: unknown. */
  readonly controlPlane: ControlPlaneFacts | undefined;
  /** Of the peer; absent: unknown. */
  readonly namespaces: readonly NamespaceFacts[] | undefined;
  /** The peer's own istiods. */
  readonly there: readonly Listed[];
}

/** Which endpoints a pod lacks. */
interface Lack {
  /** Part of a sentence: `for shop/cart`. */
  readonly what: string;
  /** It has endpoints of other services, default/kubernetes among them. */
  readonly isPartial: boolean;
  /** What changed between two requests could explain it. */
  readonly isUnproven: boolean;
}

/**
 * Which endpoints a pod lacks; undefined if it has what can be expected. `undecided`: it has none in the peer, and what it should have
 * was not observed.
 */
function lackOf(
  own: Listed,
  {cluster, peer, controlPlane, namespaces, there}: Circumstances,
): Lack | 'undecided' | undefined {
  const here = namesIn(own.first, cluster);
  const found = namesIn(own.first, peer);
  const isSelective = (controlPlane?.discoverySelectors.length ?? 1) > 0;
  const inPeer = there.map(({first}) => namesIn(first, peer));
  if (inPeer.every(({size}) => size === 0) || !controlPlane || (isSelective && !namespaces)) {
    if (found.size > 0) return undefined;
    const isLost = !isSelective && inCluster(own.first, cluster)?.hasApiServer === true;
    return isLost ? {what: 'for any service', isPartial: false, isUnproven: false} : 'undecided';
  }
  const isRead = selection(controlPlane, namespaces ?? []);
  const atFirst = missingServices({here, there: inPeer, found}).filter(isRead);
  if (atFirst.length === 0) return undefined;
  const lacking = new Set(stillMissing(atFirst, own, there, peer));
  if (lacking.size === 0) return undefined;
  const all = commonServices({here, there: inPeer}).filter(isRead);
  const isPartial = lacking.size < all.length && !lacking.has(apiServerService);
  const names = some([...lacking], 3);
  return {
    what: isPartial ? `for ${String(lacking.size)} of ${String(all.length)} services: ${names}` : `for ${names}`,
    isPartial,
    isUnproven: isPartial && own.second === undefined,
  };
}

/** Those that the peer's own istiods still have, and this one still has not, as far as they were read again. */
function stillMissing(
  services: readonly string[],
  {second}: Listed,
  there: readonly Listed[],
  peer: MeshCluster,
): readonly string[] {
  if (!second) return services;
  const found = namesIn(second, peer);
  const inPeer = there.map((one) => namesIn(one.second ?? one.first, peer));
  return services.filter((service) => !found.has(service) && inPeer.some((names) => names.has(service)));
}

/** Whether the reader's istiod reads the namespace of a service in the peer. */
function selection(
  controlPlane: ControlPlaneFacts,
  namespaces: readonly NamespaceFacts[],
): (service: string) => boolean {
  if (controlPlane.discoverySelectors.length === 0) return () => true;
  const read = new Set(namespaces.filter(({labels}) => isDiscovered(labels, controlPlane)).map(({name}) => name));
  return (service) => read.has(service.slice(0, service.indexOf('/')));
}

const none: ReadonlySet<string> = new Set();

function namesIn(endpoints: readonly ClusterEndpoints[], cluster: MeshCluster): ReadonlySet<string> {
  return inCluster(endpoints, cluster)?.names ?? none;
}

function inCluster(endpoints: readonly ClusterEndpoints[], cluster: MeshCluster): ClusterEndpoints | undefined {
  return endpointsIn(endpoints, istioNameOf(cluster));
}
