/**
 * The name under which Istio knows a cluster, where it is not the name in mesh.yaml. Ours is a directory and a part of object
 * names; Istio's is the cluster ID of istiod, of its proxies and of remote secrets. An agent that sends another one is rejected
 * (istio/istio security/pkg/server/ca/authenticate/kubeauth/kube_jwt.go, getKubeClient), so a running cluster keeps its name.
 */
import {dnsLabelPattern} from './names.js';
import type {MeshFileCluster} from './schema.js';

/** A cluster with both names. */
export type NamedCluster = Pick<MeshFileCluster, 'name' | 'istioName'>;

/** Returns the name that istiod, its proxies and remote secrets use for a cluster. */
export function istioNameOf({name, istioName}: NamedCluster): string {
  return istioName ?? name;
}

/** Returns the cluster that Istio knows under this name. */
export function clusterOfIstioName<Cluster extends NamedCluster>(
  clusters: readonly Cluster[],
  istioName: string,
): Cluster | undefined {
  return clusters.find((cluster) => istioNameOf(cluster) === istioName);
}

/** Returns the cluster that has this name already, in mesh.yaml or for Istio, and is not the one named `except`. */
export function ownerOfIstioName<Cluster extends NamedCluster>(
  clusters: readonly Cluster[],
  istioName: string,
  except: string,
): Cluster | undefined {
  return clusters.find((one) => one.name !== except && (one.name === istioName || istioNameOf(one) === istioName));
}

/** The longest data key of a Secret (kubernetes/apimachinery pkg/util/validation/validation.go, IsConfigMapKey). */
const maxDataKeyLength = 253;

/** Reports whether a remote secret can exist for a cluster: its data key is the cluster's name. */
export function canBeDataKey(istioName: string): boolean {
  return istioName.length <= maxDataKeyLength && /^(?!\.$|\.\.)[-._a-zA-Z0-9]+$/.test(istioName);
}

/**
 * Reports whether `istioctl create-remote-secret --name` accepts a cluster name, and the API server the name of the Secret
 * that it prints (istio/istio istioctl/pkg/multicluster/remote_secret.go, pkg/config/labels/instance.go, IsDNS1123Label).
 */
export function canCreateRemoteSecret(istioName: string): boolean {
  return dnsLabelPattern.test(istioName);
}
