/** Trees of YAML values: maps, lists and scalars, as the `yaml` package reads them. */

/** A map. Keys come from files, so read them with {@link valueAt} only: `__proto__` is a key like any other. */
export type Tree = Readonly<Record<string, unknown>>;

/** Whether a value is a map. */
export function isTree(value: unknown): value is Tree {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Returns the value at a path, or undefined if there is none. */
export function valueAt(tree: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) => (isTree(value) && Object.hasOwn(value, key) ? value[key] : undefined),
    tree,
  );
}

/** Returns the longest prefix of a path that exists in a tree. */
export function existingPrefix(tree: unknown, path: readonly string[]): readonly string[] {
  const missing = path.findIndex((_key, index) => valueAt(tree, path.slice(0, index + 1)) === undefined);
  return missing === -1 ? path : path.slice(0, missing);
}

/** Decides what becomes of a value for which an overlay has another one, if not both are maps. */
export type MergeValues = (before: unknown, over: unknown, path: readonly string[]) => unknown;

/**
 * Merges one tree over another: maps deeply; lists and scalars are replaced, unless `mergeValues` decides otherwise. Keys keep the
 * order of the base.
 */
export function mergeTrees(
  base: Tree,
  over: Tree,
  mergeValues: MergeValues = (_before, value) => value,
  path: readonly string[] = [],
): Tree {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const before = merged.get(key);
    const place = [...path, key];
    const both = isTree(before) && isTree(value);
    merged.set(key, both ? mergeTrees(before, value, mergeValues, place) : mergeValues(before, value, place));
  }
  return Object.fromEntries(merged);
}

/** Creates a tree with one value at a path. */
export function treeOf(path: readonly string[], value: unknown): Tree {
  const [first, ...rest] = path;
  if (first === undefined) return isTree(value) ? value : {};
  return {[first]: rest.length === 0 ? value : treeOf(rest, value)};
}

/** Whether a value has every field of another, at any depth. Lists must have equally many entries. */
export function includesFields(whole: unknown, part: unknown): boolean {
  if (isTree(part)) {
    return isTree(whole) && Object.entries(part).every(([key, value]) => includesFields(valueAt(whole, [key]), value));
  }
  if (!Array.isArray(part)) return whole === part;
  const entries: readonly unknown[] = part;
  return (
    Array.isArray(whole) &&
    whole.length === entries.length &&
    entries.every((entry, index) => includesFields((whole as readonly unknown[])[index], entry))
  );
}
