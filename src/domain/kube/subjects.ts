/** RBAC subjects: users, groups and service accounts. */

/** The kinds of subjects (kubernetes.io: reference/access-authn-authz/rbac, "Referring to subjects"). */
export const subjectKinds = ['User', 'Group', 'ServiceAccount'] as const;

/** A subject of a binding. */
export interface Subject {
  readonly kind: (typeof subjectKinds)[number];
  readonly name: string;
  /** Service accounts only. */
  readonly namespace?: string;
  /** The name in the binding if it differs: the user name of a service account. */
  readonly written?: string;
}

/** Returns a subject's id in mesh.yaml and `--subject`: `User:alice`, `Group:devs`, `ServiceAccount:namespace/name`. */
export function subjectId({kind, name, namespace}: Subject): string {
  return kind === 'ServiceAccount' ? `${kind}:${namespace ?? ''}/${name}` : `${kind}:${name}`;
}

/** The format of a subject's id, for messages. */
export const subjectRule = 'User:NAME, Group:NAME or ServiceAccount:NAMESPACE/NAME';

/**
 * A subject's id on one line, also in YAML 1.1, which kubectl reads. Names of users and groups can be anything that the
 * cluster's authentication provides.
 */
export const subjectPattern =
  /^(?:(?:User|Group):[^\u0000-\u001f\u007f-\u009f\u2028\u2029]{1,1024}|ServiceAccount:[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?\/[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?)$/;

/** Parses a subject's id; undefined if it is not valid. */
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

/** Returns the subject with a user name, which may be that of a service account. */
export function userSubject(name: string): Subject {
  const [, namespace, account] = serviceAccountUser.exec(name) ?? [];
  return namespace === undefined || account === undefined
    ? {kind: 'User', name}
    : {kind: 'ServiceAccount', namespace, name: account, written: name};
}

/**
 * Returns the groups to which a subject always belongs. Membership in other groups is known only to the cluster's
 * authentication. Source: k8s.io/apiserver pkg/authentication/serviceaccount/util.go (MakeGroupNames) and
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

/** The group whose members are always authorized (k8s.io/apiserver pkg/authentication/user/user.go, SystemPrivilegedGroup). */
export const privilegedGroup: Subject = {kind: 'Group', name: 'system:masters'};
