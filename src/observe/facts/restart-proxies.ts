/** The command that makes proxies start anew: of the workloads that own them, as far as their pods' metadata says. */
import {proxyLabel} from '../../domain/facts/read/proxies.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {MeshCluster} from '../../domain/mesh/mesh.js';
import {
  fixWith,
  forEach,
  inspectWith,
  sequence,
  type Suggestion,
  Variable,
  type Word,
  words,
} from '../../domain/suggest/suggestion.js';

/** More than these make a line that nobody reads: then whole namespaces are restarted. */
const maxNamedOwners = 20;

/** Who may trust what was there before. */
export interface StaleProxies {
  readonly proxies: readonly KubeObject[];
  readonly ztunnels: readonly KubeObject[];
}

/** What `kubectl rollout restart` does not know (bare pods, Jobs, Argo Rollouts) it leaves alone. */
export function restartCommand({proxies, ztunnels}: StaleProxies, cluster: MeshCluster): Suggestion {
  const restart = (namespace: Word, what: readonly string[]): Suggestion =>
    fixWith.kubectl(cluster, words`-n ${namespace} rollout restart ${what}`);
  const owned = proxies.flatMap((pod) => {
    const owner = ownerOf(pod);
    return owner === undefined ? [] : [{namespace: namespaceOf(pod), owner}];
  });
  const namespaces = [...new Set(owned.map(({namespace}) => namespace))].sort();
  const named = namespaces.map((namespace) => ({
    namespace,
    owners: [...new Set(owned.filter((one) => one.namespace === namespace).map(({owner}) => owner))].sort(),
  }));
  const ofProxies =
    named.reduce((sum, {owners}) => sum + owners.length, 0) <= maxNamedOwners
      ? named.map(({namespace, owners}) => restart(namespace, owners))
      : [
          forEach(new Variable('namespace'), namespaces, (namespace) =>
            restart(namespace, ['deployment,statefulset,daemonset']),
          ),
        ];
  // By themselves: beside them run istiod, or what nodes need (kube-system).
  const ofZtunnels = new Map(
    ztunnels.map((pod) => {
      const [namespace, daemonSet] = [namespaceOf(pod), daemonSetOf(pod)];
      return [`${namespace}/${daemonSet}`, restart(namespace, [daemonSet])];
    }),
  );
  const restarts = [...ofProxies, ...ofZtunnels.values()];
  return restarts.length > 0
    ? sequence(...restarts)
    : inspectWith.kubectl(
        cluster,
        words`get pods --all-namespaces -l ${proxyLabel} --sort-by=.metadata.creationTimestamp -o wide`,
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
  return `daemonset/${owner?.name ?? 'ztunnel'}`;
}

function namespaceOf({metadata}: KubeObject): string {
  return metadata.namespace ?? '';
}
