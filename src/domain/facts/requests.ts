/**
 * All requests that read a cluster before a plan is made, one row each; reads during an effect are not included. The requests
 * themselves (src/observe/cluster-reader.ts), the rights that docs/verify.md and `access role` list (rights.ts), and the
 * requests that a flag such as `--no-secrets` excludes (limits.ts) are derived from this table.
 */
import {
  apiServerCaConfigMap,
  managedSelector,
  multiClusterSelector,
  readerServiceAccount,
  remoteSecretName,
} from '../discovery/names.js';
import {crossNetworkName, eastWestName} from '../install/east-west/kind.js';
import {installedKinds} from '../install/live.js';
import {installerLabels} from '../install/ownership.js';
import {
  bundleLockName,
  cacertsName,
  defaultBundleName,
  networkLabel,
  previousName,
  selfSignedName,
} from '../istio/names.js';
import type {KubeObject} from '../kube/object.js';
import type {
  ConfigMapObject,
  DefinitionObject,
  DeploymentObject,
  GatewayObject,
  IstioGatewayObject,
  NamespaceObject,
  PodObject,
  RoleBindingObject,
  RoleObject,
  SecretObject,
  ServiceObject,
  WebhookConfigurationKind,
  WebhookConfigurationObject,
} from '../kube/objects.js';
import type {ListRead, ObjectRead, Read, ReadRow, ReadScope} from './request-row.js';

export type * from './request-row.js';

/** The API versions of kinds outside `v1`. */
const apiVersions: Readonly<Record<string, ReadRow['apiVersions']>> = {
  Deployment: ['apps/v1'],
  // v1 is served since Gateway API 1.0; older installations have only v1beta1 (gateway-api.sigs.k8s.io: concepts/versioning).
  Gateway: ['gateway.networking.k8s.io/v1', 'gateway.networking.k8s.io/v1beta1'],
};

type Extra<Row extends ReadRow> = Partial<Omit<Row, 'method' | 'kind' | 'scope'>>;

const row = (kind: string, scope: ReadScope) => ({apiVersions: apiVersions[kind] ?? (['v1'] as const), kind, scope});
const get = <T extends KubeObject>(kind: string, scope: ReadScope, name: string): ObjectRead<T, 'get'> => ({
  ...row(kind, scope),
  name,
  method: 'get',
});
const find = <T extends KubeObject>(kind: string, scope: ReadScope, extra: Extra<ReadRow>): ObjectRead<T, 'find'> => ({
  ...row(kind, scope),
  ...extra,
  method: 'find',
});
const list = <T extends KubeObject>(kind: string, scope: ReadScope, extra: Extra<ListRead<T>> = {}): ListRead<T> => ({
  ...row(kind, scope),
  ...extra,
  method: 'list',
});

const webhooks = (kind: WebhookConfigurationKind) =>
  list<WebhookConfigurationObject>(kind, 'cluster', {apiVersions: ['admissionregistration.k8s.io/v1']});
const withAccess = {when: 'with --access', onRequest: '--access'} as const;
const rbac = <T extends RoleObject | RoleBindingObject>(kind: string) =>
  list<T>(kind, 'cluster', {apiVersions: ['rbac.authorization.k8s.io/v1'], ...withAccess});

const istioNamespace = 'Istio namespace';
const severalNetworks = 'where clusters are on several networks';
const severalClusters = 'where the mesh has several clusters';
/** Excludes completed pods, whose certificates are gone. */
const isNotCompleted = 'status.phase!=Succeeded,status.phase!=Failed';

