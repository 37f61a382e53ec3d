/**
 * The lists of an IstioOperator whose entries have keys: istioctl up to 1.23 merges them by key, and later versions replace them
 * (1.23.6:operator/pkg/util/merge_iop.go, 1.31.0:operator/pkg/values/map.go, MergeFrom). An overlay that sets one entry must not
 * remove those that this program sets, in any version.
 */
import {isTree, mergeTrees, type MergeValues, type Tree} from '../tree.js';

/** The key of each list, by the list's path. `*` is any entry of a list. */
const listKeys: ReadonlyMap<string, string> = new Map([
  ['spec.components.pilot.k8s.env', 'name'],
  ['spec.components.ingressGateways', 'name'],
  ['spec.components.egressGateways', 'name'],
  ['spec.components.ingressGateways.*.k8s.env', 'name'],
  ['spec.components.ingressGateways.*.k8s.service.ports', 'port'],
]);

/** Returns the key of a list's entries; undefined if the list has none and is replaced as a whole. */
function keyAt(path: readonly string[]): string | undefined {
  return listKeys.get(path.join('.'));
}

/** Merges an overlay over a document: maps deeply, keyed lists by their keys; other lists and scalars are replaced. */
export function mergeDocuments(base: Tree, over: Tree): Tree {
  return mergeTrees(base, over, mergeLists);
}

const mergeLists: MergeValues = (before, over, path) => {
  const key = keyAt(path);
  if (key === undefined || !Array.isArray(before) || !Array.isArray(over)) return over;
  const [entries, changes]: readonly [readonly unknown[], readonly unknown[]] = [before, over];
  const keyOf = (entry: unknown): string | undefined => {
    const value = isTree(entry) ? entry[key] : undefined;
    return typeof value === 'string' || typeof value === 'number' ? String(value) : undefined;
  };
  const isSame = (one: unknown, other: unknown): boolean => keyOf(one) !== undefined && keyOf(one) === keyOf(other);
  return [
    ...entries.map((entry) => {
      const change = changes.find((one) => isSame(one, entry));
      return isTree(entry) && isTree(change) ? mergeTrees(entry, change, mergeLists, [...path, '*']) : entry;
    }),
    ...changes.filter((one) => !entries.some((entry) => isSame(one, entry))),
  ];
};

/** Returns the document with keyed lists as maps from their keys to their entries; a variable's entry is its value. */
export function withKeyedLists(tree: Tree, path: readonly string[] = []): Tree {
  return Object.fromEntries(Object.entries(tree).map(([field, value]) => [field, keyed(value, [...path, field])]));
}

function keyed(value: unknown, path: readonly string[]): unknown {
  if (isTree(value)) return withKeyedLists(value, path);
  const key = keyAt(path);
  if (key === undefined || !Array.isArray(value)) return value;
  const entries = (value as readonly unknown[]).filter(isTree);
  const isVariable = path.at(-1) === 'env';
  return Object.fromEntries(
    entries.map((entry) => [
      String(entry[key]),
      isVariable ? (entry.value ?? entry.valueFrom ?? '') : withKeyedLists(entry, [...path, '*']),
    ]),
  );
}
