/**
 * Every request by which this program reads a cluster before it decides, a row each; what an effect looks at while it acts is its own. The requests themselves (src/observe/cluster-reader.ts),
 * the rights that docs/verify.md and `access role` list (rights.ts), and what a flag such as `--no-secrets` leaves out
 * (limits.ts) are derived from it.
 */
import {ownerLabel} from '../install/installer.js';
import {installedKinds} from '../install/live.js';
import {
  cacertsName,
  defaultBundleName,
  networkLabel,
  previousName,
  remoteSecretLabel,
  selfSignedName,
} from '../istio/names.js';
import type {KubeObject} from '../kube/object.js';
import type {
  ConfigMapObject,
  DeploymentObject,
  GatewayObject,
  NamespaceObject,
  PodObject,
  SecretObject,
  ServiceObject,
  WebhookConfigurationKind,
  WebhookConfigurationObject,
} from '../kube/objects.js';

/** Where the objects are: Istio's namespace, the whole cluster, or a namespace that only the run knows. */
export type ReadScope = 'Istio namespace' | 'cluster' | 'given namespace';

/** What every row says. */
interface ReadRow {
  /** More than one: the newest that the cluster serves. */
  readonly apiVersions: readonly [string, ...string[]];
  readonly kind: string;
  readonly scope: ReadScope;
  /** Only the object of this name. */
  readonly name?: string;
  /** What the caller gives because only the run knows it; a given `name` replaces the row's. */
  readonly given?: readonly (keyof Given)[];
  /** Meshes that verify needs it for, in words; absent: every mesh. */
  readonly when?: string;
  /** Sent by verify only where this flag asks for it. */
  readonly onRequest?: '--access';
}

/** What a caller can add to a row. */
export interface Given {
  readonly namespace?: string;
  readonly name?: string;
  readonly labelSelector?: string;
}

/** GET of one object: `get` where it always exists, `find` where it may be absent. */
export interface ObjectRead<T extends KubeObject, Method extends 'get' | 'find' = 'get' | 'find'> extends ReadRow {
  readonly method: Method;
  /** Carries the type only. */
  readonly object?: T;
}

/** GET of a collection. */
export interface ListRead<T extends KubeObject> extends ReadRow {
  readonly method: 'list';
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly metadataOnly?: true;
  /** Some clusters do not serve the kind: then there is nothing of it. */
  readonly optionalKind?: true;
  readonly object?: T;
}

/** GET of a path that is no object. Every authenticated user may do so. */
export interface RawRead {
  readonly method: 'raw';
  readonly path: string;
}

/** A request of `kubectl port-forward`, which sends it itself. */
export interface ForwardRead extends ReadRow {
  readonly method: 'forward';
  readonly verb: 'get' | 'create';
  readonly subresource?: string;
}

/** One row. */
export type Read = ObjectRead<KubeObject> | ListRead<KubeObject> | RawRead | ForwardRead;

/** Of the kinds that are not in `v1`. */
const apiVersions: Readonly<Record<string, ReadRow['apiVersions']>> = {
  Deployment: ['apps/v1'],
  // v1 is served since Gateway API 1.0; older installations have v1beta1 alone (gateway-api.sigs.k8s.io: concepts/versioning).
  Gateway: ['gateway.networking.k8s.io/v1', 'gateway.networking.k8s.io/v1beta1'],
};

type More<Row extends ReadRow> = Partial<Omit<Row, 'method' | 'kind' | 'scope'>>;

const row = (kind: string, scope: ReadScope) => ({apiVersions: apiVersions[kind] ?? (['v1'] as const), kind, scope});
const get = <T extends KubeObject>(kind: string, scope: ReadScope, name: string): ObjectRead<T, 'get'> => ({
  ...row(kind, scope),
  name,
  method: 'get',
});
const find = <T extends KubeObject>(kind: string, scope: ReadScope, more: More<ReadRow>): ObjectRead<T, 'find'> => ({
  ...row(kind, scope),
  ...more,
  method: 'find',
});
const list = <T extends KubeObject>(kind: string, scope: ReadScope, more: More<ListRead<T>> = {}): ListRead<T> => ({
  ...row(kind, scope),
  ...more,
  method: 'list',
});

const webhooks = (kind: WebhookConfigurationKind) =>
  list<WebhookConfigurationObject>(kind, 'cluster', {apiVersions: ['admissionregistration.k8s.io/v1']});
const withAccess = {when: 'with --access', onRequest: '--access'} as const;
const rbac = (kind: 'Role' | 'RoleBinding' | 'ClusterRole' | 'ClusterRoleBinding') =>
  list<KubeObject>(kind, 'cluster', {apiVersions: ['rbac.authorization.k8s.io/v1'], ...withAccess});

const istioNamespace = 'Istio namespace';
const severalNetworks = 'where clusters are on several networks';
/** What a finished pod held is gone with it. */
const hasNotEnded = 'status.phase!=Succeeded,status.phase!=Failed';

