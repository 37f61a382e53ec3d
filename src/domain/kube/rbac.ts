/**
 * RBAC as the API server judges it: which rules permit a request, and who holds which rules through which binding.
 * Aggregated ClusterRoles are read as they are stored, which is how the API server judges them. Rules about paths
 * (`nonResourceURLs`) lead to no Secret and are left out. Source: kubernetes/kubernetes
 * pkg/apis/rbac/v1/evaluation_helpers.go and plugin/pkg/auth/authorizer/rbac/rbac.go.
 */
import {defined} from '../defined.js';
import {groupBy} from '../group-by.js';
import type {KubeObject} from './object.js';
import {impliedGroups, subjectId, subjectKinds, userSubject, type Subject} from './subjects.js';

/** What may be done to what. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** Empty: whatever the name. */
  readonly resourceNames: readonly string[];
}

/** A Role or ClusterRole. */
export interface Role {
  readonly kind: 'Role' | 'ClusterRole';
  readonly name: string;
  /** Of a Role. */
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly PolicyRule[];
}

/** A RoleBinding or ClusterRoleBinding. */
export interface Binding {
  readonly kind: 'RoleBinding' | 'ClusterRoleBinding';
  readonly name: string;
  /** Of a RoleBinding: where its rules count. */
  readonly namespace?: string;
  readonly role: Pick<Role, 'kind' | 'name'>;
  /** In the order in which they stand there. */
  readonly subjects: readonly Subject[];
}

/** Tells bindings of one cluster apart. */
export function bindingKey({kind, name, namespace = ''}: Binding): string {
  return `${kind}/${namespace}/${name}`;
}

/** All roles and bindings of a cluster. */
export interface RbacFacts {
  readonly roles: readonly Role[];
  readonly bindings: readonly Binding[];
}

/** A binding with the role that it refers to. */
export interface Grant {
  readonly binding: Binding;
  readonly role: Role;
}

/** A request that RBAC is asked about, or several that differ in the name of the object. */
export interface Query {
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  /** Plural, with a subresource behind a slash. */
  readonly resource: string;
  /** Absent: of a kind without namespaces, or in all of them. */
  readonly namespace?: string;
  /**
   * Its name, or which names would do. Absent for requests without one: `create` of an object that is no subresource, and
   * `deletecollection`.
   */
  readonly name?: string | ((name: string) => boolean);
}

/** Whether a rule permits a request, wherever the rule counts. */
export function ruleAllows(rule: PolicyRule, {verb, group, resource, name}: Query): boolean {
  return (
    matches(rule.verbs, verb) &&
    matches(rule.apiGroups, group) &&
    hasResource(rule.resources, resource) &&
    hasName(rule, name)
  );
}

function matches(values: readonly string[], value: string): boolean {
  return values.includes('*') || values.includes(value);
}

/** `*` is every resource with every subresource; `* /status` that subresource of all. */
function hasResource(resources: readonly string[], resource: string): boolean {
  if (matches(resources, resource)) return true;
  const slash = resource.indexOf('/');
  return slash !== -1 && resources.includes(`*${resource.slice(slash)}`);
}

function hasName({resourceNames}: PolicyRule, name: Query['name']): boolean {
  if (resourceNames.length === 0) return true;
  if (name === undefined) return false;
  return typeof name === 'string' ? resourceNames.includes(name) : resourceNames.some(name);
}

/** Whether the rules of a binding count in this namespace; without one: in the whole cluster. */
export function bindingApplies({kind, namespace}: Binding, asked: string | undefined): boolean {
  return kind === 'ClusterRoleBinding' || (asked !== undefined && namespace === asked);
}

/** Bindings with their roles. One whose role does not exist grants nothing. */
export function grantsIn({roles, bindings}: RbacFacts): readonly Grant[] {
  const byKey = new Map(roles.map((role) => [keyOf(role.kind, role.name, role.namespace), role]));
  return bindings.flatMap((binding): readonly Grant[] => {
    const {kind, name} = binding.role;
    const role = byKey.get(keyOf(kind, name, kind === 'Role' ? binding.namespace : undefined));
    return role ? [{binding, role}] : [];
  });
}

function keyOf(kind: string, name: string, namespace = ''): string {
  return [kind, namespace, name].join('\n');
}

/** A subject and its bindings. */
export interface Holder {
  /** {@link subjectId} */
  readonly id: string;
  readonly subject: Subject;
  /** The grants that name it. */
  readonly own: readonly Grant[];
  /** Includes what its implicit groups may do. */
  readonly all: readonly Grant[];
}

/** Every subject that bindings name; groups are subjects of their own. */
export function holdersIn(grants: readonly Grant[]): readonly Holder[] {
  const named = grants.flatMap((grant) => grant.binding.subjects.map((subject) => ({subject, grant})));
  const held = groupBy(named, ({subject}) => subjectId(subject));
  const of = (id: string): readonly Grant[] => [...new Set(held.get(id)?.map(({grant}) => grant))];
  return [...held].map(([id, [{subject}]]) => {
    const own = of(id);
    return {id, subject, own, all: [...own, ...impliedGroups(subject).map(subjectId).flatMap(of)]};
  });
}

/** Roles and bindings as the API server answers; what is not as Kubernetes validates it is left out. */
export function readRbac(objects: readonly KubeObject[]): RbacFacts {
  return {
    roles: objects.flatMap(({kind, metadata: {name, namespace, labels = {}}, rules}): readonly Role[] =>
      isRoleKind(kind) ? [defined({kind, name, namespace, labels, rules: listOf(rules).map(readRule)})] : [],
    ),
    bindings: objects.flatMap(({kind, metadata: {name, namespace}, ...fields}): readonly Binding[] => {
      const role = (fields.roleRef ?? {}) as Fields;
      if ((kind !== 'RoleBinding' && kind !== 'ClusterRoleBinding') || !isRoleKind(role.kind)) return [];
      const subjects = listOf(fields.subjects).flatMap((subject) => readSubject(subject, namespace));
      return [defined({kind, name, namespace, role: {kind: role.kind, name: String(role.name)}, subjects})];
    }),
  };
}

function isRoleKind(kind: unknown): kind is Role['kind'] {
  return kind === 'Role' || kind === 'ClusterRole';
}

type Fields = Partial<Record<string, unknown>>;

function listOf(value: unknown): readonly Fields[] {
  return Array.isArray(value) ? (value as Fields[]) : [];
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}

function readRule({verbs, apiGroups, resources, resourceNames}: Fields): PolicyRule {
  return {
    verbs: textsOf(verbs),
    apiGroups: textsOf(apiGroups),
    resources: textsOf(resources),
    resourceNames: textsOf(resourceNames),
  };
}

/** A service account without a namespace is one of the binding's namespace (plugin/pkg/auth/authorizer/rbac/rbac.go). */
function readSubject({kind, name, namespace}: Fields, bindingNamespace: string | undefined): readonly Subject[] {
  const known = subjectKinds.find((one) => one === kind);
  if (known === undefined || typeof name !== 'string') return [];
  if (known === 'User') return [userSubject(name)];
  if (known === 'Group') return [{kind: known, name}];
  const where = typeof namespace === 'string' && namespace !== '' ? namespace : bindingNamespace;
  return where === undefined ? [] : [{kind: known, name, namespace: where}];
}
