/**
 * The RBAC rights that verify's requests need, derived from the tables of requests (facts/requests.ts) and facts: docs/verify.md
 * lists them, and `access role` grants them. `/version` needs none: every authenticated user can read it (kubernetes.io:
 * reference/access-authn-authz/rbac, "API discovery roles").
 */
import {defined} from '../defined.js';
import {groupOf, resourceOf} from '../kube/kinds.js';
import type {NamedCluster} from '../mesh/istio-name.js';
import {noLimits, limitOn, type Limits} from './limits.js';
import {reads, type Read, type ReadName} from './requests.js';
import {factKeys, isMeshFact, readsOf, dependsOnRequest, type ReadFactKey} from './facts.js';

/** One right. */
export interface Right {
  readonly verb: 'get' | 'list' | 'create';
  /** API group; empty for the core group. */
  readonly group: string;
  /** Plural, with a subresource after a slash. */
  readonly resource: string;
  /** Only the object of this name; a `list` then selects this name. */
  readonly name?: string;
  /** The name contains that of a cluster: there is a right for each cluster. */
  readonly isOfCluster?: true;
  /** `everywhere`: in all namespaces, or a cluster-scoped kind. */
  readonly where: 'Istio namespace' | 'everywhere';
  /** Facts that are unknown without it. */
  readonly facts: readonly ReadFactKey[];
  /** Meshes that need it; absent: all. */
  readonly when?: string;
}

const verbs = {get: 'get', find: 'get', list: 'list', review: 'create'} as const;

/** The right that a request needs; undefined if it needs none, or none that a role can grant before the name is known. */
export function rightOf(read: Read): Omit<Right, 'facts'> | undefined {
  if (read.method === 'raw' || read.isGrantedByName === true || read.isShortcut === true) return undefined;
  const {apiVersions, kind, scope, name, when} = read;
  const {plural} = resourceOf({apiVersion: apiVersions[0], kind});
  const subresource = read.method === 'forward' ? read.subresource : undefined;
  return defined({
    verb: read.method === 'forward' ? read.verb : verbs[read.method],
    group: groupOf(apiVersions[0]),
    resource: subresource === undefined ? plural : `${plural}/${subresource}`,
    name,
    where: scope === 'Istio namespace' ? scope : 'everywhere',
    when,
  });
}

/** The rights that a run with these limits needs in a mesh of these clusters, in the order of the table of requests. */
export function rightsWithin(limits: Limits, clusters: readonly NamedCluster[]): readonly Right[] {
  const rights = new Map<string, Right>();
  for (const name of Object.keys(reads) as ReadName[]) {
    const facts = factKeys.filter((key): key is ReadFactKey => !isMeshFact(key) && dependsOnRequest(key, name));
    const isUsed = factKeys.some((key) => readsOf(key).includes(name));
    if (!isUsed || limitOn(name, limits) !== undefined) continue;
    for (const right of rightsFor(reads[name], clusters)) {
      const {verb, group, resource, name: object = '', where} = right;
      const key = [verb, group, resource, object, where].join(' ');
      rights.set(key, merged(rights.get(key), {...right, facts}));
    }
  }
  return [...rights.values()];
}

/** The rights that a request needs: one for each object of which the name contains a cluster's. */
function rightsFor(read: Read, clusters: readonly NamedCluster[]): readonly Omit<Right, 'facts'>[] {
  const right = rightOf(read);
  if (!right) return [];
  const nameOf = read.method === 'raw' ? undefined : read.nameOf;
  return nameOf ? clusters.map((cluster) => ({...right, name: nameOf(cluster), isOfCluster: true})) : [right];
}

/** All rights of a full run in a mesh of these clusters. */
export function verifyRights(clusters: readonly NamedCluster[]): readonly Right[] {
  return rightsWithin(noLimits, clusters);
}

/** Merges the rights of two requests into one, needed if either is sent. */
function merged(one: Right | undefined, other: Right): Right {
  if (!one) return other;
  const {when, ...right} = one;
  const both = when === undefined || other.when === undefined ? undefined : `${when}, and ${other.when}`;
  return defined({...right, facts: [...new Set([...one.facts, ...other.facts])], when: both});
}
