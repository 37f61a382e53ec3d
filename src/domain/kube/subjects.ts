/** Who may do something: users, groups and service accounts, as RBAC knows them. */

/** The kinds of subjects (kubernetes.io: reference/access-authn-authz/rbac, "Referring to subjects"). */
export const subjectKinds = ['User', 'Group', 'ServiceAccount'] as const;

/** A subject of a binding. */
export interface Subject {
  readonly kind: (typeof subjectKinds)[number];
  readonly name: string;
  /** Of a service account. */
  readonly namespace?: string;
  /** The name as a binding spells it, where that is another: a service account by its user name. */
  readonly written?: string;
}

/** `User:alice`, `Group:devs`, `ServiceAccount:namespace/name`: as mesh.yaml and `--subject` name subjects. */
export function subjectId({kind, name, namespace}: Subject): string {
  return kind === 'ServiceAccount' ? `${kind}:${namespace ?? ''}/${name}` : `${kind}:${name}`;
}

/** What a subject has to look like; for messages. */
export const subjectRule = 'User:NAME, Group:NAME or ServiceAccount:NAMESPACE/NAME';

/**
 * One of these on one line, by YAML 1.1 too, which kubectl reads. Names of users and groups are whatever the cluster's
 * authentication says.
 */
export const subjectPattern =
  /^(?:(?:User|Group):[^\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,1024}|ServiceAccount:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)$/;

/** The subject of an id; undefined where the text is none. */
export function parseSubject(text: string): Subject | undefined {
  if (!subjectPattern.test(text)) return undefined;
  const [kind = '', ...rest] = text.split(':');
  const name = rest.join(':');
  if (kind === 'Group') return {kind, name};
  if (kind === 'User') return userSubject(name);
  const [namespace = '', account = ''] = name.split('/');
  return {kind: 'ServiceAccount', namespace, name: account};
}

/** The user name of a service account (k8s.io/apiserver pkg/authentication/serviceaccount/util.go). */
const serviceAccountUser = /^system:serviceaccount:([^:/]+):([^:/]+)$/;

/** A user by name: service accounts are users, too. */
export function userSubject(name: string): Subject {
  const [, namespace, account] = serviceAccountUser.exec(name) ?? [];
  return namespace === undefined || account === undefined
    ? {kind: 'User', name}
    : {kind: 'ServiceAccount', namespace, name: account, written: name};
}

/**
 * The groups that a subject is in by what it is. Which users are in which other groups only the cluster's authentication
 * knows. Source: k8s.io/apiserver pkg/authentication/serviceaccount/util.go (MakeGroupNames) and
 * pkg/authentication/group/authenticated_group_adder.go.
 */
export function impliedGroups({kind, name, namespace}: Subject): readonly Subject[] {
  const group = (groupName: string): Subject => ({kind: 'Group', name: groupName});
  const authenticated = group('system:authenticated');
  if (kind === 'ServiceAccount') {
    return [group('system:serviceaccounts'), group(`system:serviceaccounts:${namespace ?? ''}`), authenticated];
  }
  if (kind === 'User') return name === 'system:anonymous' ? [group('system:unauthenticated')] : [authenticated];
  return name === authenticated.name || name === 'system:unauthenticated' ? [] : [authenticated];
}

/** Its members pass every authorization (k8s.io/apiserver pkg/authentication/user/user.go, SystemPrivilegedGroup). */
export const privilegedGroup: Subject = {kind: 'Group', name: 'system:masters'};
