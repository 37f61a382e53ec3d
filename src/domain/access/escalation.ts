/**
 * Access paths that combine several rights or lead through another subject: roles to change or bind, users to impersonate,
 * service accounts to get a token for. Source of the rules: kubernetes/kubernetes
 * pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased/storage.go (escalation requires the
 * verb `escalate` or `bind`), k8s.io/apiserver pkg/endpoints/filters/impersonation.go.
 */
import {defined} from '../defined.js';
import {
  anyName,
  directPaths,
  distinctRights,
  findGrants,
  type GrantedPath,
  type PathKind,
  type AccessTarget,
  withVerbs,
  workloads,
} from './path-kinds.js';
import {
  bindingApplies,
  type Query,
  type Binding,
  type Grant,
  type Holder,
  type RbacFacts,
  type Role,
} from '../kube/rbac.js';
import {impliedGroups, privilegedGroup, subjectId, type Subject} from '../kube/subjects.js';

/** A possible access path and its requirements: one query of each list must be allowed. */
interface CandidateAccount {
  readonly kind: PathKind;
  readonly requires: readonly (readonly Query[])[];
  readonly via?: Subject;
}

/** The first candidate whose requirements a subject meets, at least one of them by its own grants. */
function firstGranted({own, all}: Holder, candidates: Iterable<CandidateAccount>): GrantedPath | undefined {
  for (const {requires, ...path} of candidates) {
    const found = requires.flatMap((queries) => findGrants(all, queries) ?? []);
    const grants = [...new Set(found.flatMap((one) => one.grants))];
    if (found.length < requires.length || !grants.some((grant) => own.includes(grant))) continue;
    return {...path, grants, rights: distinctRights(found.flatMap(({rights}) => rights))};
  }
  return undefined;
}

/** The path of a subject that may delete and create the Secret: it replaces the Secret without the right to update it. */
export function canRecreateSecret(holder: Holder, {namespace, secrets}: AccessTarget): GrantedPath | undefined {
  const secret = {group: '', resource: 'secrets', namespace};
  const deletes = secrets.map((name) => ({...secret, verb: 'delete', name}));
  return firstGranted(holder, [{kind: 'replace-secret', requires: [deletes, [{...secret, verb: 'create'}]]}]);
}

const group = 'rbac.authorization.k8s.io';

/** Matches the names of these objects. */
const nameIn =
  (objects: readonly {readonly name: string}[]) =>
  (name: string): boolean =>
    objects.some((one) => one.name === name);

/** The path of a subject that may `escalate` a role it holds: it can add any right to that role. */
export function canEscalate(holder: Holder, {namespace}: AccessTarget): GrantedPath | undefined {
  const held = holder.all.filter(({binding}) => bindingApplies(binding, namespace)).map(({role}) => role);
  const paths = (
    resource: string,
    kind: Role['kind'],
    scope: Pick<Query, 'namespace'>,
  ): readonly CandidateAccount[] => {
    const roles = held.filter((role) => role.kind === kind);
    const query = {group, resource, ...scope, name: nameIn(roles)};
    const requires = [withVerbs(['escalate'], query), withVerbs(['update', 'patch'], query)];
    return roles.length === 0 ? [] : [{kind: 'escalate', requires}];
  };
  return firstGranted(holder, [...paths('clusterroles', 'ClusterRole', {}), ...paths('roles', 'Role', {namespace})]);
}

/** The path of a subject that may `bind` a role with access to the key, and write a binding for the namespace. */
export function canBind(
  {roles, bindings}: RbacFacts,
  target: AccessTarget,
): (holder: Holder) => GrantedPath | undefined {
  const {namespace} = target;
  const candidate = (resource: string, kind: Binding['kind'], scope: Pick<Query, 'namespace'>): CandidateAccount => {
    const isLocal = kind === 'RoleBinding';
    const usable = roles.filter(
      (role) =>
        (role.kind === 'ClusterRole' || (isLocal && role.namespace === namespace)) &&
        exposesKey(role, {kind, ...scope}, target),
    );
    const usableOf = (roleKind: Role['kind']): readonly Role[] => usable.filter((role) => role.kind === roleKind);
    const bind = {verb: 'bind', group, ...scope};
    const write = {group, resource, ...scope};
    // An existing binding accepts further subjects, but its role is immutable.
    const existing = bindings.filter(
      (one) => one.kind === kind && bindingApplies(one, namespace) && nameIn(usableOf(one.role.kind))(one.role.name),
    );
    return {
      kind: 'bind',
      requires: [
        [
          {...bind, resource: 'clusterroles', name: nameIn(usableOf('ClusterRole'))},
          ...(isLocal ? [{...bind, resource: 'roles', name: nameIn(usableOf('Role'))}] : []),
        ],
        [{...write, verb: 'create'}, ...withVerbs(['update', 'patch'], {...write, name: nameIn(existing)})],
      ],
    };
  };
  const candidates = [
    candidate('clusterrolebindings', 'ClusterRoleBinding', {}),
    candidate('rolebindings', 'RoleBinding', {namespace}),
  ];
  return (holder) => firstGranted(holder, candidates);
}

/** Whether a role, bound in this scope, grants a direct path to the key. */
function exposesKey(role: Role, scope: Pick<Binding, 'kind' | 'namespace'>, target: AccessTarget): boolean {
  const binding = {...scope, name: '', role, subjects: []};
  return directPaths({binding, role}, target).some(({kind}) => kind !== 'replace-secret');
}

