/** The command that restarts proxies by restarting the workloads that own their pods. */
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

/** With more owners the command would be unreadable: whole namespaces are restarted instead. */
const maxNamedOwners = 20;

/** Pods that may still trust the previous roots. */
export interface StaleProxies {
  readonly proxies: readonly KubeObject[];
  readonly ztunnels: readonly KubeObject[];
}

/** Returns the command. It omits what `kubectl rollout restart` does not support: bare pods, Jobs, Argo Rollouts. */
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
  const proxyRestarts =
    named.reduce((sum, {owners}) => sum + owners.length, 0) <= maxNamedOwners
      ? named.map(({namespace, owners}) => restart(namespace, owners))
      : [
          forEach(new Variable('namespace'), namespaces, (namespace) =>
            restart(namespace, ['deployment,statefulset,daemonset']),
          ),
        ];
  // Never by namespace: theirs also contains istiod, or node components (kube-system).
  const ztunnelRestarts = new Map(
    ztunnels.map((pod) => {
      const [namespace, daemonSet] = [namespaceOf(pod), daemonSetOf(pod)];
      return [`${namespace}/${daemonSet}`, restart(namespace, [daemonSet])];
    }),
  );
  const restarts = [...proxyRestarts, ...ztunnelRestarts.values()];
  return restarts.length > 0
    ? sequence(...restarts)
    : inspectWith.kubectl(
        cluster,
        words`get pods --all-namespaces -l ${proxyLabel} --sort-by=.metadata.creationTimestamp -o wide`,
      );
}

/**
 * The workload that re-creates a pod, as an argument of `kubectl rollout restart`; undefined if there is none. A
 * Deployment names its ReplicaSets NAME-HASH and labels their pods with the hash (kubernetes/kubernetes
 * pkg/controller/deployment/sync.go); those of an Argo Rollout have another label.
 */
function ownerOf({metadata: {ownerReferences = [], labels = {}}}: KubeObject): string | undefined {
  for (const {kind, name} of ownerReferences) {
    if (kind === 'StatefulSet' || kind === 'DaemonSet') return `${kind.toLowerCase()}/${name}`;
    const suffix = `-${labels['pod-template-hash'] ?? ''}`;
    if (kind === 'ReplicaSet' && suffix !== '-' && name.endsWith(suffix))
      return `deployment/${name.slice(0, -suffix.length)}`;
  }
  return undefined;
}

/** Found by owner: no label is common to all versions of ztunnel's DaemonSet (manifests/charts/ztunnel). */
function daemonSetOf({metadata: {ownerReferences = []}}: KubeObject): string {
  const owner = ownerReferences.find(({kind}) => kind === 'DaemonSet');
  return `daemonset/${owner?.name ?? 'ztunnel'}`;
}

function namespaceOf({metadata}: KubeObject): string {
  return metadata.namespace ?? '';
}