/** The rows by name. Rights are listed in this order. */
export const reads = {
  version: {method: 'raw', path: '/version'},
  /** Its UID is the cluster's. */
  kubeSystem: get<NamespaceObject>('Namespace', 'cluster', 'kube-system'),
  namespaces: list<NamespaceObject>('Namespace', 'cluster', {metadataOnly: true}),
  deployments: list<DeploymentObject>('Deployment', istioNamespace),
  pods: list<PodObject>('Pod', istioNamespace),
  configMaps: list<ConfigMapObject>('ConfigMap', istioNamespace),
  /** The trust bundles of this name in all namespaces. */
  bundles: list<ConfigMapObject>('ConfigMap', 'cluster', {name: defaultBundleName, given: ['name']}),
  cacerts: find<SecretObject>('Secret', istioNamespace, {name: cacertsName}),
  /** Where an istiod that was not given a CA keeps its own. */
  selfSigned: find<SecretObject>('Secret', istioNamespace, {name: selfSignedName}),
  // kubectl looks at the pod before it asks to forward its ports (kubernetes/kubectl pkg/cmd/portforward/portforward.go).
  forwardedPod: {method: 'forward', verb: 'get', ...row('Pod', istioNamespace)},
  portForward: {method: 'forward', verb: 'create', ...row('Pod', istioNamespace), subresource: 'portforward'},
  mutatingWebhooks: webhooks('MutatingWebhookConfiguration'),
  validatingWebhooks: webhooks('ValidatingWebhookConfiguration'),
  /** Metadata of the pods with a label that have not ended. */
  livingPods: list<KubeObject>('Pod', 'cluster', {
    given: ['labelSelector'],
    fieldSelector: hasNotEnded,
    metadataOnly: true,
    when: 'for a day after istiod wrote the roots',
  }),
  /** The pods behind a gateway between networks. */
  gatewayPods: list<PodObject>('Pod', 'given namespace', {
    given: ['namespace', 'labelSelector'],
    when: "of east-west gateways outside Istio's namespace",
  }),
  /** Services that say which network they lead into. */
  networkServices: list<ServiceObject>('Service', 'cluster', {labelSelector: networkLabel, when: severalNetworks}),
  networkGateways: list<GatewayObject>('Gateway', 'cluster', {
    labelSelector: networkLabel,
    optionalKind: true,
    when: `${severalNetworks} and no Service leads into one`,
  }),
  /** A Service that meshNetworks names. */
  gatewayService: find<ServiceObject>('Service', 'given namespace', {
    given: ['namespace', 'name'],
    when: 'where meshNetworks names a Service',
  }),
  roles: rbac('Role'),
  roleBindings: rbac('RoleBinding'),
  clusterRoles: rbac('ClusterRole'),
  clusterRoleBindings: rbac('ClusterRoleBinding'),
  /** The one list of Secrets: remote secrets are found by a label, and a list cannot be restricted to one. */
  remoteSecrets: list<SecretObject>('Secret', istioNamespace, {labelSelector: remoteSecretLabel, ...withAccess}),

  // The rest is for commands other than verify.
  /** Istio's own namespace. */
  istioNamespace: find<NamespaceObject>('Namespace', 'cluster', {given: ['name']}),
  /** The same for those who may list namespaces and not get this one. */
  listedNamespace: list<NamespaceObject>('Namespace', 'cluster', {given: ['name'], metadataOnly: true}),
  previous: find<SecretObject>('Secret', istioNamespace, {name: previousName}),
  /** The trust bundle beside istiod. */
  liveBundle: find<ConfigMapObject>('ConfigMap', istioNamespace, {name: defaultBundleName}),
  istiods: list<DeploymentObject>('Deployment', istioNamespace, {labelSelector: 'app=istiod'}),
  /** The istiod of one revision. */
  istiod: find<DeploymentObject>('Deployment', istioNamespace, {given: ['name']}),
  istiodPods: list<PodObject>('Pod', istioNamespace, {labelSelector: 'app=istiod'}),
  allPods: list<PodObject>('Pod', 'cluster'),
  /** Metadata of Istio's ConfigMaps: notes of `install apply` remember the journal in annotations. */
  configMapNotes: list<KubeObject>('ConfigMap', istioNamespace, {metadataOnly: true}),
  /** The note of the last `install apply`. */
  installNote: find<ConfigMapObject>('ConfigMap', istioNamespace, {given: ['name']}),
} as const satisfies Readonly<Record<string, Read>>;

/** The name of a row. */
export type ReadName = keyof typeof reads;

/** The rows of what Istio's installers label, in the order of {@link installedKinds}. */
export const installedReads = installedKinds.map(({apiVersion, kind, scope}) =>
  list<KubeObject>(kind, scope === 'namespace' ? istioNamespace : 'cluster', {
    apiVersions: [apiVersion],
    labelSelector: ownerLabel,
    metadataOnly: true,
    optionalKind: true,
  }),
);

/** The rows that say who may do what. */
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
