/**
 * Rules of mesh.yaml that involve more than one field. Pure: return the violations in a well-formed file, each with the path
 * of the invalid field. parse.ts converts paths to lines.
 */
import {parseDays, parsePercent} from './duration.js';
import {ownerOfIstioName} from './istio-name.js';
import type {ContextsFile, MeshFile, MeshFileCluster} from './schema.js';

/** The path of a field in a YAML file: keys and list indexes. */
export type FieldPath = readonly (string | number)[];

/** A rule that a well-formed file violates. */
export interface RuleViolation {
  readonly path: FieldPath;
  readonly message: string;
}

/** An upper limit for validity periods: X.509 times end in the year 9999 (RFC 5280, 4.1.2.5). */
const maxValidityDays = 36_500;

/** An entry with the value of an earlier entry. */
interface Duplicate<Entry> {
  readonly index: number;
  readonly entry: Entry;
  readonly value: string;
  readonly first: Entry;
}

/** Returns the entries with the same value as an earlier one. */
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

/** Returns every rule that the file violates, in no particular order. */
export function ruleViolations(file: MeshFile): readonly RuleViolation[] {
  const {clusters = [], istio} = file;
  type Message = (value: string, owner: string) => string;
  const unique = (field: 'name' | 'context' | 'uid', message: Message): RuleViolation[] =>
    duplicates(clusters, (cluster) => cluster[field]).map(({index, value, first}) => ({
      path: ['clusters', index, field],
      message: message(value, first.name),
    }));
  return [
    ...unique('name', (name) => `${name} is not unique: another cluster has the same name`),
    ...istioNameViolations(clusters),
    ...unique('context', alreadyUsedBy),
    ...unique('uid', (uid, other) => `${uid} is already the UID of cluster ${other}: clusters have one name`),
    ...clusters.flatMap((cluster, index) => {
      const message = roleViolation(cluster, clusters);
      return message === undefined ? [] : [{path: ['clusters', index, 'primary'], message}];
    }),
    ...validityViolations(file),
    ...discoveryViolations(file),
    ...expiryViolations(file),
    ...duplicates(istio?.revisions ?? [], (name) => name).map(({index}) => ({
      path: ['istio', 'revisions', index],
      message: 'is listed twice',
    })),
  ];
}

/** Istio's name of a cluster must not be a name of another one, in mesh.yaml or for Istio. */
function istioNameViolations(clusters: readonly MeshFileCluster[]): readonly RuleViolation[] {
  return clusters.flatMap(({name, istioName}, index) => {
    if (istioName === undefined) return [];
    const owner = ownerOfIstioName(clusters, istioName, name);
    if (!owner) return [];
    const what = owner.name === istioName ? 'the name' : "Istio's name";
    return [
      {path: ['clusters', index, 'istioName'], message: `${istioName} is already ${what} of cluster ${owner.name}`},
    ];
  });
}

/** Returns the violations in contexts.yaml: two clusters must not have the same context. */
export function contextRuleViolations(file: ContextsFile): readonly RuleViolation[] {
  return duplicates(Object.entries(file), ([, context]) => context).map(({entry: [name], value, first: [owner]}) => ({
    path: [name],
    message: alreadyUsedBy(value, owner),
  }));
}

function alreadyUsedBy(context: string, owner: string): string {
  return `${context} is already the context of cluster ${owner}`;
}

function roleViolation({role, primary: name}: MeshFileCluster, clusters: readonly MeshFileCluster[]) {
  if (role !== 'remote') {
    return name === undefined ? undefined : `is allowed for remotes only: add role: remote, or remove primary: ${name}`;
  }
  if (name === undefined) return 'is required for a remote: the primary whose istiod it uses';
  const primary = clusters.find((one) => one.name === name);
  if (!primary) return `references cluster ${name}, which is not declared`;
  return primary.role === 'remote' ? `references cluster ${name}, which is a remote` : undefined;
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
  const message = `must not exceed rootValidity (${root}): a cluster CA never outlives its root`;
  return [{path: ['trust', 'clusterValidity'], message}];
}

/**
 * A lifetime that the API server would reject (kubernetes/kubernetes pkg/apis/authentication/validation/validation.go: 2^32
 * seconds), and one without effect.
 */
function discoveryViolations({discovery: {token, tokenLifetime} = {}}: MeshFile): readonly RuleViolation[] {
  if (tokenLifetime === undefined) return [];
  const path = ['discovery', 'tokenLifetime'];
  if (token === 'secret') return [{path, message: 'has no effect with token: secret, whose tokens do not expire'}];
  return parseDays(tokenLifetime) > maxValidityDays
    ? [{path, message: `must be at most ${String(maxValidityDays)}d`}]
    : [];
}

function expiryViolations({trust}: MeshFile): readonly RuleViolation[] {
  const {warn, error} = trust?.expiry ?? {};
  const useless = Object.entries({warn, error}).flatMap(([field, values]) =>
    values?.[2] !== undefined && parseDays(values[2]) < parseDays(values[1])
      ? [{path: ['trust', 'expiry', field], message: 'the third value must not be less than the second'}]
      : [],
  );
  if (useless.length > 0 || !warn || !error) return useless;
  const [warnShare, warnDays, warnCap] = warn;
  const [errorShare, errorDays, errorCap] = error;
  const cap = (days: string | undefined): number => (days === undefined ? Infinity : parseDays(days));
  const exceeds =
    parsePercent(errorShare) > parsePercent(warnShare) ||
    parseDays(errorDays) > parseDays(warnDays) ||
    cap(errorCap) > cap(warnCap);
  return exceeds
    ? [{path: ['trust', 'expiry', 'error'], message: 'must not exceed warn: decrease it, or increase warn'}]
    : [];
}
