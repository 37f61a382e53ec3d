/**
 * Rules of mesh.yaml that look at more than one field. Pure: a well-formed file in, broken rules out, each with the
 * path of the field to blame. parse.ts turns paths into lines.
 */
import {parseDays, parsePercent} from './duration.js';
import type {ContextsFile, MeshFile, MeshFileCluster} from './schema.js';

/** Where in a YAML file: keys and list indexes from the top. */
export type FieldPath = readonly (string | number)[];

/** A rule that a well-formed file breaks. */
export interface RuleViolation {
  readonly path: FieldPath;
  readonly message: string;
}

/** Days of ten centuries are no validity: X.509's last time is the year 9999 (RFC 5280, 4.1.2.5). */
const maxValidityDays = 36_500;

/** A value that an entry repeats, and the entry that has it first. */
interface Duplicate<Entry> {
  readonly index: number;
  readonly entry: Entry;
  readonly value: string;
  readonly first: Entry;
}

/** The entries that repeat the value of an earlier one. */
export function duplicates<Entry>(
  entries: readonly Entry[],
  valueOf: (entry: Entry) => string | undefined,
): readonly Duplicate<Entry>[] {
  const owners = new Map<string, Entry>();
  return entries.flatMap((entry, index) => {
    const value = valueOf(entry);
    if (value === undefined) return [];
    const first = owners.get(value);
    if (first !== undefined) return [{index, entry, value, first}];
    owners.set(value, entry);
    return [];
  });
}

/** Every rule that the file breaks, in no particular order. */
export function ruleViolations(file: MeshFile): readonly RuleViolation[] {
  const {clusters = [], istio} = file;
  const unique = (field: 'name' | 'context' | 'uid', say: (value: string, owner: string) => string): RuleViolation[] =>
    duplicates(clusters, (cluster) => cluster[field]).map(({index, value, first}) => ({
      path: ['clusters', index, field],
      message: say(value, first.name),
    }));
  return [
    ...unique('name', (name) => `is ${name} for a second time: names are unique`),
    ...unique('context', alreadyUsedBy),
    ...unique('uid', (uid, other) => `is ${uid}, the UID of cluster ${other} already: one cluster, two names`),
    ...clusters.flatMap((cluster, index) => {
      const message = roleViolation(cluster, clusters);
      return message === undefined ? [] : [{path: ['clusters', index, 'primary'], message}];
    }),
    ...validityViolations(file),
    ...expiryViolations(file),
    ...duplicates(istio?.revisions ?? [], (name) => name).map(({index}) => ({
      path: ['istio', 'revisions', index],
      message: 'is listed twice',
    })),
  ];
}

/** Rules of contexts.yaml: one context cannot be two clusters. */
export function contextRuleViolations(file: ContextsFile): readonly RuleViolation[] {
  return duplicates(Object.entries(file), ([, context]) => context).map(({entry: [name], value, first: [owner]}) => ({
    path: [name],
    message: alreadyUsedBy(value, owner),
  }));
}

function alreadyUsedBy(context: string, owner: string): string {
  return `is ${context}, the context of cluster ${owner} already`;
}

function roleViolation(
  {role, primary: name}: MeshFileCluster,
  clusters: readonly MeshFileCluster[],
): string | undefined {
  if (role !== 'remote') {
    return name === undefined ? undefined : `is for remotes: write role: remote, or take primary: ${name} away`;
  }
  if (name === undefined) return 'is missing: a remote names the primary whose istiod it uses';
  const primary = clusters.find((one) => one.name === name);
  if (!primary) return `names ${name}, which is no cluster of this mesh`;
  return primary.role === 'remote' ? `names ${name}, which is a remote itself` : undefined;
}

function validityViolations({
  trust: {rootValidity: root, clusterValidity: cluster} = {},
}: MeshFile): readonly RuleViolation[] {
  const tooLong = Object.entries({rootValidity: root, clusterValidity: cluster}).flatMap(([field, validity]) =>
    validity !== undefined && parseDays(validity) > maxValidityDays
      ? [{path: ['trust', field], message: `must be at most ${String(maxValidityDays)}d`}]
      : [],
  );
  if (tooLong.length > 0 || root === undefined || cluster === undefined) return tooLong;
  if (parseDays(cluster) <= parseDays(root)) return [];
  const message = `must not be longer than rootValidity (${root}): a cluster CA never outlives its root`;
  return [{path: ['trust', 'clusterValidity'], message}];
}

function expiryViolations({trust}: MeshFile): readonly RuleViolation[] {
  const {warn, error} = trust?.expiry ?? {};
  if (!warn || !error) return [];
  const [warnShare, warnDays] = warn;
  const [errorShare, errorDays] = error;
  return parsePercent(errorShare) > parsePercent(warnShare) || parseDays(errorDays) > parseDays(warnDays)
    ? [{path: ['trust', 'expiry', 'error'], message: 'must not come before the warning: lower it, or raise warn'}]
    : [];
}
