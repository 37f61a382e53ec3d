/** What an istiod's pods have of the clusters that they read through remote secrets. */
import {defined} from '../../defined.js';
import type {
  ClusterFactValues,
  ControlPlaneFacts,
  IstiodClusters,
  IstiodDiscovery,
  PodFacts,
  PodPart,
} from '../../facts/facts.js';
import {synced} from '../../facts/read/clusterz.js';
import {runningPods} from '../../facts/read/pods.js';
import {clusterOfIstioName, istioNameOf} from '../../mesh/istio-name.js';
import type {ClusterSubject} from '../check.js';
import type {Evidence, ReadCluster} from './hazard.js';

/** The facts about it; each is absent if it is unknown or was omitted. */
export interface ReadClusterFacts {
  readonly istiodClusters?: readonly PodPart<IstiodClusters>[];
  readonly istiodDiscovery?: readonly PodPart<IstiodDiscovery>[];
  readonly remoteCredentials?: ClusterFactValues['remoteCredentials'];
}

/** The clusters that the running pods of a control plane read. */
export function readClustersOf(
  controlPlane: ControlPlaneFacts,
  facts: ReadClusterFacts,
  subject: ClusterSubject,
): readonly ReadCluster[] {
  return runningPods(controlPlane.workload).flatMap((pod) => {
    const rows = rowsOf(pod, facts);
    const discovery = partOf(pod, facts.istiodDiscovery);
    const names = rows?.map(({id}) => id) ?? credentialed(facts, subject);
    return names.map((cluster): ReadCluster => {
      const changed = hasChanged(cluster, pod, facts);
      const row = rows?.find(({id}) => id === cluster);
      return defined<ReadCluster>({
        pod: pod.name,
        cluster,
        changed,
        isSynced: row === undefined ? undefined : row.status === synced,
        endpoints: discovery?.endpoints && endpointsOf(cluster, discovery.endpoints, {controlPlane, changed, subject}),
        gateways: gatewaysOf(cluster, discovery?.gatewayNetworks, changed, subject),
      });
    });
  });
}

/**
 * The fact without which a loss can be neither shown nor excluded; undefined if both are possible. Without it, the time at
 * which a remote secret changed is enough.
 */
export function missingFact(
  controlPlane: ControlPlaneFacts,
  facts: ReadClusterFacts,
  {mesh}: ClusterSubject,
): 'istiodClusters' | 'istiodDiscovery' | undefined {
  for (const pod of runningPods(controlPlane.workload)) {
    const rows = rowsOf(pod, facts);
    const names = rows?.map(({id}) => id) ?? facts.remoteCredentials?.map((one) => one.cluster);
    const isDated = names?.every((name) => hasChanged(name, pod, facts) !== undefined) ?? mesh.clusters.length === 1;
    if (isDated) continue;
    if (rows === undefined) return 'istiodClusters';
    if (partOf(pod, facts.istiodDiscovery) === undefined) return 'istiodDiscovery';
  }
  return undefined;
}

function partOf<T>({name}: PodFacts, parts: readonly PodPart<T>[] | undefined): T | undefined {
  return parts?.find((part) => part.name === name)?.value;
}

/** The rows of remote secrets. */
function rowsOf(pod: PodFacts, {istiodClusters}: ReadClusterFacts) {
  return partOf(pod, istiodClusters)?.known?.filter(({secretName}) => secretName !== '');
}

/** The clusters of remote secrets; istiod ignores one for its own cluster (pkg/kube/multicluster/secretcontroller.go). */
function credentialed({remoteCredentials = []}: ReadClusterFacts, {cluster}: ClusterSubject): readonly string[] {
  const own = istioNameOf(cluster);
  return [...new Set(remoteCredentials.map((one) => one.cluster))].filter((name) => name !== own);
}

function hasChanged(
  cluster: string,
  {startedAt}: PodFacts,
  {remoteCredentials}: ReadClusterFacts,
): boolean | undefined {
  const times = remoteCredentials?.filter((one) => one.cluster === cluster).map(({changedAt}) => changedAt) ?? [];
  if (startedAt === undefined || times.length === 0) return undefined;
  if (times.some((time) => time instanceof Date && time > startedAt)) return true;
  return times.includes(undefined) ? undefined : false;
}

interface Circumstances {
  readonly controlPlane: ControlPlaneFacts;
  readonly changed: boolean | undefined;
  readonly subject: ClusterSubject;
}

/**
 * Services whose endpoints change are restored one by one, so Service default/kubernetes is decisive: its endpoints hardly
 * ever change. Some API servers do not maintain them (`--endpoint-reconciler-type=none`), and istiod may not read that
 * namespace, or any of a cluster (discoverySelectors, ISTIO_WATCH_NAMESPACE).
 */
function endpointsOf(
  cluster: string,
  endpoints: NonNullable<IstiodDiscovery['endpoints']>,
  {controlPlane: {discoverySelectors}, changed, subject}: Circumstances,
): Evidence {
  const isSelective = discoverySelectors.length > 0;
  const found = endpoints.find((one) => one.cluster === cluster);
  const own = endpoints.find((one) => one.cluster === istioNameOf(subject.cluster));
  if (!found) return isSelective || own?.hasApiServer !== true ? 'unclear' : 'lost';
  if (found.hasApiServer || isSelective || own?.hasApiServer !== true) return 'kept';
  return changed === true ? 'lost' : 'unclear';
}

/** A cluster on the same network needs no gateway, and that of an unknown cluster is not known. */
function gatewaysOf(
  cluster: string,
  networks: readonly string[] | undefined,
  changed: boolean | undefined,
  {cluster: own, mesh}: ClusterSubject,
): Evidence | undefined {
  const network = clusterOfIstioName(mesh.clusters, cluster)?.network;
  if (network === undefined || network === own.network) return 'kept';
  if (networks === undefined) return undefined;
  if (networks.includes(network)) return 'kept';
  return changed === true ? 'lost' : 'unclear';
}
