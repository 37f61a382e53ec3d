/**
 * The list of ingress gateways of an IstioOperator, which contains this program's east-west gateway. An overlay's list replaces the
 * others, as every list does, but only changes that gateway: without it, other networks could not reach the cluster.
 */
import {isTree, mergeTrees, type MergeValues, type Tree} from '../tree.js';
import {eastWestName} from './east-west/kind.js';

/** The list's path in the document. */
export const gatewayListPath: readonly string[] = ['spec', 'components', 'ingressGateways'];

/** Whether an entry of the list is the east-west gateway. */
export function isEastWest(entry: unknown): entry is Tree {
  return isTree(entry) && entry.name === eastWestName;
}

/** Merges an overlay over a document: maps deeply; lists and scalars are replaced, except for the east-west gateway. */
export function mergeDocuments(base: Tree, over: Tree): Tree {
  return mergeTrees(base, over, (before, value, path) => {
    const isList = path.join() === gatewayListPath.join() && Array.isArray(before) && Array.isArray(value);
    return isList ? mergeGateways(before, value) : value;
  });
}

function mergeGateways(before: readonly unknown[], over: readonly unknown[]): readonly unknown[] {
  const others = over.filter((entry) => !isEastWest(entry));
  const changes = over.filter(isEastWest);
  // A list with only this gateway says nothing about the others.
  const kept = others.length === 0 && changes.length > 0 ? before.filter((entry) => !isEastWest(entry)) : others;
  const own = [...before.filter(isEastWest), ...changes];
  return [...kept, ...(own.length === 0 ? [] : [own.reduce((entry, change) => mergeTrees(entry, change, mergeEntry))])];
}

/** The lists of an entry by their paths in it, with the keys by which they are merged. */
const entryLists: ReadonlyMap<string, string> = new Map([
  ['k8s,env', 'name'],
  ['k8s,service,ports', 'port'],
]);

const mergeEntry: MergeValues = (before, over, path) => {
  const key = entryLists.get(path.join());
  if (key === undefined || !Array.isArray(before) || !Array.isArray(over)) return over;
  const keyOf = (entry: unknown): unknown => (isTree(entry) ? entry[key] : undefined);
  const changes: readonly unknown[] = over;
  const kept = (before as readonly unknown[]).filter((entry) => !changes.some((one) => keyOf(one) === keyOf(entry)));
  return [...kept, ...changes];
};

/** The lists that owned fields are in, by path, with their keys. `*` is any entry of a list. */
const namedLists: ReadonlyMap<string, string> = new Map([
  ['spec,components,pilot,k8s,env', 'name'],
  [gatewayListPath.join(), 'name'],
  [[...gatewayListPath, '*', 'k8s', 'env'].join(), 'name'],
]);

/** Returns a document with these lists as maps from their keys to their entries; a variable's entry is its value. */
export function withNamedEntries(tree: Tree, path: readonly string[] = []): Tree {
  return Object.fromEntries(Object.entries(tree).map(([field, value]) => [field, named(value, [...path, field])]));
}

function named(value: unknown, path: readonly string[]): unknown {
  if (isTree(value)) return withNamedEntries(value, path);
  const key = namedLists.get(path.join());
  if (key === undefined || !Array.isArray(value)) return value;
  const isVariable = path.at(-1) === 'env';
  const entries = (value as readonly unknown[]).filter(isTree).map((entry) => {
    const own = isVariable ? (entry.value ?? entry.valueFrom ?? '') : withNamedEntries(entry, [...path, '*']);
    return [String(entry[key]), own] as const;
  });
  return Object.fromEntries(entries);
}
