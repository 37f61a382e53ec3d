/** Names of what `verify --traffic` creates, in each cluster. */
import {managedByLabel} from '../kube/manager.js';
import type {KubeObject, ObjectRef} from '../kube/object.js';

/** Its namespace: the same in every cluster, because a Service spans the clusters in which its namespace exists. */
export const trafficNamespace = 'kubectl-mesh-traffic';

/** The service account of its pods, which mount no token of it. */
export const trafficAccount = 'traffic';

/** The Deployments and the values of label `app`. */
export const echoName = 'echo';
export const clientName = 'client';

/** The port on which both listen: pods that do not run as root cannot use lower ones. */
export const trafficPort = 8080;

/** On the namespace and everything in it. */
export const trafficLabels = {[managedByLabel]: 'kubectl-mesh', 'kubectl-mesh/traffic': 'true'} as const;

/** Selects what has these labels. */
export const trafficSelector = Object.entries(trafficLabels)
  .map(([key, value]) => `${key}=${value}`)
  .join(',');

/** Whether an object has these labels. */
export function hasTrafficLabels({metadata: {labels = {}}}: KubeObject): boolean {
  return Object.entries(trafficLabels).every(([key, value]) => labels[key] === value);
}

/** On a namespace that `access role --role traffic` created: it stays, because those who have only that role cannot create it. */
export const keepLabel = 'kubectl-mesh/keep';

/** Whether a namespace has this label. */
export function isKept(namespace: KubeObject | undefined): boolean {
  return namespace?.metadata.labels?.[keepLabel] === 'true';
}

/** The object that is created first and removed last: the namespace, or the service account in one that is kept. */
export function holderRef(isNamespaceKept: boolean): ObjectRef {
  return isNamespaceKept
    ? {apiVersion: 'v1', kind: 'ServiceAccount', namespace: trafficNamespace, name: trafficAccount}
    : {apiVersion: 'v1', kind: 'Namespace', name: trafficNamespace};
}

/** On the pods of a cluster, and the selector of its Service. */
export const targetLabel = 'kubectl-mesh/traffic-target';

/** On the pods of a run, and the selector of its Services: pods of an earlier run, which are still ending, do not count. */
export const runLabel = 'kubectl-mesh/run';

/**
 * On the object of {@link holderRef}: the run that holds the namespace, its work directory, and until when it may
 * still be running (RFC 3339).
 */
export const runAnnotation = 'kubectl-mesh/run';
export const ownerAnnotation = 'kubectl-mesh/work-directory';
export const untilAnnotation = 'kubectl-mesh/until';

/**
 * The Service of a cluster. Names of Services have at most 63 characters (kubernetes.io: concepts/overview/working-with-objects/names,
 * RFC 1035 label names): a cluster with a longer one is numbered.
 */
export function echoService(cluster: string, clusters: readonly string[]): string {
  const name = `${echoName}-${cluster}`;
  return name.length <= 63 ? name : `peer-${String(clusters.indexOf(cluster) + 1)}`;
}

/** The host of a cluster's Service, as seen in every cluster. The domain of a cluster's DNS may differ, so it is left out. */
export function echoHost(cluster: string, clusters: readonly string[]): string {
  return `${echoService(cluster, clusters)}.${trafficNamespace}`;
}
