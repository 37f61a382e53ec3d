/**
 * Ways that need several rights, or that lead through another subject: roles that one may change or bind, users one may
 * act as, service accounts one may get a token of. Source of the rules: kubernetes/kubernetes
 * pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased/storage.go (escalation is refused but
 * for who may `escalate` or `bind`), k8s.io/apiserver pkg/endpoints/filters/impersonation.go.
 */
import {defined} from '../defined.js';
import {
  allowed,
  anyName,
  distinctRights,
  each,
  type Target,
  type Way,
  type WayId,
  waysOf,
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

/** A way to the key, and what it needs: one request of each list must be allowed. */
interface Route {
  readonly way: WayId;
  readonly needs: readonly (readonly Query[])[];
  readonly via?: Subject;
}

/** The first of these that a subject can go; at least a part of what it needs must be the subject's own. */
function firstOpen({own, all}: Holder, routes: Iterable<Route>): Way | undefined {
  for (const {needs, ...route} of routes) {
    const found = needs.flatMap((asked) => allowed(all, asked) ?? []);
    const grants = [...new Set(found.flatMap((one) => one.grants))];
    if (found.length < needs.length || !grants.some((grant) => own.includes(grant))) continue;
    return {...route, grants, rights: distinctRights(found.flatMap(({rights}) => rights))};
  }
  return undefined;
}

/** Who may delete the Secret and create one needs no right to change it. */
export function canRecreateSecret(holder: Holder, {namespace, secrets}: Target): Way | undefined {
  const secret = {group: '', resource: 'secrets', namespace};
  const deletes = secrets.map((name) => ({...secret, verb: 'delete', name}));
  return firstOpen(holder, [{way: 'replace-secret', needs: [deletes, [{...secret, verb: 'create'}]]}]);
}

const group = 'rbac.authorization.k8s.io';

/** The names of these. */
const namesOf =
  (objects: readonly {readonly name: string}[]) =>
  (name: string): boolean =>
    objects.some((one) => one.name === name);

/** Who may escalate may give a role, that it holds already, every right. */
export function escalates(holder: Holder, {namespace}: Target): Way | undefined {
  const held = holder.all.filter(({binding}) => bindingApplies(binding, namespace)).map(({role}) => role);
  const route = (resource: string, kind: Role['kind'], place: Pick<Query, 'namespace'>): readonly Route[] => {
    const roles = held.filter((role) => role.kind === kind);
    const of = {group, resource, ...place, name: namesOf(roles)};
    const needs = [each(['escalate'], of), each(['update', 'patch'], of)];
    return roles.length === 0 ? [] : [{way: 'escalate', needs}];
  };
  return firstOpen(holder, [...route('clusterroles', 'ClusterRole', {}), ...route('roles', 'Role', {namespace})]);
}

/** Who may bind a role that leads to the key, and may write a binding where it counts, binds itself. */
export function binds({roles, bindings}: RbacFacts, target: Target): (holder: Holder) => Way | undefined {
  const {namespace} = target;
  const route = (resource: string, kind: Binding['kind'], place: Pick<Query, 'namespace'>): Route => {
    const isLocal = kind === 'RoleBinding';
    const usable = roles.filter(
      (role) =>
        (role.kind === 'ClusterRole' || (isLocal && role.namespace === namespace)) &&
        opensWay(role, {kind, ...place}, target),
    );
    const usableOf = (roleKind: Role['kind']): readonly Role[] => usable.filter((role) => role.kind === roleKind);
    const bind = {verb: 'bind', group, ...place};
    const write = {group, resource, ...place};
    // A binding that exists can be given another subject, and no other role.
    const taken = bindings.filter(
      (one) => one.kind === kind && bindingApplies(one, namespace) && namesOf(usableOf(one.role.kind))(one.role.name),
    );
    return {
      way: 'bind',
      needs: [
        [
          {...bind, resource: 'clusterroles', name: namesOf(usableOf('ClusterRole'))},
          ...(isLocal ? [{...bind, resource: 'roles', name: namesOf(usableOf('Role'))}] : []),
        ],
        [{...write, verb: 'create'}, ...each(['update', 'patch'], {...write, name: namesOf(taken)})],
      ],
    };
  };
  const routes = [
    route('clusterrolebindings', 'ClusterRoleBinding', {}),
    route('rolebindings', 'RoleBinding', {namespace}),
  ];
  return (holder) => firstOpen(holder, routes);
}

/** Whether a role that is bound there gives a simple way other than replacing. */
function opensWay(role: Role, place: Pick<Binding, 'kind' | 'namespace'>, target: Target): boolean {
  const binding = {...place, name: '', role, subjects: []};
  return waysOf({binding, role}, target).some(({way}) => way !== 'replace-secret');
}

/** One of these is part of every way to become somebody else, but for programs that are run by GET. */
const becomingVerbs: readonly string[] = ['*', 'impersonate', 'create', 'update', 'patch'];
const runByGet: readonly string[] = ['*', 'pods/exec', 'pods/attach', '*/exec', '*/attach'];

/** Whom a subject may become, of those that reach the key. The first that it finds is told. */
export function canImpersonate(holder: Holder, reaching: readonly Subject[]): Way | undefined {
  // Most subjects only read: no need to ask for each of the others.
  const mayBecome = holder.own.some(({role}) =>
    role.rules.some(
      ({verbs, resources}) =>
        verbs.some((verb) => becomingVerbs.includes(verb)) ||
        (verbs.includes('get') && resources.some((resource) => runByGet.includes(resource))),
    ),
  );
  if (!mayBecome) return undefined;
  // Of a group that it is in by what it is it has everything already: that group is a finding of its own.
  const own = new Set(impliedGroups(holder.subject).map(subjectId));
  const others = reaching.filter((one) => !own.has(subjectId(one)));
  return firstOpen(holder, impersonations(holder, others)) ?? firstOpen(holder, accountRoutes(holder, others));
}

function impersonations({all}: Holder, reaching: readonly Subject[]): readonly Route[] {
  const mayAtAll = all.some(({role}) =>
    role.rules.some(({verbs}) => verbs.includes('*') || verbs.includes('impersonate')),
  );
  if (!mayAtAll) return [];
  const as = (resource: string, rest: Partial<Query>): Query => ({verb: 'impersonate', group: '', resource, ...rest});
  const route = (via: Subject, ...needs: Route['needs']): Route => ({way: 'impersonate', needs, via});
  // A group is taken on together with a user (the header Impersonate-User is required).
  const asAnybody = [
    as('users', {name: anyName}),
    ...serviceAccountNamespaces(all).map((namespace) => as('serviceaccounts', {namespace, name: anyName})),
  ];
  const of = (kind: Subject['kind']): readonly Subject[] => reaching.filter((one) => one.kind === kind);
  return [
    ...of('User').map((via) => route(via, [as('users', {name: via.name})])),
    ...[privilegedGroup, ...of('Group')].map((via) => route(via, [as('groups', {name: via.name})], asAnybody)),
  ];
}

/** Namespaces in which rules may speak of service accounts; of a ClusterRoleBinding any will do. */
function serviceAccountNamespaces(grants: readonly Grant[]): readonly string[] {
  return [...new Set(grants.map(({binding}) => binding.namespace ?? 'default'))];
}

type Account = Required<Pick<Query, 'namespace' | 'name'>>;

/** The service accounts as which one reaches it: one, or every one of a namespace by a group. */
function accountsOf({kind, name, namespace}: Subject, {all}: Holder): readonly Account[] {
  if (kind === 'ServiceAccount') return namespace === undefined ? [] : [{namespace, name}];
  if (kind !== 'Group') return [];
  const [, of] = /^system:serviceaccounts:(.+)$/.exec(name) ?? [];
  if (of !== undefined) return [{namespace: of, name: anyName}];
  const everywhere = name === 'system:serviceaccounts' ? serviceAccountNamespaces(all) : [];
  return everywhere.map((one) => ({namespace: one, name: anyName}));
}

/**
 * How one acts as an account: by name, by a token, by a pod that runs as it. Which pods that is RBAC does not say: rights to
 * all pods of the namespace, or to any by name, count.
 */
function* accountRoutes(holder: Holder, reaching: readonly Subject[]): Iterable<Route> {
  for (const via of reaching) {
    for (const {namespace, name: account} of accountsOf(via, holder)) {
      // Everything below is asked in that namespace, and a part must be the subject's own.
      if (!holder.own.some(({binding}) => bindingApplies(binding, namespace))) continue;
      const ask = (resource: string, verbs: readonly string[], name?: Query['name']): readonly Query[] =>
        each(verbs, defined({group: '', resource, namespace, name}));
      const route = (way: WayId, ...needs: Route['needs']): Route => ({way, needs, via});
      yield route('impersonate', ask('serviceaccounts', ['impersonate'], account));
      yield route('token', ask('serviceaccounts/token', ['create'], account));
      // A Secret of type kubernetes.io/service-account-token is filled with a token of the account that it names
      // (kubernetes.io: concepts/configuration/secret, "ServiceAccount token Secrets").
      yield route('token', ask('secrets', ['create']), ask('secrets', ['get', 'list', 'watch'], anyName));
      const runs = workloads.flatMap((workload): readonly Query[] => [
        {...workload, verb: 'create', namespace},
        ...(workload.resource === 'pods' ? [] : each(['update', 'patch'], {...workload, namespace, name: anyName})),
      ]);
      yield route('pod-of', runs);
      // Of a pod that runs its images can be changed, and its account stays.
      yield route('in-pod-of', [
        ...['pods/exec', 'pods/attach'].flatMap((resource) => ask(resource, ['create', 'get'], anyName)),
        ...['pods', 'pods/ephemeralcontainers'].flatMap((resource) => ask(resource, ['update', 'patch'], anyName)),
      ]);
    }
  }
}
