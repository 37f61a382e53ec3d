/**
 * The kinds of access paths, and the direct ones: those that a single RBAC rule grants. Paths that combine several rights,
 * or lead through another subject, are in `escalation.ts`.
 *
 * `pods/portforward` grants no access path: it exposes a pod's ports, not its files, and no port of istiod exposes the CA
 * key (istio/istio pilot/pkg/xds/debug.go). The same holds for `pods/log` and `pods/proxy`.
 */
import {defined} from '../defined.js';
import {cacertsName, previousName} from '../istio/names.js';
import {qualifiedResource} from '../kube/kinds.js';
import {bindingApplies, ruleAllows, type Query, type Grant, type PolicyRule} from '../kube/rbac.js';
import type {Subject} from '../kube/subjects.js';

/**
 * What an access path allows: `reads` a Secret through the API, `reaches` it by other means, or `replaces` it (another CA
 * then signs for the mesh) without reading it.
 */
export type PathEffect = 'reads' | 'reaches' | 'replaces';

/** Every kind of access path, strongest first; `phrase` completes "SUBJECT may". */
export const pathKinds = {
  superuser: {effect: 'reads', phrase: 'do anything, unrestricted by RBAC'},
  'read-secret': {effect: 'reads', phrase: 'read the Secret'},
  workload: {effect: 'reaches', phrase: "create or change workloads in Istio's namespace, which can mount the Secret"},
  exec: {effect: 'reaches', phrase: "run commands in istiod's pods, which mount the Secret"},
  'ephemeral-container': {effect: 'reaches', phrase: "add containers to istiod's pods, which mount the Secret"},
  node: {effect: 'reaches', phrase: 'run commands in any pod through the kubelet API'},
  impersonate: {effect: 'reaches', phrase: 'impersonate a subject that has access'},
  escalate: {effect: 'reaches', phrase: 'add any permission to one of its roles'},
  bind: {effect: 'reaches', phrase: 'bind itself to a role that has access'},
  token: {effect: 'reaches', phrase: 'get a token for a service account that has access'},
  'pod-of': {effect: 'reaches', phrase: 'run a pod as a service account that has access'},
  'in-pod-of': {effect: 'reaches', phrase: 'run commands in pods of a service account that has access'},
  'replace-secret': {effect: 'replaces', phrase: 'put another CA into the Secret'},
} as const satisfies Readonly<Record<string, {readonly effect: PathEffect; readonly phrase: string}>>;

export type PathKind = keyof typeof pathKinds;

/** The Secrets with a current or former cluster CA key, and the self-signed CA that istiod falls back to without them. */
export const caSecrets: readonly string[] = [cacertsName, previousName, 'istio-ca-secret'];

/** The Secrets whose access paths are analyzed. */
export interface AccessTarget {
  /** Istio's namespace. */
  readonly namespace: string;
  /** Access to any of these Secrets counts. */
  readonly secrets: readonly string[];
}

/** A right as its rule grants it, with the rule's wildcards. */
export interface GrantedRight {
  readonly verb: string;
  readonly resource: string;
  readonly name?: string;
}

/** An access path, and what grants it. */
export interface GrantedPath {
  readonly kind: PathKind;
  readonly rights: readonly GrantedRight[];
  /** The bindings that grant the rights, with their roles; empty for rights that RBAC does not control. */
  readonly grants: readonly Grant[];
  /** The subject through which the path leads. */
  readonly via?: Subject;
}

/** Pods, and every Kubernetes kind with a pod template (kubernetes.io: concepts/workloads). */
export const workloads: readonly Pick<Query, 'group' | 'resource'>[] = [
  {group: '', resource: 'pods'},
  {group: '', resource: 'replicationcontrollers'},
  ...['deployments', 'replicasets', 'statefulsets', 'daemonsets'].map((resource) => ({group: 'apps', resource})),
  ...['jobs', 'cronjobs'].map((resource) => ({group: 'batch', resource})),
];

/** One query for each verb. */
export function withVerbs(verbs: readonly string[], query: Omit<Query, 'verb'>): readonly Query[] {
  return verbs.map((verb) => ({...query, verb}));
}

export const anyName = (): boolean => true;

/** Pods of istiod's Deployments: `istiod-…`, `istiod-REVISION-…`. */
const isIstiodPod = (name: string): boolean => name.startsWith('istiod');

type KindQueries = Pick<GrantedPath, 'kind'> & {readonly queries: readonly Query[]};

/** The queries for each direct path; any one of them suffices. */
function queriesOf({namespace, secrets}: AccessTarget): readonly KindQueries[] {
  const secret = {group: '', resource: 'secrets', namespace};
  const inPod = (resource: string, verbs: readonly string[]): readonly Query[] =>
    withVerbs(verbs, {group: '', resource: `pods/${resource}`, namespace, name: isIstiodPod});
  return [
    {
      kind: 'read-secret',
      queries: [
        // A rule that names the object also permits listing it alone (k8s.io/apiserver pkg/endpoints/request/requestinfo.go).
        // Responses to patch and deletecollection contain the objects (pkg/registry/generic/registry/store.go).
        ...secrets.flatMap((name) => withVerbs(['get', 'list', 'watch', 'patch'], {...secret, name})),
        {...secret, verb: 'deletecollection'},
      ],
    },
    {
      kind: 'workload',
      queries: workloads.flatMap((type): readonly Query[] => [
        {...type, verb: 'create', namespace},
        // Only the images of a running pod can be changed, which matters for pods that mount the Secret.
        ...withVerbs(['update', 'patch'], {...type, namespace, name: type.resource === 'pods' ? isIstiodPod : anyName}),
      ]),
    },
    // Over WebSockets these are GET requests, and are authorized as such (kubernetes/kubernetes issue 78741).
    {kind: 'exec', queries: [...inPod('exec', ['create', 'get']), ...inPod('attach', ['create', 'get'])]},
    {kind: 'ephemeral-container', queries: inPod('ephemeralcontainers', ['update', 'patch'])},
    // The kubelet runs commands in its pods for these subjects (kubernetes.io: reference/access-authn-authz/kubelet-authn-authz).
    {kind: 'node', queries: withVerbs(['create', 'get'], {group: '', resource: 'nodes/proxy', name: anyName})},
    {kind: 'replace-secret', queries: secrets.map((name) => ({...secret, verb: 'update', name}))},
  ];
}

/** The direct paths that a grant opens. */
export function directPaths(grant: Grant, target: AccessTarget): readonly GrantedPath[] {
  return queriesOf(target).flatMap(({kind, queries}) => {
    const found = findGrants([grant], queries);
    return found ? [{kind, ...found}] : [];
  });
}

/** The grants that allow any of these queries; undefined if there are none. */
export function findGrants(grants: readonly Grant[], queries: readonly Query[]): Omit<GrantedPath, 'kind'> | undefined {
  const found = grants.flatMap((grant) =>
    queries
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

/** These rights without duplicates. */
export function distinctRights(rights: readonly GrantedRight[]): readonly GrantedRight[] {
  return [...new Map(rights.map((right) => [rightText(right), right])).values()];
}

/** `get secrets cacerts`, `* *`. */
export function rightText({verb, resource, name}: GrantedRight): string {
  return [verb, resource, ...(name === undefined ? [] : [name])].join(' ');
}