/** Every path through another subject requires one of these verbs, except exec and attach by GET. */
const identityVerbs: readonly string[] = ['*', 'impersonate', 'create', 'update', 'patch'];
const execByGet: readonly string[] = ['*', 'pods/exec', 'pods/attach', '*/exec', '*/attach'];

/** The first path by which a subject can act as one of those that reach the key (`withKey`). */
export function canImpersonate(holder: Holder, withKey: readonly Subject[]): GrantedPath | undefined {
  // Most subjects can only read: skip the search for them.
  const isCandidate = holder.own.some(({role}) =>
    role.rules.some(
      ({verbs, resources}) =>
        verbs.some((verb) => identityVerbs.includes(verb)) ||
        (verbs.includes('get') && resources.some((resource) => execByGet.includes(resource))),
    ),
  );
  if (!isCandidate) return undefined;
  // The subject already has the rights of its implicit groups, and those groups have findings of their own.
  const implied = new Set(impliedGroups(holder.subject).map(subjectId));
  const others = withKey.filter((one) => !implied.has(subjectId(one)));
  return firstGranted(holder, impersonationPaths(holder, others)) ?? firstGranted(holder, accountPaths(holder, others));
}

function impersonationPaths({all}: Holder, withKey: readonly Subject[]): readonly CandidateAccount[] {
  const mayImpersonate = all.some(({role}) =>
    role.rules.some(({verbs}) => verbs.includes('*') || verbs.includes('impersonate')),
  );
  if (!mayImpersonate) return [];
  const as = (resource: string, rest: Partial<Query>): Query => ({verb: 'impersonate', group: '', resource, ...rest});
  const path = (via: Subject, ...requires: CandidateAccount['requires']): CandidateAccount => ({
    kind: 'impersonate',
    requires,
    via,
  });
  // Impersonating a group also requires a user (header Impersonate-User).
  const anyUser = [
    as('users', {name: anyName}),
    ...serviceAccountNamespaces(all).map((namespace) => as('serviceaccounts', {namespace, name: anyName})),
  ];
  const subjectsOf = (kind: Subject['kind']): readonly Subject[] => withKey.filter((one) => one.kind === kind);
  return [
    ...subjectsOf('User').map((via) => path(via, [as('users', {name: via.name})])),
    ...[privilegedGroup, ...subjectsOf('Group')].map((via) => path(via, [as('groups', {name: via.name})], anyUser)),
  ];
}

/** Namespaces whose service accounts the rules may cover; for a ClusterRoleBinding, any namespace will do. */
function serviceAccountNamespaces(grants: readonly Grant[]): readonly string[] {
  return [...new Set(grants.map(({binding}) => binding.namespace ?? 'default'))];
}

type Account = Required<Pick<Query, 'namespace' | 'name'>>;

/** The service accounts that have a subject's access: the subject itself, or the members of a service account group. */
function accountsOf({kind, name, namespace}: Subject, {all}: Holder): readonly Account[] {
  if (kind === 'ServiceAccount') return namespace === undefined ? [] : [{namespace, name}];
  if (kind !== 'Group') return [];
  const [, groupNamespace] = /^system:serviceaccounts:(.+)$/.exec(name) ?? [];
  if (groupNamespace !== undefined) return [{namespace: groupNamespace, name: anyName}];
  const everywhere = name === 'system:serviceaccounts' ? serviceAccountNamespaces(all) : [];
  return everywhere.map((one) => ({namespace: one, name: anyName}));
}

/**
 * The paths that lead through a service account: impersonation, a token, or a pod that runs as it. RBAC does not show which
 * pods run as which account, so rights to all pods of the namespace, or to any pod by name, count.
 */
function* accountPaths(holder: Holder, withKey: readonly Subject[]): Iterable<CandidateAccount> {
  for (const via of withKey) {
    for (const {namespace, name: account} of accountsOf(via, holder)) {
      // Every query below is for that namespace, and at least one must be allowed by the subject's own grants.
      if (!holder.own.some(({binding}) => bindingApplies(binding, namespace))) continue;
      const queries = (resource: string, verbs: readonly string[], name?: Query['name']): readonly Query[] =>
        withVerbs(verbs, defined({group: '', resource, namespace, name}));
      const path = (kind: PathKind, ...requires: CandidateAccount['requires']): CandidateAccount => ({
        kind,
        requires,
        via,
      });
      yield path('impersonate', queries('serviceaccounts', ['impersonate'], account));
      yield path('token', queries('serviceaccounts/token', ['create'], account));
      // Kubernetes adds a token for the named account to a Secret of type kubernetes.io/service-account-token
      // (kubernetes.io: concepts/configuration/secret, "ServiceAccount token Secrets").
      yield path('token', queries('secrets', ['create']), queries('secrets', ['get', 'list', 'watch'], anyName));
      const runPods = workloads.flatMap((workload): readonly Query[] => [
        {...workload, verb: 'create', namespace},
        ...(workload.resource === 'pods'
          ? []
          : withVerbs(['update', 'patch'], {...workload, namespace, name: anyName})),
      ]);
      yield path('pod-of', runPods);
      // The images of a running pod can be changed, and its service account stays.
      yield path('in-pod-of', [
        ...['pods/exec', 'pods/attach'].flatMap((resource) => queries(resource, ['create', 'get'], anyName)),
        ...['pods', 'pods/ephemeralcontainers'].flatMap((resource) => queries(resource, ['update', 'patch'], anyName)),
      ]);
    }
  }
}
