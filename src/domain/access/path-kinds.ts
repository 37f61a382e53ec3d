/**
 * What a right leads to: the ways from a rule of RBAC to a Secret of Istio's namespace that one rule alone opens. Ways that
 * need several rights, or another subject's, are in `escalation.ts`.
 *
 * `pods/portforward` is no way: it reaches the ports of a pod and no file of it, and no port of istiod gives the CA key
 * away (istio/istio pilot/pkg/xds/debug.go). Neither is `pods/log` or `pods/proxy`.
 */
import {defined} from '../defined.js';
import {cacertsName, previousName} from '../istio/names.js';
import {qualifiedResource} from '../kube/kinds.js';
import {bindingApplies, ruleAllows, type Query, type Grant, type PolicyRule} from '../kube/rbac.js';
import type {Subject} from '../kube/subjects.js';

/**
 * What one gets: `reads` a Secret through the API, `reaches` it some other way, `replaces` it (another CA then signs for
 * the mesh) without seeing it.
 */
export type Effect = 'reads' | 'reaches' | 'replaces';

/** Every way: what one gets by it, and how it reads after "may". The strongest first. */
export const ways = {
  superuser: {effect: 'reads', says: 'do everything, by the API server itself'},
  'read-secret': {effect: 'reads', says: 'read the Secret'},
  workload: {effect: 'reaches', says: "run or change a workload in Istio's namespace, which may mount the Secret"},
  exec: {effect: 'reaches', says: "run programs in istiod's pods, which have it mounted"},
  'ephemeral-container': {effect: 'reaches', says: "put a container into istiod's pods, which have it mounted"},
  node: {effect: 'reaches', says: 'run programs in any pod, through the kubelets'},
  impersonate: {effect: 'reaches', says: 'act as somebody who reaches it'},
  escalate: {effect: 'reaches', says: 'give a role of its own any right'},
  bind: {effect: 'reaches', says: 'bind itself to a role that reaches it'},
  token: {effect: 'reaches', says: 'get a token of a service account that reaches it'},
  'pod-of': {effect: 'reaches', says: 'run a pod as a service account that reaches it'},
  'in-pod-of': {effect: 'reaches', says: 'run programs in pods of a service account that reaches it'},
  'replace-secret': {effect: 'replaces', says: 'put another CA into the Secret'},
} as const satisfies Readonly<Record<string, {readonly effect: Effect; readonly says: string}>>;

/** How a right leads to a Secret of Istio's namespace. */
export type WayId = keyof typeof ways;

/** The Secrets that hold the key of a cluster's CA, or held it, or will be the CA when those are gone. */
export const caSecrets: readonly string[] = [cacertsName, previousName, 'istio-ca-secret'];

/** What has to be reached. */
export interface Target {
  /** Istio's. */
  readonly namespace: string;
  /** Any of these Secrets. */
  readonly secrets: readonly string[];
}

/** A right as it was granted: `*` where the rule says so. */
export interface GrantedRight {
  readonly verb: string;
  readonly resource: string;
  readonly name?: string;
}

/** A way to the key that a subject has, and what grants it. */
export interface Way {
  readonly way: WayId;
  readonly rights: readonly GrantedRight[];
  /** The bindings that give the rights, with their roles; empty where the API server itself does. */
  readonly grants: readonly Grant[];
  /** As whom it goes on. */
  readonly via?: Subject;
}

/** What runs pods: all kinds of Kubernetes that have a pod template, and pods (kubernetes.io: concepts/workloads). */
export const workloads: readonly Pick<Query, 'group' | 'resource'>[] = [
  {group: '', resource: 'pods'},
  {group: '', resource: 'replicationcontrollers'},
  ...['deployments', 'replicasets', 'statefulsets', 'daemonsets'].map((resource) => ({group: 'apps', resource})),
  ...['jobs', 'cronjobs'].map((resource) => ({group: 'batch', resource})),
];

/** Requests that differ in the verb. */
export function each(verbs: readonly string[], of: Omit<Query, 'verb'>): readonly Query[] {
  return verbs.map((verb) => ({...of, verb}));
}

