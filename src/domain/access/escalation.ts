/**
 * Ways that need several rights, or that lead through another subject: roles that one may change or bind, users one may
 * act as, service accounts one may get a token of. Source of the rules: kubernetes/kubernetes
 * pkg/registry/rbac/{role,clusterrole,rolebinding,clusterrolebinding}/policybased/storage.go (escalation is refused but
 * for who may `escalate` or `bind`), k8s.io/apiserver pkg/endpoints/filters/impersonation.go.
 */
import {defined} from '../defined.js';
import {distinctRights, type GrantedRight, grantedRight, type Target, type WayId, waysOf, workloads} from './paths.js';
import {countsIn, ruleAllows, type Asked, type Binding, type Grant, type Holdings} from '../kube/rbac.js';
import {impliedGroups, privilegedGroup, subjectId, type Subject} from '../kube/subjects.js';

/** A way that a subject has by several rights, or through somebody else. */
export interface Escalation {
  readonly way: WayId;
  readonly rights: readonly GrantedRight[];
  readonly grants: readonly Grant[];
  /** As whom it goes on. */
  readonly via?: Subject;
}

const rbac = 'rbac.authorization.k8s.io';

/** Everything a subject holds, and which of it is its own. */
interface Held {
  readonly own: readonly Grant[];
  readonly all: readonly Grant[];
}

function heldBy(holdings: Holdings, subject: Subject): Held {
  const own = holdings.of(subject);
  return {own, all: [...own, ...impliedGroups(subject).flatMap((group) => holdings.of(group))]};
}

/** What a request is allowed by. */
interface Allowance {
  readonly grants: readonly Grant[];
  readonly rights: readonly GrantedRight[];
}

function allowance(grants: readonly Grant[], asked: readonly Asked[]): Allowance | undefined {
  const by = new Set<Grant>();
  const rights: GrantedRight[] = [];
  for (const grant of grants) {
    for (const one of asked) {
      if (!countsIn(grant.binding, one.namespace)) continue;
      for (const rule of grant.role.rules) {
        if (!ruleAllows(rule, one)) continue;
        by.add(grant);
        rights.push(grantedRight(rule, one));
      }
    }
  }
  return by.size === 0 ? undefined : {grants: [...by], rights: distinctRights(rights)};
}

/** All of them, or nothing: what a way needs together, of which at least a part must be the subject's own. */
function together(held: Held, ...needs: readonly (readonly Asked[])[]): Allowance | undefined {
  const found = needs.map((asked) => allowance(held.all, asked));
  if (found.some((one) => one === undefined)) return undefined;
  const grants = [...new Set(found.flatMap((one) => one?.grants ?? []))];
  if (!grants.some((grant) => held.own.includes(grant))) return undefined;
  return {grants, rights: distinctRights(found.flatMap((one) => one?.rights ?? []))};
}

/** Ways by changing roles and bindings. */
export function roleEscalations(holdings: Holdings, subject: Subject, world: World): readonly Escalation[] {
  const held = heldBy(holdings, subject);
  return [escalates(held, world), binds(held, world)].flatMap((one) => one ?? []);
}

/** Who may delete the Secret and create one needs no right to change it. */
export function recreates(holdings: Holdings, subject: Subject, {namespace, secrets}: Target): Escalation | undefined {
  const secret = {group: '', resource: 'secrets', namespace};
  const deletes = secrets.map((name) => ({...secret, verb: 'delete', name}));
  const found = together(heldBy(holdings, subject), deletes, [{...secret, verb: 'create'}]);
  return found && {way: 'replace-secret', ...found};
}

/** What escalation is judged against. */
export interface World {
  readonly target: Target;
  readonly grants: readonly Grant[];
  /** Every role of the cluster, as if it were bound in Istio's namespace. */
  readonly roleReaches: (role: Grant['role'], everywhere: boolean) => boolean;
  readonly roles: readonly Grant['role'][];
  readonly bindings: readonly Binding[];
}

