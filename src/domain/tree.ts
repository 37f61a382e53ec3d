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

/** Merges one tree over another: maps deeply; lists and scalars are replaced. Keys keep the order of the base. */
export function mergeTrees(base: Tree, over: Tree): Tree {
  const merged = new Map(Object.entries(base));
  for (const [key, value] of Object.entries(over)) {
    const before = merged.get(key);
    merged.set(key, isTree(before) && isTree(value) ? mergeTrees(before, value) : value);
  }
  return Object.fromEntries(merged);
}

/** Creates a tree with one value at a path. */
export function treeOf(path: readonly string[], value: unknown): Tree {
  const [first, ...rest] = path;
  if (first === undefined) return isTree(value) ? value : {};
  return {[first]: rest.length === 0 ? value : treeOf(rest, value)};
}
