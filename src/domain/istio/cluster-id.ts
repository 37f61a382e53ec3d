/**
 * Cluster IDs of istiod and of proxies: `values.global.multiCluster.clusterName`. Istiod accepts the agents that send its own
 * ID, or that of a remote secret (istio/istio security/pkg/server/ca/authenticate/kubeauth/kube_jwt.go, getKubeClient).
 */
import {istiodContainer} from './image.js';

/** A container's environment, as the API server returns it. */
interface WithEnvironment {
  readonly name?: string;
  readonly env?: readonly {readonly name: string; readonly value?: string; readonly valueFrom?: unknown}[];
}

/**
 * The default of istiods and proxies (istio/istio manifests/charts/istio-control/istio-discovery/templates/deployment.yaml,
 * files/injection-template.yaml; pilot/pkg/bootstrap/server.go, getClusterID, for an empty variable).
 */
export const defaultClusterID = 'Kubernetes';

/** The variable with an istiod's cluster ID, and that with a proxy's (its node metadata CLUSTER_ID). */
export const istiodVariable = 'CLUSTER_ID';
export const proxyVariable = 'ISTIO_META_CLUSTER_ID';

/** Returns an istiod's cluster ID, given the containers of its pods; undefined if it comes from another object. */
export function istiodClusterID(containers: readonly WithEnvironment[]): string | undefined {
  // Of a repeated variable, the last one counts (kubernetes.io: Container v1 core, env).
  const variable = istiodContainer(containers)?.env?.findLast(({name}) => name === istiodVariable);
  if (variable?.valueFrom !== undefined) return undefined;
  return orDefault(variable?.value);
}

/** Returns the cluster ID, or Istio's default for an unset or empty one. */
export function orDefault(clusterID: string | undefined): string {
  return clusterID === undefined || clusterID === '' ? defaultClusterID : clusterID;
}
