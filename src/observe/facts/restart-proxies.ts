/** The command that makes proxies start anew: of the workloads that own them, as far as their pods' metadata says. */
import type {Commands} from '../../domain/checks/commands.js';
import {shellWord} from '../../domain/checks/commands.js';
import {proxyLabel} from '../../domain/checks/read/proxies.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';

/** More than these make a line that nobody reads: then whole namespaces are restarted. */
const mostNamed = 20;

/** Who may trust what was there before. */
export interface Behind {
  readonly proxies: readonly KubeObject[];
  readonly ztunnels: readonly KubeObject[];
}

/** One shell line. What `kubectl rollout restart` does not know (bare pods, Jobs, Argo Rollouts) it leaves alone. */
export function restartCommand({proxies, ztunnels}: Behind, cluster: MeshCluster, commands: Commands): string {
  const restart = (namespace: string, what: string): string =>
    commands.kubectl(cluster, `-n ${namespace} rollout restart ${what}`);
  const owned = proxies.flatMap((pod) => {
    const owner = ownerOf(pod);
    return owner === undefined ? [] : [{namespace: namespaceOf(pod), owner}];
  });
  const namespaces = [...new Set(owned.map(({namespace}) => namespace))].sort();
  const named = namespaces.map((namespace) => ({
    namespace,
    owners: [...new Set(owned.filter((one) => one.namespace === namespace).map(({owner}) => owner))].sort(),
  }));
  const all = 'deployment,statefulset,daemonset';
  const ofProxies =
    named.reduce((sum, {owners}) => sum + owners.length, 0) <= mostNamed
      ? named.map(({namespace, owners}) => restart(shellWord(namespace), owners.map(shellWord).join(' ')))
      : [`for namespace in ${namespaces.map(shellWord).join(' ')}; do ${restart('"$namespace"', all)}; done`];
  // By themselves: beside them run istiod, or what nodes need (kube-system).
  const ofZtunnels = new Set(ztunnels.map((pod) => restart(shellWord(namespaceOf(pod)), daemonSetOf(pod))));
  const restarts = [...ofProxies, ...ofZtunnels];
  return restarts.length > 0
    ? restarts.join(' && ')
    : commands.kubectl(
        cluster,
        `get pods --all-namespaces -l ${proxyLabel} --sort-by=.metadata.creationTimestamp -o wide`,
      );
}

/**
 * The workload that makes a pod anew, as `kubectl rollout restart` is told it; undefined where there is none. A Deployment
 * names its ReplicaSets NAME-HASH and labels their pods with the hash (kubernetes/kubernetes
 * pkg/controller/deployment/sync.go); those of an Argo Rollout have another label.
 */
function ownerOf({metadata: {ownerReferences = [], labels = {}}}: KubeObject): string | undefined {
  for (const {kind, name} of ownerReferences) {
    if (kind === 'StatefulSet' || kind === 'DaemonSet') return `${kind.toLowerCase()}/${name}`;
    const end = `-${labels['pod-template-hash'] ?? ''}`;
    if (kind === 'ReplicaSet' && end !== '-' && name.endsWith(end)) return `deployment/${name.slice(0, -end.length)}`;
  }
  return undefined;
}

/** By its owner: the DaemonSet of ztunnel carries no label that all its versions have (manifests/charts/ztunnel). */
function daemonSetOf({metadata: {ownerReferences = []}}: KubeObject): string {
  const owner = ownerReferences.find(({kind}) => kind === 'DaemonSet');
  return shellWord(`daemonset/${owner?.name ?? 'ztunnel'}`);
}

function namespaceOf({metadata}: KubeObject): string {
  return metadata.namespace ?? '';
}
