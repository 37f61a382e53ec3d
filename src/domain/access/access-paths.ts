/** Who reaches Secrets of Istio's namespace in one cluster: a pure judgement of its RBAC. */
import {canImpersonate, binds, escalates, canRecreateSecret} from './escalation.js';
import {waysOf, ways, type Effect, type Target, type Way} from './path-kinds.js';
import {grantsIn, holdersIn, type Holder, type RbacFacts} from '../kube/rbac.js';
import {impliedGroups, privilegedGroup, subjectId, type Subject} from '../kube/subjects.js';

/** One way of one subject. */
export interface AccessPath extends Way {
  readonly subject: Subject;
  readonly effect: Effect;
}

/**
 * Every subject that a binding names and that reaches the target. Of ways that lead through somebody else only one is
 * told, and only of those who have no other: a lower bound, like everything that RBAC shows.
 */
export function accessPathsOf(rbac: RbacFacts, target: Target): readonly AccessPath[] {
  const grants = grantsIn(rbac);
  const holders = holdersIn(grants);
  const reaches: AccessPath[] = [];
  const found = new Map<string, Subject>();
  const reaching = new Map<string, Subject>();
  const add = (subject: Subject, way: Way | undefined): boolean => {
    if (!way) return false;
    const reach = {...way, subject, effect: ways[way.way].effect};
    reaches.push(reach);
    found.set(subjectId(subject), subject);
    if (isWhole(reach)) reaching.set(subjectId(subject), subject);
    return true;
  };
  const others = (than: ReadonlyMap<string, Subject>): readonly Holder[] => holders.filter(({id}) => !than.has(id));
  for (const grant of grants) {
    const subjects = new Map(grant.binding.subjects.map((subject) => [subjectId(subject), subject]));
    for (const way of waysOf(grant, target)) for (const subject of subjects.values()) add(subject, way);
  }
  if (!found.has(subjectId(privilegedGroup))) {
    add(privilegedGroup, {way: 'superuser', rights: [{verb: '*', resource: '*'}], grants: []});
  }
  for (const holder of others(found)) add(holder.subject, canRecreateSecret(holder, target));
  const bind = binds(rbac, target);
  for (const holder of others(reaching)) {
    add(holder.subject, escalates(holder, target));
    add(holder.subject, bind(holder));
  }
  // Who becomes somebody who reaches it can be become, too.
  for (let news = true; news;) {
    news = false;
    for (const holder of others(reaching)) {
      if (add(holder.subject, canImpersonate(holder, [...reaching.values()]))) news = true;
    }
  }
  return reaches;
}

/** The ways of one subject, those of the groups that it is in by what it is included; replacing left out. */
export function accessPathsBy(reaches: readonly AccessPath[], subject: Subject): readonly AccessPath[] {
  const ids = new Set([subject, ...impliedGroups(subject)].map(subjectId));
  return reaches.filter((one) => isWhole(one) && ids.has(subjectId(one.subject)));
}

/** Whether the key itself is reached, and not only replaced. */
export function isWhole({effect}: Pick<AccessPath, 'effect'>): boolean {
  return effect !== 'replaces';
}
