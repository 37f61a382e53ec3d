/** Both names of a cluster that mesh.yaml no longer contains, as the remote secrets record them that link wrote for it. */
import {canBeDataKey, clusterOfIstioName, type NamedCluster} from '../mesh/istio-name.js';
import {isClusterName} from '../mesh/names.js';
import {discoveryAnnotations} from './names.js';
import type {StoredRemoteSecret} from './observation.js';

/**
 * Returns the cluster that has a name, in mesh.yaml at the time or for Istio; without any record, both names are the same. A
 * name of a cluster that mesh.yaml contains is never returned: its Secrets are in use.
 */
export function undeclaredCluster(
  name: string,
  remoteSecrets: readonly StoredRemoteSecret[],
  declared: readonly NamedCluster[],
): Required<NamedCluster> {
  const recorded = remoteSecrets.flatMap(({metadata: {annotations = {}}, credentials}) => {
    const peer = annotations[discoveryAnnotations.peer];
    const [only, ...others] = credentials;
    return peer !== undefined && only && others.length === 0 ? [{name: peer, istioName: only.cluster}] : [];
  });
  const isDeclared = (one: string): boolean =>
    declared.some((cluster) => cluster.name === one) || clusterOfIstioName(declared, one) !== undefined;
  const found = recorded.find(
    (one) =>
      (one.name === name || one.istioName === name) &&
      isClusterName(one.name) &&
      canBeDataKey(one.istioName) &&
      !isDeclared(one.name) &&
      !isDeclared(one.istioName),
  );
  return found ?? {name, istioName: name};
}
