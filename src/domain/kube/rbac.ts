/**
 * Evaluates RBAC as the API server does: which rules permit a request, and which bindings grant them to which subjects.
 * Aggregated ClusterRoles are read as stored, as the API server evaluates them. Rules for non-resource paths
 * (`nonResourceURLs`) give no access to Secrets and are ignored. Source: kubernetes/kubernetes
 * pkg/apis/rbac/v1/evaluation_helpers.go and plugin/pkg/auth/authorizer/rbac/rbac.go.
 */
import {defined} from '../defined.js';
import {groupBy} from '../group-by.js';
import type {RoleBindingObject, RoleObject} from './objects.js';
import {impliedGroups, subjectId, userSubject, type Subject} from './subjects.js';

/** A rule of a role: verbs that are permitted on resources. */
export interface PolicyRule {
  readonly verbs: readonly string[];
  readonly apiGroups: readonly string[];
  readonly resources: readonly string[];
  /** Empty: any name. */
  readonly resourceNames: readonly string[];
}

/** A Role or ClusterRole. */
export interface Role {
  readonly kind: 'Role' | 'ClusterRole';
  readonly name: string;
  /** Roles only. */
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly rules: readonly PolicyRule[];
}

/** A RoleBinding or ClusterRoleBinding. */
export interface Binding {
  readonly kind: 'RoleBinding' | 'ClusterRoleBinding';
  readonly name: string;
  /** RoleBindings only: the namespace in which the rules apply. */
  readonly namespace?: string;
  readonly role: Pick<Role, 'kind' | 'name'>;
  /** The subjects in the binding's order. */
  readonly subjects: readonly Subject[];
}

/** Returns a key that is unique among the bindings of a cluster. */
export function bindingKey({kind, name, namespace = ''}: Binding): string {
  return `${kind}/${namespace}/${name}`;
}

/** The roles and bindings of a cluster. */
export interface RbacFacts {
  readonly roles: readonly Role[];
  readonly bindings: readonly Binding[];
}

/** A binding with the role that it references. */
export interface Grant {
  readonly binding: Binding;
  readonly role: Role;
}

/** A request to authorize, or several requests that differ only in the object's name. */
export interface Query {
  readonly verb: string;
  /** Empty for the core group. */
  readonly group: string;
  /** The plural name, with a subresource after a slash. */
  readonly resource: string;
  /** Absent: a cluster-scoped kind, or all namespaces. */
  readonly namespace?: string;
  /**
   * The object's name, or a condition that names must meet. Absent for requests without a name: `create`, except of
   * subresources, and `deletecollection`.
   */
  readonly name?: string | ((name: string) => boolean);
}

/** Reports whether a rule permits a request, regardless of where the rule applies. */
export function ruleAllows(rule: PolicyRule, {verb, group, resource, name}: Query): boolean {
  return (
    has(rule.verbs, verb) && has(rule.apiGroups, group) && hasResource(rule.resources, resource) && hasName(rule, name)
  );
}

function has(values: readonly string[], value: string): boolean {
  return values.includes('*') || values.includes(value);
}

/** `*` is every resource with every subresource; `* /status` is that subresource of every resource. */
function hasResource(resources: readonly string[], resource: string): boolean {
  if (has(resources, resource)) return true;
  const slash = resource.indexOf('/');
  return slash !== -1 && resources.includes(`*${resource.slice(slash)}`);
}

function hasName({resourceNames}: PolicyRule, name: Query['name']): boolean {
  if (resourceNames.length === 0) return true;
  if (name === undefined) return false;
  return typeof name === 'string' ? resourceNames.includes(name) : resourceNames.some(name);
}

/** Reports whether a binding applies in this namespace or, without one, in the whole cluster. */
export function bindingApplies({kind, namespace}: Binding, requested: string | undefined): boolean {
  return kind === 'ClusterRoleBinding' || (requested !== undefined && namespace === requested);
}

/** Returns the bindings with their roles. A binding whose role does not exist grants nothing. */
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
  /** The grants of bindings that contain it. */
  readonly own: readonly Grant[];
  /** Its own grants and those of its implied groups. */
  readonly all: readonly Grant[];
}

/** Returns every subject in bindings, including groups. */
export function holdersIn(grants: readonly Grant[]): readonly Holder[] {
  const named = grants.flatMap((grant) => grant.binding.subjects.map((subject) => ({subject, grant})));
  const byId = groupBy(named, ({subject}) => subjectId(subject));
  const grantsOf = (id: string): readonly Grant[] => [...new Set(byId.get(id)?.map(({grant}) => grant))];
  return [...byId].map(([id, [{subject}]]) => {
    const own = grantsOf(id);
    return {id, subject, own, all: [...own, ...impliedGroups(subject).map(subjectId).flatMap(grantsOf)]};
  });
}

/** Reads roles and bindings from API objects. */
export function readRbac(objects: readonly (RoleObject | RoleBindingObject)[]): RbacFacts {
  return {
    roles: objects.flatMap((object): readonly Role[] => {
      const {kind, metadata} = object;
      if (kind !== 'Role' && kind !== 'ClusterRole') return [];
      const {name, namespace, labels = {}} = metadata;
      const {rules = []} = object as RoleObject;
      return [defined({kind, name, namespace, labels, rules: rules.map(readRule)})];
    }),
    bindings: objects.flatMap((object): readonly Binding[] => {
      const {kind, metadata} = object;
      if (kind !== 'RoleBinding' && kind !== 'ClusterRoleBinding') return [];
      const {name, namespace} = metadata;
      const {roleRef, subjects = []} = object as RoleBindingObject;
      const role = {kind: roleRef.kind, name: roleRef.name};
      return [defined({kind, name, namespace, role, subjects: subjects.flatMap((one) => readSubject(one, namespace))})];
    }),
  };
}

function readRule({verbs = [], apiGroups = [], resources = [], resourceNames = []}: RuleFields): PolicyRule {
  return {verbs, apiGroups, resources, resourceNames};
}

type RuleFields = NonNullable<RoleObject['rules']>[number];
type SubjectFields = NonNullable<RoleBindingObject['subjects']>[number];

/** A service account without a namespace is in the binding's namespace (plugin/pkg/auth/authorizer/rbac/rbac.go). */
function readSubject({kind, name, namespace}: SubjectFields, bindingNamespace: string | undefined): readonly Subject[] {
  if (kind === 'User') return [userSubject(name)];
  if (kind === 'Group') return [{kind, name}];
  const where = namespace !== undefined && namespace !== '' ? namespace : bindingNamespace;
  return where === undefined ? [] : [{kind, name, namespace: where}];
}