/** Who may escalate may give a role, that it holds already, every right. */
function escalates(held: Held, {target: {namespace}}: World): Escalation | undefined {
  const kinds = [
    {resource: 'clusterroles', kind: 'ClusterRole', place: {}},
    {resource: 'roles', kind: 'Role', place: {namespace}},
  ] as const;
  for (const {resource, kind, place} of kinds) {
    const isHeld = (name: string): boolean =>
      held.all.some(({role, binding}) => role.kind === kind && role.name === name && countsIn(binding, namespace));
    const holdsOne = held.all.some(({role, binding}) => role.kind === kind && countsIn(binding, namespace));
    if (!holdsOne) continue;
    const ask = (verb: string): Asked => ({verb, group: rbac, resource, ...place, name: isHeld});
    const found = together(held, [ask('escalate')], [ask('update'), ask('patch')]);
    if (found) return {way: 'escalate', ...found};
  }
  return undefined;
}

/** Who may bind a role that leads to the key, and may write a binding where it counts, binds itself. */
function binds(held: Held, {target: {namespace}, roles, bindings, roleReaches}: World): Escalation | undefined {
  const places = [
    {resource: 'clusterrolebindings', kind: 'ClusterRoleBinding', place: {}, everywhere: true},
    {resource: 'rolebindings', kind: 'RoleBinding', place: {namespace}, everywhere: false},
  ] as const;
  for (const {resource, kind, place, everywhere} of places) {
    const usable = roles.filter(
      (role) =>
        (role.kind === 'ClusterRole' || (!everywhere && role.namespace === namespace)) && roleReaches(role, everywhere),
    );
    const named =
      (roleKind: string) =>
      (name: string): boolean =>
        usable.some((role) => role.kind === roleKind && role.name === name);
    const bind: readonly Asked[] = [
      {verb: 'bind', group: rbac, resource: 'clusterroles', ...place, name: named('ClusterRole')},
      ...(everywhere ? [] : [{verb: 'bind', group: rbac, resource: 'roles', ...place, name: named('Role')}]),
    ];
    const write = (verb: string): Asked => ({verb, group: rbac, resource, ...place});
    // A binding that exists can be given another subject, and no other role.
    const mayTake = (name: string): boolean =>
      bindings.some(
        (one) =>
          one.kind === kind &&
          one.name === name &&
          countsIn(one, namespace) &&
          usable.some((role) => role.kind === one.role.kind && role.name === one.role.name),
      );
    const change = ['update', 'patch'].map((verb) => ({...write(verb), name: mayTake}));
    const found = together(held, bind, [write('create'), ...change]);
    if (found) return {way: 'bind', ...found};
  }
  return undefined;
}

/** One of these is part of every way to become somebody else, but for programs that are run by GET. */
const becomingVerbs: readonly string[] = ['*', 'impersonate', 'create', 'update', 'patch'];
const runByGet: readonly string[] = ['*', 'pods/exec', 'pods/attach', '*/exec', '*/attach'];

const anyName = (): boolean => true;

/** Whom a subject may become, of those that reach the key. The first that it finds is told. */
export function becomes(holdings: Holdings, subject: Subject, reaching: readonly Subject[]): Escalation | undefined {
  const held = heldBy(holdings, subject);
  // Most subjects only read: no need to ask for each of the others.
  const mayBecome = held.own.some(({role}) =>
    role.rules.some(
      ({verbs, resources}) =>
        verbs.some((verb) => becomingVerbs.includes(verb)) ||
        (verbs.includes('get') && resources.some((resource) => runByGet.includes(resource))),
    ),
  );
  if (!mayBecome) return undefined;
  // Of a group that it is in by what it is it has everything already: that group is a finding of its own.
  const own = new Set(impliedGroups(subject).map(subjectId));
  const others = reaching.filter((one) => !own.has(subjectId(one)));
  return impersonates(held, others) ?? isAccount(held, others);
}

function impersonates(held: Held, reaching: readonly Subject[]): Escalation | undefined {
  const mayAtAll = held.all.some(({role}) =>
    role.rules.some(({verbs}) => verbs.includes('*') || verbs.includes('impersonate')),
  );
  if (!mayAtAll) return undefined;
  const impersonate = (resource: string, rest: Partial<Asked>): Asked => ({
    verb: 'impersonate',
    group: '',
    resource,
    ...rest,
  });
  for (const via of reaching.filter(({kind}) => kind === 'User')) {
    const found = together(held, [impersonate('users', {name: via.name})]);
    if (found) return {way: 'impersonate', ...found, via};
  }
  // A group is taken on together with a user (the header Impersonate-User is required).
  const asAnybody = [
    impersonate('users', {name: () => true}),
    ...serviceAccountNamespaces(held.all).map((namespace) =>
      impersonate('serviceaccounts', {namespace, name: () => true}),
    ),
  ];
  for (const via of [privilegedGroup, ...reaching.filter(({kind}) => kind === 'Group')]) {
    const found = together(held, [impersonate('groups', {name: via.name})], asAnybody);
    if (found) return {way: 'impersonate', ...found, via};
  }
  return undefined;
}

