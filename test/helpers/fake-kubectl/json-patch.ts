/** RFC 6902 (add, replace, remove, test) and RFC 7386, as far as an API server for tests needs them. */
export interface PatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

type Tree = Record<string, unknown>;

/** Applies a JSON patch; undefined when it does not apply. */
export function applyJsonPatch(target: object, operations: readonly PatchOperation[]): Tree | undefined {
  const result = structuredClone(target) as Tree;
  for (const {op, path, value} of operations) {
    const keys = path
      .split('/')
      .slice(1)
      .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
    const last = keys.pop() ?? '';
    let parent: Tree | undefined = result;
    for (const key of keys) parent = parent?.[key] as Tree | undefined;
    if (parent === undefined) return undefined;
    if (op === 'test') {
      if (JSON.stringify(parent[last]) !== JSON.stringify(value)) return undefined;
    } else if (op === 'remove') {
      if (!(last in parent)) return undefined;
      Reflect.deleteProperty(parent, last);
    } else {
      if (op === 'replace' && !(last in parent)) return undefined;
      parent[last] = value;
    }
  }
  return result;
}

/** Applies a merge patch. */
export function applyMergePatch(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Tree = typeof target === 'object' && target !== null ? {...(target as Tree)} : {};
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) Reflect.deleteProperty(result, key);
    else result[key] = applyMergePatch(result[key], value);
  }
  return result;
}
