/**
 * The rights that verify's requests need (RBAC), as data: docs/verify.md lists them, and the tests hold every request to
 * them. Besides these, `/version` is read, which every authenticated user may (kubernetes.io: reference/access-authn-authz/rbac,
 * "API discovery roles").
 */
import {defaultBundleName} from '../istio/names.js';
import type {ClusterFactKey} from './facts.js';

/** One right. */
export interface Right {
  readonly verb: 'get' | 'list' | 'create';
  /** API group; empty for the core group. */
  readonly group: string;
  /** Plural, with a subresource behind a slash. */
  readonly resource: string;
  /** Only the object of this name; `list` is then asked for with this name alone. */
  readonly name?: string;
  /** `everywhere`: in all namespaces, or of a kind that has none. */
  readonly where: 'Istio namespace' | 'everywhere';
  /** Facts that are unknown without it. */
  readonly facts: readonly ClusterFactKey[];
  /** Meshes that need it; absent: all. */
  readonly when?: string;
  /** Needed only where this flag asks for it. */
  readonly onRequest?: '--access';
}

/** What tells of control planes: everything that a running istiod is asked hangs on it, too. */
const ofControlPlanes = [
  'controlPlanes',
  'bundles',
  'networkGateways',
  'servedChains',
  'istiodMetrics',
  'istiodClusters',
  'liveRoots',
  'proxyRoots',
] as const satisfies readonly ClusterFactKey[];

const live = ['servedChains', 'istiodMetrics', 'istiodClusters'] as const satisfies readonly ClusterFactKey[];

const severalNetworks = 'where clusters are on several networks';

/** Every right of a full run, in the order in which docs/verify.md lists them. */
export const verifyRights: readonly Right[] = [
  {verb: 'get', group: '', resource: 'namespaces', name: 'kube-system', where: 'everywhere', facts: ['clusterUid']},
  {verb: 'list', group: '', resource: 'namespaces', where: 'everywhere', facts: ['namespaces']},
  {
    verb: 'list',
    group: 'apps',
    resource: 'deployments',
    where: 'Istio namespace',
    facts: ['gateways', ...ofControlPlanes],
  },
  {
    verb: 'list',
    group: '',
    resource: 'pods',
    where: 'Istio namespace',
    facts: ['gateways', 'ztunnelPods', ...ofControlPlanes],
  },
  {
    verb: 'list',
    group: '',
    resource: 'configmaps',
    where: 'Istio namespace',
    facts: [...ofControlPlanes, 'journalHeads'],
  },
  {
    verb: 'list',
    group: '',
    resource: 'configmaps',
    name: defaultBundleName,
    where: 'everywhere',
    facts: ['bundles'],
  },
  {
    verb: 'get',
    group: '',
    resource: 'secrets',
    name: 'cacerts',
    where: 'Istio namespace',
    facts: ['cacerts', 'cacertsContents', 'pushedTrust', 'journalHeads'],
  },
  {
    verb: 'get',
    group: '',
    resource: 'secrets',
    name: 'istio-ca-secret',
    where: 'Istio namespace',
    facts: ['selfSignedRoot'],
  },
  // kubectl looks at the pod before it asks to forward its ports (kubernetes/kubectl pkg/cmd/portforward/portforward.go).
  {verb: 'get', group: '', resource: 'pods', where: 'Istio namespace', facts: live},
  {verb: 'create', group: '', resource: 'pods/portforward', where: 'Istio namespace', facts: live},
  {
    verb: 'list',
    group: 'admissionregistration.k8s.io',
    resource: 'mutatingwebhookconfigurations',
    where: 'everywhere',
    facts: ['webhooks'],
  },
  {
    verb: 'list',
    group: 'admissionregistration.k8s.io',
    resource: 'validatingwebhookconfigurations',
    where: 'everywhere',
    facts: ['webhooks'],
  },
  {
    verb: 'list',
    group: '',
    resource: 'pods',
    where: 'everywhere',
    facts: ['proxyRoots', 'networkGateways'],
    when: "for a day after istiod wrote the roots, and of east-west gateways outside Istio's namespace",
  },
  {
    verb: 'list',
    group: '',
    resource: 'services',
    where: 'everywhere',
    facts: ['networkGateways'],
    when: severalNetworks,
  },
  {
    verb: 'list',
    group: 'gateway.networking.k8s.io',
    resource: 'gateways',
    where: 'everywhere',
    facts: ['networkGateways'],
    when: `${severalNetworks} and no Service leads into one`,
  },
  {
    verb: 'get',
    group: '',
    resource: 'services',
    where: 'everywhere',
    facts: ['networkGateways'],
    when: 'where meshNetworks names a Service',
  },
  ...['roles', 'rolebindings', 'clusterroles', 'clusterrolebindings'].map((resource): Right => ({
    verb: 'list',
    group: 'rbac.authorization.k8s.io',
    resource,
    where: 'everywhere',
    facts: ['rbac'],
    when: 'with --access',
    onRequest: '--access',
  })),
  // Remote secrets are found by a label, and a list cannot be restricted to one.
  {
    verb: 'list',
    group: '',
    resource: 'secrets',
    where: 'Istio namespace',
    facts: ['remoteCredentials'],
    when: 'with --access',
    onRequest: '--access',
  },
];

/** `pods/portforward`, `deployments.apps`: a resource as kubectl is told it. */
export function resourceOfRight({group, resource}: Pick<Right, 'group' | 'resource'>): string {
  return group === '' ? resource : `${resource}.${group}`;
}
