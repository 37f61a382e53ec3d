/** The objects installed in a cluster, and proof that they are unchanged since `install apply`. */
import {defined} from '../defined.js';
import {sha256Hex} from '../keys/keys.js';
import type {KubeObject} from '../kube/object.js';
import type {ConfigMapObject} from '../kube/objects.js';
import {recordName} from '../istio/names.js';
import {documentName} from './formats/istio-operator.js';
import {ownerLabel} from './installer.js';

/** A kind that istioctl installs. */
export interface InstalledKind {
  readonly apiVersion: string;
  readonly kind: string;
  readonly scope: 'namespace' | 'cluster';
}

/** The kinds of objects in istioctl's charts (istio/istio manifests/charts; operator/pkg/uninstall/prune.go). */
export const installedKinds: readonly InstalledKind[] = [
  {apiVersion: 'apps/v1', kind: 'Deployment', scope: 'namespace'},
  {apiVersion: 'apps/v1', kind: 'DaemonSet', scope: 'namespace'},
  {apiVersion: 'v1', kind: 'Service', scope: 'namespace'},
  {apiVersion: 'v1', kind: 'ConfigMap', scope: 'namespace'},
  {apiVersion: 'v1', kind: 'ServiceAccount', scope: 'namespace'},
  {apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'Role', scope: 'namespace'},
  {apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'RoleBinding', scope: 'namespace'},
  {apiVersion: 'autoscaling/v1', kind: 'HorizontalPodAutoscaler', scope: 'namespace'},
  {apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', scope: 'namespace'},
  {apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', scope: 'cluster'},
  {apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', scope: 'cluster'},
  {apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', scope: 'cluster'},
  {apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', scope: 'cluster'},
  {apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', scope: 'cluster'},
];

/** The field manager of istioctl's server-side apply (istio/istio operator/pkg/install/install.go). */
const istioctlManager = 'istio-operator';

/**
 * Returns a digest of everything that our document owns in a cluster: the identity of each object, and which of its fields
 * istioctl set last and when. Any later change of such a field removes it from istioctl's managed fields, so an equal
 * digest proves that nothing was changed, removed or added. Undefined if there is no proof: nothing is installed, or
 * istioctl installed it without server-side apply.
 */
export function liveDigest(objects: readonly KubeObject[]): string | undefined {
  const ours = objects.filter(({metadata}) => metadata.labels?.[ownerLabel] === documentName);
  const lines = ours.map(objectLine);
  if (lines.length === 0 || lines.includes(undefined)) return undefined;
  return sha256Hex(lines.sort().join('\n'));
}

function objectLine({kind, metadata}: KubeObject): string | undefined {
  const identity = [kind, metadata.namespace ?? '', metadata.name, metadata.uid ?? ''];
  // istiod sets caBundle and failurePolicy of its webhooks after the installation.
  if (kind.endsWith('WebhookConfiguration')) return JSON.stringify(identity);
  const applied = metadata.managedFields?.find(
    ({manager, operation}) => manager === istioctlManager && operation === 'Apply',
  );
  return applied && JSON.stringify([...identity, applied.time ?? '', applied.fieldsV1 ?? null]);
}

/** The record that `install apply` writes to the cluster after it succeeded. */
export interface InstallRecord {
  /** SHA-256 of the install.yaml that was applied. */
  readonly installYaml: string;
  /** istioctl's version, as istioctl reports it. */
  readonly istioctl: string;
  /** {@link liveDigest} right after the installation; empty if there is none. */
  readonly live: string;
}

/** Reads an install record; undefined if the ConfigMap does not contain one. */
export function readRecord(configMap: ConfigMapObject | undefined): InstallRecord | undefined {
  const {installYaml, istioctl, live} = configMap?.data ?? {};
  return installYaml === undefined || istioctl === undefined || live === undefined
    ? undefined
    : {installYaml, istioctl, live};
}

/** Returns the ConfigMap with a record, which replaces `before` if that exists. */
export function recordObject(
  record: InstallRecord,
  place: {readonly namespace: string; readonly revision: string | undefined},
  before: KubeObject | undefined,
): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: defined({
      name: recordName(place.revision),
      namespace: place.namespace,
      labels: {'app.kubernetes.io/managed-by': 'kubectl-mesh'},
      resourceVersion: before?.metadata.resourceVersion,
    }),
    data: {...record},
  };
}