/** Namespaces in which rules may speak of service accounts; of a ClusterRoleBinding any will do. */
function serviceAccountNamespaces(grants: readonly Grant[]): readonly string[] {
  return [...new Set(grants.map(({binding}) => binding.namespace ?? 'default'))];
}

/** The service accounts as which one reaches it: one, or every one of a namespace by a group. */
function accountsOf(
  {kind, name, namespace}: Subject,
  held: Held,
): readonly Required<Pick<Asked, 'namespace' | 'name'>>[] {
  if (kind === 'ServiceAccount') return namespace === undefined ? [] : [{namespace, name}];
  if (kind !== 'Group') return [];
  const [, of] = /^system:serviceaccounts:(.+)$/.exec(name) ?? [];
  if (of !== undefined) return [{namespace: of, name: anyName}];
  const everywhere = name === 'system:serviceaccounts' ? serviceAccountNamespaces(held.all) : [];
  return everywhere.map((one) => ({namespace: one, name: anyName}));
}

function isAccount(held: Held, reaching: readonly Subject[]): Escalation | undefined {
  for (const via of reaching) {
    for (const account of accountsOf(via, held)) {
      const found = takesAccount(held, account);
      if (found) return {...found, via};
    }
  }
  return undefined;
}

/**
 * Who acts as an account: by name, by a token, by a pod that runs as it. Which pods that is RBAC does not say: rights to all
 * pods of the namespace, or to any by name, count.
 */
function takesAccount(held: Held, account: Required<Pick<Asked, 'namespace' | 'name'>>): Escalation | undefined {
  const {namespace} = account;
  // Everything below is asked in that namespace, and a part must be the subject's own.
  if (!held.own.some(({binding}) => countsIn(binding, namespace))) return undefined;
  const ask = (resource: string, verbs: readonly string[], name?: Asked['name']): readonly Asked[] =>
    verbs.map((verb) => defined({group: '', resource, namespace, verb, name}));
  const as = (way: WayId, ...needs: readonly (readonly Asked[])[]): Escalation | undefined => {
    const found = together(held, ...needs);
    return found && {way, ...found};
  };
  return (
    as('impersonate', ask('serviceaccounts', ['impersonate'], account.name)) ??
    as('token', ask('serviceaccounts/token', ['create'], account.name)) ??
    // A Secret of type kubernetes.io/service-account-token is filled with a token of the account that it names
    // (kubernetes.io: concepts/configuration/secret, "ServiceAccount token Secrets").
    as('token', ask('secrets', ['create']), ask('secrets', ['get', 'list', 'watch'], anyName)) ??
    as(
      'pod-of',
      workloads.flatMap((workload): readonly Asked[] => [
        {...workload, verb: 'create', namespace},
        ...(workload.resource === 'pods'
          ? []
          : ['update', 'patch'].map((verb) => ({...workload, verb, namespace, name: anyName}))),
      ]),
    ) ??
    // Of a pod that runs its images can be changed, and its account stays.
    as('in-pod-of', [
      ...['pods/exec', 'pods/attach'].flatMap((resource) => ask(resource, ['create', 'get'], anyName)),
      ...['pods', 'pods/ephemeralcontainers'].flatMap((resource) => ask(resource, ['update', 'patch'], anyName)),
    ])
  );
}

/** Whether a role opens a simple way other than replacing, were it bound in Istio's namespace or in the whole cluster. */
export function opensWay(role: Grant['role'], everywhere: boolean, target: Target): boolean {
  const binding: Binding = defined({
    kind: everywhere ? 'ClusterRoleBinding' : 'RoleBinding',
    name: '',
    namespace: !everywhere ? target.namespace : undefined,
    role,
    subjects: [],
  });
  return waysOf({binding, role}, target).some(({way}) => way !== 'replace-secret');
}
