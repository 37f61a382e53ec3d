/**
 * Every request by which this program reads a cluster before it decides, a row each; what an effect looks at while it acts is its own. The requests themselves (src/observe/cluster-reader.ts),
 * the rights that docs/verify.md and `access role` list (rights.ts), and what a flag such as `--no-secrets` leaves out
 * (limits.ts) are derived from it.
 */
import {ownerLabel} from '../install/installer.js';
import {installedKinds, type InstalledKind} from '../install/live.js';
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

/** GET of one object that always exists. */
export interface GetRead<T extends KubeObject> extends ReadRow {
  readonly method: 'get';
  /** Carries the type only. */
  readonly object?: T;
}

/** GET of one object that may be absent. */
export interface FindRead<T extends KubeObject> extends ReadRow {
  readonly method: 'find';
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
export type Read = GetRead<KubeObject> | FindRead<KubeObject> | ListRead<KubeObject> | RawRead | ForwardRead;

const get = <T extends KubeObject>(row: Omit<GetRead<T>, 'method'>): GetRead<T> => ({...row, method: 'get'});
const find = <T extends KubeObject>(row: Omit<FindRead<T>, 'method'>): FindRead<T> => ({...row, method: 'find'});
const list = <T extends KubeObject>(row: Omit<ListRead<T>, 'method'>): ListRead<T> => ({...row, method: 'list'});

const core = (kind: string) => ({apiVersions: ['v1'] as const, kind});
const deployment = {apiVersions: ['apps/v1'] as const, kind: 'Deployment'};
const webhooks = (kind: WebhookConfigurationKind) =>
  list<WebhookConfigurationObject>({
    apiVersions: ['admissionregistration.k8s.io/v1'],
    kind,
    scope: 'cluster',
  });
const rbac = (kind: 'Role' | 'RoleBinding' | 'ClusterRole' | 'ClusterRoleBinding') =>
  list<KubeObject>({
    apiVersions: ['rbac.authorization.k8s.io/v1'],
    kind,
    scope: 'cluster',
    when: 'with --access',
    onRequest: '--access',
  });
const installed = ({apiVersion, kind, scope}: InstalledKind) =>
  list<KubeObject>({
    apiVersions: [apiVersion],
    kind,
    scope: scope === 'namespace' ? 'Istio namespace' : 'cluster',
    labelSelector: ownerLabel,
    metadataOnly: true,
    optionalKind: true,
  });

const istioNamespace = 'Istio namespace';
const severalNetworks = 'where clusters are on several networks';
/** What a finished pod held is gone with it. */
const hasNotEnded = 'status.phase!=Succeeded,status.phase!=Failed';

/** The rows by name. Rights are listed in this order. */
export const reads = {
  version: {method: 'raw', path: '/version'},
  /** Its UID is the cluster's. */
  kubeSystem: get<NamespaceObject>({...core('Namespace'), scope: 'cluster', name: 'kube-system'}),
  namespaces: list<NamespaceObject>({...core('Namespace'), scope: 'cluster', metadataOnly: true}),
  deployments: list<DeploymentObject>({...deployment, scope: istioNamespace}),
  pods: list<PodObject>({...core('Pod'), scope: istioNamespace}),
  configMaps: list<ConfigMapObject>({...core('ConfigMap'), scope: istioNamespace}),
  /** The trust bundles of this name in all namespaces. */
  bundles: list<ConfigMapObject>({
    ...core('ConfigMap'),
    scope: 'cluster',
    name: defaultBundleName,
    given: ['name'],
  }),
  cacerts: find<SecretObject>({...core('Secret'), scope: istioNamespace, name: cacertsName}),
  /** Where an istiod that was not given a CA keeps its own. */
  selfSigned: find<SecretObject>({...core('Secret'), scope: istioNamespace, name: selfSignedName}),
  // kubectl looks at the pod before it asks to forward its ports (kubernetes/kubectl pkg/cmd/portforward/portforward.go).
  forwardedPod: {method: 'forward', verb: 'get', ...core('Pod'), scope: istioNamespace},
  portForward: {
    method: 'forward',
    verb: 'create',
    ...core('Pod'),
    subresource: 'portforward',
    scope: istioNamespace,
  },
  mutatingWebhooks: webhooks('MutatingWebhookConfiguration'),
  validatingWebhooks: webhooks('ValidatingWebhookConfiguration'),
  /** Metadata of the pods with a label that have not ended. */
  livingPods: list<KubeObject>({
    ...core('Pod'),
    scope: 'cluster',
    given: ['labelSelector'],
    fieldSelector: hasNotEnded,
    metadataOnly: true,
    when: 'for a day after istiod wrote the roots',
  }),
  /** The pods behind a gateway between networks. */
  gatewayPods: list<PodObject>({
    ...core('Pod'),
    scope: 'given namespace',
    given: ['namespace', 'labelSelector'],
    when: "of east-west gateways outside Istio's namespace",
  }),
  /** Services that say which network they lead into. */
  networkServices: list<ServiceObject>({
    ...core('Service'),
    scope: 'cluster',
    labelSelector: networkLabel,
    when: severalNetworks,
  }),
  // v1 is served since Gateway API 1.0; older installations have v1beta1 alone (gateway-api.sigs.k8s.io: concepts/versioning).
  networkGateways: list<GatewayObject>({
    apiVersions: ['gateway.networking.k8s.io/v1', 'gateway.networking.k8s.io/v1beta1'],
    kind: 'Gateway',
    scope: 'cluster',
    labelSelector: networkLabel,
    optionalKind: true,
    when: `${severalNetworks} and no Service leads into one`,
  }),
  /** A Service that meshNetworks names. */
  gatewayService: find<ServiceObject>({
    ...core('Service'),
    scope: 'given namespace',
    given: ['namespace', 'name'],
    when: 'where meshNetworks names a Service',
  }),
  roles: rbac('Role'),
  roleBindings: rbac('RoleBinding'),
  clusterRoles: rbac('ClusterRole'),
  clusterRoleBindings: rbac('ClusterRoleBinding'),
  /** The one list of Secrets: remote secrets are found by a label, and a list cannot be restricted to one. */
  remoteSecrets: list<SecretObject>({
    ...core('Secret'),
    scope: istioNamespace,
    labelSelector: remoteSecretLabel,
    when: 'with --access',
    onRequest: '--access',
  }),

  // The rest is for commands other than verify.
  /** Istio's own namespace. */
  istioNamespace: find<NamespaceObject>({...core('Namespace'), scope: 'cluster', given: ['name']}),
  /** The same for those who may list namespaces and not get this one. */
  listedNamespace: list<NamespaceObject>({...core('Namespace'), scope: 'cluster', given: ['name'], metadataOnly: true}),
  previous: find<SecretObject>({...core('Secret'), scope: istioNamespace, name: previousName}),
  /** The trust bundle beside istiod. */
  liveBundle: find<ConfigMapObject>({...core('ConfigMap'), scope: istioNamespace, name: defaultBundleName}),
  istiods: list<DeploymentObject>({...deployment, scope: istioNamespace, labelSelector: 'app=istiod'}),
  /** The istiod of one revision. */
  istiod: find<DeploymentObject>({...deployment, scope: istioNamespace, given: ['name']}),
  istiodPods: list<PodObject>({...core('Pod'), scope: istioNamespace, labelSelector: 'app=istiod'}),
  allPods: list<PodObject>({...core('Pod'), scope: 'cluster'}),
  /** Metadata of Istio's ConfigMaps: notes of `install apply` remember the journal in annotations. */
  configMapNotes: list<KubeObject>({...core('ConfigMap'), scope: istioNamespace, metadataOnly: true}),
  /** The note of the last `install apply`. */
  installNote: find<ConfigMapObject>({...core('ConfigMap'), scope: istioNamespace, given: ['name']}),
} as const satisfies Readonly<Record<string, Read>>;

/** The name of a row. */
export type ReadName = keyof typeof reads;

/** The rows of what Istio's installers label, in the order of {@link installedKinds}. */
export const installedReads = installedKinds.map(installed);

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
