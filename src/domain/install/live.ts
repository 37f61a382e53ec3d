/** The objects installed in a cluster, and proof that they are unchanged since `install apply`. */
import {defined} from '../defined.js';
import {sha256Hex} from '../keys/keys.js';
import type {KubeObject} from '../kube/object.js';
import type {ConfigMapObject} from '../kube/objects.js';
import {recordName} from '../istio/names.js';
import {isTree} from '../tree.js';
import {isDefaultTag, isOfInstallation, type Installation} from './ownership.js';

/** A kind that istioctl installs. */
export interface InstalledKind {
  readonly apiVersion: string;
  /** On API servers that do not serve that version yet. */
  readonly olderApiVersions?: readonly string[];
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
  // Kubernetes 1.21 added policy/v1.
  {apiVersion: 'policy/v1', olderApiVersions: ['policy/v1beta1'], kind: 'PodDisruptionBudget', scope: 'namespace'},
  // Istio's telemetry, in older versions (1.14.3: stats-filter-1.14).
  {apiVersion: 'networking.istio.io/v1alpha3', kind: 'EnvoyFilter', scope: 'namespace'},
  // With values.global.networkPolicy.enabled, in newer versions.
  {apiVersion: 'networking.k8s.io/v1', kind: 'NetworkPolicy', scope: 'namespace'},
  {apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', scope: 'cluster'},
  {apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', scope: 'cluster'},
  {apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingWebhookConfiguration', scope: 'cluster'},
  {apiVersion: 'admissionregistration.k8s.io/v1', kind: 'ValidatingWebhookConfiguration', scope: 'cluster'},
  {apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', scope: 'cluster'},
];

/** The field manager of istioctl's server-side apply (1.31.0:operator/pkg/install/install.go). */
const applyManager = 'istio-operator';
/**
 * The start of the field manager of istioctl's other writes: the name of its program. 1.6 to 1.8 create and update objects
 * without server-side apply, and 1.9 to 1.23 on an API server where they do not detect it (istio/istio#29166, #32189, #43491).
 */
const updateManager = 'istioctl';

/**
 * Returns a digest of the objects of {@link installedKinds} that our document owns in a cluster: the identity of each, and which
 * of its fields istioctl set last and when. Any later change of such a field by another client removes it from istioctl's managed fields,
 * with server-side apply and without (Kubernetes documentation, "Server-Side Apply", field management), and a change by
 * istioctl has another time. An equal digest therefore proves that nothing was changed, removed or added; where revision tag
 * `default` points, and which document wrote it last, is no reason to install again. Undefined if there is no proof: nothing is
 * installed, or the API server does not record field managers (before Kubernetes 1.18).
 */
export function liveDigest(objects: readonly KubeObject[], installation: Installation): string | undefined {
  const ours = objects.filter((object) => !isDefaultTag(object) && isOfInstallation(object, installation));
  const lines = ours.map(objectLine);
  if (lines.length === 0 || lines.includes(undefined)) return undefined;
  const tags = objects.filter(isDefaultTag).map((object) => JSON.stringify(identityOf(object)));
  return sha256Hex([...lines, ...tags].sort().join('\n'));
}

function identityOf({kind, metadata: {namespace = '', name, uid = ''}}: KubeObject): readonly string[] {
  return [kind, namespace, name, uid];
}

function objectLine(object: KubeObject): string | undefined {
  const {kind, metadata} = object;
  const identity = identityOf(object);
  // istiod sets caBundle and failurePolicy of its webhooks after the installation.
  if (kind.endsWith('WebhookConfiguration')) return JSON.stringify(identity);
  // All fields of the document are applied, also those of an object that an earlier istioctl created by other means.
  const {managedFields = []} = metadata;
  const applied = managedFields.filter(({manager, operation}) => manager === applyManager && operation === 'Apply');
  const updated = managedFields.filter(({manager = ''}) => manager.startsWith(updateManager));
  const set = applied.length > 0 ? applied : updated;
  const fields = set.flatMap(({time = '', fieldsV1}) => [time, withoutStatus(fieldsV1)]);
  return set.length === 0 ? undefined : JSON.stringify([...identity, ...fields]);
}

/** Controllers take over a status that was part of a created object (the CustomResourceDefinitions of old charts). */
function withoutStatus(fields: unknown): unknown {
  return isTree(fields) ? Object.fromEntries(Object.entries(fields).filter(([key]) => key !== 'f:status')) : null;
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
