/** Who reaches Secrets of Istio's namespace in one cluster: a pure judgement of its RBAC. */
import {defined} from '../defined.js';
import {becomes, opensWay, recreates, roleEscalations, type World} from './escalation.js';
import {waysOf, ways, type Effect, type GrantedRight, type Target, type WayId} from './paths.js';
import {grantsIn, Holdings, type Grant, type RbacFacts} from '../kube/rbac.js';
import {impliedGroups, privilegedGroup, subjectId, type Subject} from '../kube/subjects.js';

/** One way of one subject. */
export interface Reach {
  readonly subject: Subject;
  readonly way: WayId;
  readonly effect: Effect;
  readonly rights: readonly GrantedRight[];
  /** The bindings that give the rights, with their roles; empty where the API server itself does. */
  readonly grants: readonly Grant[];
  /** As whom it goes on. */
  readonly via?: Subject;
}

/**
 * Every subject that a binding names and that reaches the target. Of ways that lead through somebody else only one is
 * told, and only of those who have no other: a lower bound, like everything that RBAC shows.
 */
export function reachesOf(rbac: RbacFacts, target: Target): readonly Reach[] {
  const grants = grantsIn(rbac);
  const holdings = new Holdings(grants);
  const reaches: Reach[] = grants.flatMap((grant) =>
    waysOf(grant, target).flatMap(({way, rights}) =>
      distinctSubjects(grant.binding.subjects).map((subject) => reach(subject, way, rights, [grant])),
    ),
  );
  if (!reaches.some(({subject}) => isSame(subject, privilegedGroup))) {
    reaches.push(reach(privilegedGroup, 'superuser', [{verb: '*', resource: '*'}], []));
  }
  const world: World = {
    target,
    grants,
    roles: rbac.roles,
    bindings: rbac.bindings,
    roleReaches: remember((role, everywhere) => opensWay(role, everywhere, target)),
  };
  const replacing = new Set(reaches.map(({subject}) => subjectId(subject)));
  for (const subject of holdings.subjects.filter((one) => !replacing.has(subjectId(one)))) {
    const found = recreates(holdings, subject, target);
    if (found) reaches.push(reach(subject, found.way, found.rights, found.grants));
  }
  const reaching = new Map(reaches.filter(isWhole).map(({subject}) => [subjectId(subject), subject]));
  const add = (one: Reach): void => {
    reaches.push(one);
    reaching.set(subjectId(one.subject), one.subject);
  };
  const others = (): readonly Subject[] => holdings.subjects.filter((subject) => !reaching.has(subjectId(subject)));
  for (const subject of others()) {
    for (const {way, rights, grants: by} of roleEscalations(holdings, subject, world)) {
      add(reach(subject, way, rights, by));
    }
  }
  // Who becomes somebody who reaches it can be become, too.
  for (let news = true; news;) {
    news = false;
    for (const subject of others()) {
      const found = becomes(holdings, subject, [...reaching.values()]);
      if (!found) continue;
      add(defined({...reach(subject, found.way, found.rights, found.grants), via: found.via}));
      news = true;
    }
  }
  return reaches;
}

/** The ways of one subject, those of the groups that it is in by what it is included; replacing left out. */
export function reachesBy(reaches: readonly Reach[], subject: Subject): readonly Reach[] {
  const ids = new Set([subject, ...impliedGroups(subject)].map(subjectId));
  return reaches.filter((one) => isWhole(one) && ids.has(subjectId(one.subject)));
}

/** Whether the key itself is reached, and not only replaced. */
export function isWhole({effect}: Pick<Reach, 'effect'>): boolean {
  return effect !== 'replaces';
}

function reach(subject: Subject, way: WayId, rights: readonly GrantedRight[], grants: readonly Grant[]): Reach {
  return {subject, way, effect: ways[way].effect, rights, grants};
}

function isSame(one: Subject, other: Subject): boolean {
  return subjectId(one) === subjectId(other);
}

function distinctSubjects(subjects: readonly Subject[]): readonly Subject[] {
  return [...new Map(subjects.map((subject) => [subjectId(subject), subject])).values()];
}

function remember(ask: World['roleReaches']): World['roleReaches'] {
  const answers = new Map<string, boolean>();
  return (role, everywhere) => {
    const key = [role.kind, role.namespace ?? '', role.name, String(everywhere)].join('\n');
    const before = answers.get(key) ?? ask(role, everywhere);
    answers.set(key, before);
    return before;
  };
}
