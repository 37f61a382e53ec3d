/**
 * Rules of mesh.yaml that look at more than one field. Pure: a well-formed file in, broken rules out, each with the
 * path of the field to blame. parse.ts turns paths into lines.
 */
import {parseDays, parsePercent} from './duration.js';
import type {ContextsFile, MeshFile, MeshFileCluster} from './schema.js';

/** Where in a YAML file: keys and list indexes from the top. */
export type FieldPath = readonly (string | number)[];

/** A rule that a well-formed file breaks. */
export interface BrokenRule {
  readonly path: FieldPath;
  readonly message: string;
}

/** Days of ten centuries are no validity: X.509's last time is the year 9999 (RFC 5280, 4.1.2.5). */
const longestValidityDays = 36_500;

/** Every rule that the file breaks, in no particular order. */
export function brokenRules(file: MeshFile): readonly BrokenRule[] {
  const clusters = file.clusters ?? [];
  return [
    ...unique(clusters, 'name', (name) => `is ${name} for a second time: names are unique`),
    ...unique(clusters, 'context', (context, other) => `is ${context}, the context of cluster ${other} already`),
    ...unique(
      clusters,
      'uid',
      (uid, other) => `is ${uid}, the UID of cluster ${other} already: one cluster, two names`,
    ),
    ...clusters.flatMap((cluster, index) => brokenRoleRules(cluster, index, clusters)),
    ...brokenValidityRules(file),
    ...brokenExpiryRules(file),
    ...repeated(file.istio?.revisions ?? []).map((index) => ({
      path: ['istio', 'revisions', index],
      message: 'is listed twice',
    })),
  ];
}

/** Rules of contexts.yaml: one context cannot be two clusters. */
export function brokenContextRules(file: ContextsFile): readonly BrokenRule[] {
  const owners = new Map<string, string>();
  return Object.entries(file).flatMap(([name, context]) => {
    const owner = owners.get(context);
    owners.set(context, owner ?? name);
    return owner === undefined
      ? []
      : [{path: [name], message: `is ${context}, the context of cluster ${owner} already`}];
  });
}

function unique(
  clusters: readonly MeshFileCluster[],
  field: 'name' | 'context' | 'uid',
  say: (value: string, owner: string) => string,
): BrokenRule[] {
  const owners = new Map<string, string>();
  return clusters.flatMap((cluster, index) => {
    const value = cluster[field];
    if (value === undefined) return [];
    const owner = owners.get(value);
    owners.set(value, owner ?? cluster.name);
    return owner === undefined ? [] : [{path: ['clusters', index, field], message: say(value, owner)}];
  });
}

function brokenRoleRules(
  cluster: MeshFileCluster,
  index: number,
  clusters: readonly MeshFileCluster[],
): readonly BrokenRule[] {
  const path = ['clusters', index, 'primary'];
  if (cluster.role !== 'remote') {
    return cluster.primary === undefined
      ? []
      : [{path, message: `is for remotes: write role: remote, or take primary: ${cluster.primary} away`}];
  }
  if (cluster.primary === undefined) {
    return [{path, message: 'is missing: a remote names the primary whose istiod it uses'}];
  }
  const primary = clusters.find(({name}) => name === cluster.primary);
  if (!primary) return [{path, message: `names ${cluster.primary}, which is no cluster of this mesh`}];
  if (primary.role === 'remote') return [{path, message: `names ${cluster.primary}, which is a remote itself`}];
  return [];
}

function brokenValidityRules({trust}: MeshFile): readonly BrokenRule[] {
  const tooLong = (['rootValidity', 'clusterValidity'] as const).flatMap((field) => {
    const validity = trust?.[field];
    return validity !== undefined && parseDays(validity) > longestValidityDays
      ? [{path: ['trust', field], message: `must be at most ${String(longestValidityDays)}d`}]
      : [];
  });
  if (tooLong.length > 0 || trust?.rootValidity === undefined || trust.clusterValidity === undefined) return tooLong;
  return parseDays(trust.clusterValidity) > parseDays(trust.rootValidity)
    ? [
        {
          path: ['trust', 'clusterValidity'],
          message: `must not be longer than rootValidity (${trust.rootValidity}): a cluster CA never outlives its root`,
        },
      ]
    : [];
}

function brokenExpiryRules({trust}: MeshFile): readonly BrokenRule[] {
  const {warn, error} = trust?.expiry ?? {};
  if (!warn || !error) return [];
  const [warnShare, warnDays] = warn;
  const [errorShare, errorDays] = error;
  return parsePercent(errorShare) > parsePercent(warnShare) || parseDays(errorDays) > parseDays(warnDays)
    ? [{path: ['trust', 'expiry', 'error'], message: 'must not come before the warning: lower it, or raise warn'}]
    : [];
}

function repeated(list: readonly string[]): readonly number[] {
  return list.flatMap((item, index) => (list.indexOf(item) < index ? [index] : []));
}