export const anyName = (): boolean => true;

/** Istiod's pods, as its Deployments call them: `istiod-…`, `istiod-REVISION-…`. */
const ofIstiod = (name: string): boolean => name.startsWith('istiod');

/** The requests of each simple way; any one of them suffices. */
function simpleWays({namespace, secrets}: Target): readonly {readonly way: WayId; readonly asked: readonly Query[]}[] {
  const secret = {group: '', resource: 'secrets', namespace};
  const inPod = (resource: string, verbs: readonly string[]): readonly Query[] =>
    each(verbs, {group: '', resource: `pods/${resource}`, namespace, name: ofIstiod});
  return [
    {
      way: 'read-secret',
      asked: [
        // A list of one name is allowed to whom that name is (k8s.io/apiserver pkg/endpoints/request/requestinfo.go). The
        // answers to a patch and to the deletion of a collection hold the objects (pkg/registry/generic/registry/store.go).
        ...secrets.flatMap((name) => each(['get', 'list', 'watch', 'patch'], {...secret, name})),
        {...secret, verb: 'deletecollection'},
      ],
    },
    {
      way: 'workload',
      asked: workloads.flatMap((kind): readonly Query[] => [
        {...kind, verb: 'create', namespace},
        // Of a pod that runs only its images can be changed: that counts where it has the Secret mounted.
        ...each(['update', 'patch'], {...kind, namespace, name: kind.resource === 'pods' ? ofIstiod : anyName}),
      ]),
    },
    // Over WebSockets these are GET, and are authorized as such (kubernetes/kubernetes issue 78741).
    {way: 'exec', asked: [...inPod('exec', ['create', 'get']), ...inPod('attach', ['create', 'get'])]},
    {way: 'ephemeral-container', asked: inPod('ephemeralcontainers', ['update', 'patch'])},
    // The kubelet runs programs in its pods for whom this is allowed (kubernetes.io: reference/access-authn-authz/kubelet-authn-authz).
    {way: 'node', asked: each(['create', 'get'], {group: '', resource: 'nodes/proxy', name: anyName})},
    {way: 'replace-secret', asked: secrets.map((name) => ({...secret, verb: 'update', name}))},
  ];
}

/** The simple ways that a role opens when its rules count where the binding says. */
export function waysOf(grant: Grant, target: Target): readonly Way[] {
  return simpleWays(target).flatMap(({way, asked}) => {
    const found = allowed([grant], asked);
    return found ? [{way, ...found}] : [];
  });
}

/** What grants any of these requests; undefined where nothing does. */
export function allowed(grants: readonly Grant[], asked: readonly Query[]): Omit<Way, 'way'> | undefined {
  const found = grants.flatMap((grant) =>
    asked
      .filter(({namespace}) => bindingApplies(grant.binding, namespace))
      .flatMap((one) => grant.role.rules.filter((rule) => ruleAllows(rule, one)).map((rule) => grantedRight(rule, one)))
      .map((right) => ({grant, right})),
  );
  return found.length === 0
    ? undefined
    : {grants: [...new Set(found.map(({grant}) => grant))], rights: distinctRights(found.map(({right}) => right))};
}

/** A right as the rule grants it. */
function grantedRight(rule: PolicyRule, {verb, group, resource, name}: Query): GrantedRight {
  const named = typeof name === 'string' && rule.resourceNames.length > 0 ? name : undefined;
  return defined({
    verb: rule.verbs.includes('*') ? '*' : verb,
    resource: rule.resources.includes('*') ? '*' : qualifiedResource({group, resource}),
    name: typeof name === 'function' ? rule.resourceNames.find(name) : named,
  });
}

/** The same rights once each. */
export function distinctRights(rights: readonly GrantedRight[]): readonly GrantedRight[] {
  return [...new Map(rights.map((right) => [rightText(right), right])).values()];
}

/** `get secrets cacerts`, `* *`. */
export function rightText({verb, resource, name}: GrantedRight): string {
  return [verb, resource, ...(name === undefined ? [] : [name])].join(' ');
}