/** The rows by name. Rights are listed in this order. */
export const reads = {
  version: {method: 'raw', path: '/version'},
  /** Its UID identifies the cluster. */
  kubeSystem: get<NamespaceObject>('Namespace', 'cluster', 'kube-system'),
  namespaces: list<NamespaceObject>('Namespace', 'cluster', {metadataOnly: true}),
  deployments: list<DeploymentObject>('Deployment', istioNamespace),
  pods: list<PodObject>('Pod', istioNamespace),
  configMaps: list<ConfigMapObject>('ConfigMap', istioNamespace),
  /** The trust bundles of this name in all namespaces. */
  bundles: list<ConfigMapObject>('ConfigMap', 'cluster', {name: defaultBundleName, given: ['name']}),
  /** The istiods of all namespaces: another control plane may write the same bundles. */
  allIstiods: list<DeploymentObject>('Deployment', 'cluster', {labelSelector: 'app=istiod'}),
  /** Metadata of the locks with which istiods elect the one that writes bundles, one in each control plane's namespace. */
  bundleLocks: list<KubeObject>('ConfigMap', 'cluster', {name: bundleLockName, metadataOnly: true}),
  /** The mesh configs of this name in all namespaces. */
  meshConfigs: list<ConfigMapObject>('ConfigMap', 'cluster', {
    name: 'istio',
    given: ['name'],
    when: 'where another control plane runs in the cluster',
  }),
  cacerts: find<SecretObject>('Secret', istioNamespace, {name: cacertsName}),
  /** The Secret that istiod mounts instead of cacerts. */
  mountedCa: find<SecretObject>('Secret', istioNamespace, {
    given: ['name'],
    when: 'where istiod mounts another Secret than cacerts',
    isGrantedByName: true,
  }),
  /** The CA that the last push or rollback replaced. */
  previous: find<SecretObject>('Secret', istioNamespace, {name: previousName}),
  /** The self-signed CA of an istiod without cacerts. */
  selfSigned: find<SecretObject>('Secret', istioNamespace, {name: selfSignedName}),
  // kubectl reads the pod before it forwards its ports (kubernetes/kubectl pkg/cmd/portforward/portforward.go).
  forwardedPod: {method: 'forward', verb: 'get', ...row('Pod', istioNamespace)},
  portForward: {method: 'forward', verb: 'create', ...row('Pod', istioNamespace), subresource: 'portforward'},
  mutatingWebhooks: webhooks('MutatingWebhookConfiguration'),
  validatingWebhooks: webhooks('ValidatingWebhookConfiguration'),
  /** Metadata of the pods with a label that have not completed. */
  livingPods: list<KubeObject>('Pod', 'cluster', {
    given: ['labelSelector'],
    fieldSelector: isNotCompleted,
    metadataOnly: true,
    when: 'for a day after istiod wrote the roots; for ztunnel elsewhere',
  }),
  /** The pods of an east-west gateway. */
  gatewayPods: list<PodObject>('Pod', 'given namespace', {
    given: ['namespace', 'labelSelector'],
    when: "for east-west gateways outside Istio's namespace",
  }),
  /** Services with a network label. */
  networkServices: list<ServiceObject>('Service', 'cluster', {labelSelector: networkLabel, when: severalNetworks}),
  /** Kubernetes Gateways: with a network label, or exposing services through a Service with one. */
  networkGateways: list<GatewayObject>('Gateway', 'cluster', {optionalKind: true, when: severalNetworks}),
  /** Gateways of Istio, in the version that every Istio serves. */
  istioGateways: list<IstioGatewayObject>('Gateway', 'cluster', {
    apiVersions: ['networking.istio.io/v1alpha3'],
    optionalKind: true,
    when: severalNetworks,
  }),
  /** A Service that meshNetworks refers to. */
  gatewayService: find<ServiceObject>('Service', 'given namespace', {
    given: ['namespace', 'name'],
    when: 'where meshNetworks refers to a Service',
  }),
  /** A Service that a gateway exposes to other networks. */
  exposedService: find<ServiceObject>('Service', 'given namespace', {
    given: ['namespace', 'name'],
    when: severalNetworks,
  }),
  /** The remote secret for one cluster of mesh.yaml. */
  remoteSecret: find<SecretObject>('Secret', istioNamespace, {
    given: ['name'],
    nameOf: remoteSecretName,
    when: severalClusters,
    isReadOnce: true,
  }),
  /** The same for all clusters: with 200 clusters, one request to each replaces 200. */
  listedRemoteSecrets: list<SecretObject>('Secret', istioNamespace, {
    labelSelector: multiClusterSelector,
    when: 'where the mesh has many clusters',
    isShortcut: true,
    isReadOnce: true,
  }),
  /** The service account as which other clusters read this one. */
  readerAccount: find<KubeObject>('ServiceAccount', istioNamespace, {
    name: readerServiceAccount,
    when: severalClusters,
  }),
  /** Whether the cluster accepts a token that another cluster's remote secret holds. */
  tokenReview: {
    ...row('TokenReview', 'cluster'),
    apiVersions: ['authentication.k8s.io/v1'],
    method: 'review',
    when: severalClusters,
  },
  roles: rbac<RoleObject>('Role'),
  roleBindings: rbac<RoleBindingObject>('RoleBinding'),
  clusterRoles: rbac<RoleObject>('ClusterRole'),
  clusterRoleBindings: rbac<RoleBindingObject>('ClusterRoleBinding'),
  /** Remote secrets of any name are found by label. RBAC cannot restrict a list to it, so the right includes all Secrets. */
  remoteSecrets: list<SecretObject>('Secret', istioNamespace, {labelSelector: multiClusterSelector, ...withAccess}),

  // The other rows are for commands other than verify.
  /** Istio's own namespace. */
  istioNamespace: find<NamespaceObject>('Namespace', 'cluster', {given: ['name']}),
  /** The same for users who can list namespaces but not get this one. */
  listedNamespace: list<NamespaceObject>('Namespace', 'cluster', {given: ['name'], metadataOnly: true}),
  /** The trust bundle in Istio's namespace. */
  liveBundle: find<ConfigMapObject>('ConfigMap', istioNamespace, {name: defaultBundleName, given: ['name']}),
  istiods: list<DeploymentObject>('Deployment', istioNamespace, {labelSelector: 'app=istiod'}),
  istiodPods: list<PodObject>('Pod', istioNamespace, {labelSelector: 'app=istiod'}),
  allPods: list<PodObject>('Pod', 'cluster'),
  /** Metadata of ConfigMaps in Istio's namespace: those of `install apply` hold journal heads in annotations. */
  configMapMetadata: list<KubeObject>('ConfigMap', istioNamespace, {metadataOnly: true}),
  /** The CA of the API server. */
  apiServerCa: find<ConfigMapObject>('ConfigMap', istioNamespace, {name: apiServerCaConfigMap}),
  /** A remote secret, or a reader Secret: link knows their names. */
  discoverySecret: find<SecretObject>('Secret', istioNamespace, {given: ['name'], isGrantedByName: true}),
  /** Metadata of the Secrets that this program created: unlink finds reader Secrets among them. */
  managedSecrets: list<KubeObject>('Secret', istioNamespace, {labelSelector: managedSelector, metadataOnly: true}),
  /** The Gateway that exposes the mesh's services to other networks, in the version that every Istio serves. */
  crossNetworkGateway: find<KubeObject>('Gateway', istioNamespace, {
    apiVersions: ['networking.istio.io/v1alpha3'],
    name: crossNetworkName,
  }),
  /** The Kubernetes Gateway for which istiod deploys the east-west gateway. */
  eastWestResource: find<GatewayObject>('Gateway', istioNamespace, {
    // The versions that `install render` writes.
    apiVersions: [
      'gateway.networking.k8s.io/v1',
      'gateway.networking.k8s.io/v1beta1',
      'gateway.networking.k8s.io/v1alpha2',
    ],
    name: eastWestName,
  }),
  /** The definition of a kind of Gateway: whether the cluster serves it. */
  gatewayDefinition: find<DefinitionObject>('CustomResourceDefinition', 'cluster', {
    apiVersions: ['apiextensions.k8s.io/v1'],
    given: ['name'],
  }),
  /** The Services of an east-west gateway. */
  eastWestServices: list<ServiceObject>('Service', istioNamespace, {given: ['labelSelector']}),
  /** The ConfigMap that the last `install apply` wrote. */
  installRecord: find<ConfigMapObject>('ConfigMap', istioNamespace, {given: ['name']}),
} as const satisfies Readonly<Record<string, Read>>;

/** The name of a row. */
export type ReadName = keyof typeof reads;

/** The rows for objects that Istio's installers label, in the order of {@link installedKinds}. */
export const installedReads = installedKinds.map(({apiVersion, olderApiVersions = [], kind, scope}) =>
  list<KubeObject>(kind, scope === 'namespace' ? istioNamespace : 'cluster', {
    apiVersions: [apiVersion, ...olderApiVersions],
    labelSelector: installerLabels.owner,
    metadataOnly: true,
    optionalKind: true,
  }),
);

/** The rows that read RBAC. */
export const rbacReads = [
  'clusterRoles',
  'clusterRoleBindings',
  'roles',
  'roleBindings',
] as const satisfies readonly ReadName[];

/** Whether a row reads Secrets. */
export function readsSecrets(name: ReadName): boolean {
  const read: Read = reads[name];
  return read.method !== 'raw' && read.kind === 'Secret';
}
