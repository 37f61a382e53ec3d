/** Subjects that can reach Secrets of Istio's namespace in one cluster, derived from its RBAC. Pure. */
import {canImpersonate, canBind, canEscalate, canRecreateSecret} from './escalation.js';
import {directPaths, pathKinds, type PathEffect, type AccessTarget, type GrantedPath} from './path-kinds.js';
import {grantsIn, holdersIn, type Holder, type RbacFacts} from '../kube/rbac.js';
import {memoizeByKey, memoizePerObject} from '../memoize.js';
import {impliedGroups, privilegedGroup, subjectId, type Subject} from '../kube/subjects.js';

/** One access path of one subject. */
export interface AccessPath extends GrantedPath {
  readonly subject: Subject;
  readonly effect: PathEffect;
}

/**
 * The access paths of every subject that a binding names. A path through another subject is reported only if there is no
 * other path to the key, and only the first one: the result is a lower bound, like any RBAC analysis. Several checks use it, so
 * it is analyzed once.
 */
export function accessPathsOf(rbac: RbacFacts, target: AccessTarget): readonly AccessPath[] {
  return analysisOf(rbac)(target);
}

const analysisOf = memoizePerObject((rbac: RbacFacts) =>
  memoizeByKey(
    (target: AccessTarget) => analyze(rbac, target),
    ({namespace, secrets}) => [namespace, ...secrets].join('\n'),
  ),
);

function analyze(rbac: RbacFacts, target: AccessTarget): readonly AccessPath[] {
  const grants = grantsIn(rbac);
  const holders = holdersIn(grants);
  const paths: AccessPath[] = [];
  const found = new Map<string, Subject>();
  const withKey = new Map<string, Subject>();
  const add = (subject: Subject, granted: GrantedPath | undefined): boolean => {
    if (!granted) return false;
    const path = {...granted, subject, effect: pathKinds[granted.kind].effect};
    paths.push(path);
    found.set(subjectId(subject), subject);
    if (reachesKey(path)) withKey.set(subjectId(subject), subject);
    return true;
  };
  const without = (known: ReadonlyMap<string, Subject>): readonly Holder[] => holders.filter(({id}) => !known.has(id));
  for (const grant of grants) {
    const subjects = new Map(grant.binding.subjects.map((subject) => [subjectId(subject), subject]));
    for (const path of directPaths(grant, target)) for (const subject of subjects.values()) add(subject, path);
  }
  if (!found.has(subjectId(privilegedGroup))) {
    add(privilegedGroup, {kind: 'superuser', rights: [{verb: '*', resource: '*'}], grants: []});
  }
  for (const holder of without(found)) add(holder.subject, canRecreateSecret(holder, target));
  const bindPath = canBind(rbac, target);
  for (const holder of without(withKey)) {
    add(holder.subject, canEscalate(holder, target));
    add(holder.subject, bindPath(holder));
  }
  // A subject that can impersonate one with access can itself be impersonated: repeat until nothing is added.
  for (let changed = true; changed;) {
    changed = false;
    for (const holder of without(withKey)) {
      if (add(holder.subject, canImpersonate(holder, [...withKey.values()]))) changed = true;
    }
  }
  return paths;
}

/** The paths by which a subject, directly or through its implicit groups, reaches the key. */
export function accessPathsBy(paths: readonly AccessPath[], subject: Subject): readonly AccessPath[] {
  const ids = new Set([subject, ...impliedGroups(subject)].map(subjectId));
  return paths.filter((path) => reachesKey(path) && ids.has(subjectId(path.subject)));
}

/** Whether a path exposes the key, instead of only replacing it. */
export function reachesKey({effect}: Pick<AccessPath, 'effect'>): boolean {
  return effect !== 'replaces';
}
