/** Changes of objects in a cluster that are taken back later. */
import type {Resource} from './api.js';
import type {Cluster} from './cluster.js';

/** Takes a change back. */
export type Undo = () => Promise<void>;

/** A JSON merge patch (RFC 7396): null removes a field. */
export type MergePatch = Readonly<Record<string, unknown>>;

/** Changes an object by a merge patch, which may depend on what it is. */
export async function changed(
  {api}: Cluster,
  path: string,
  change: MergePatch | ((object: Resource) => MergePatch),
): Promise<Undo> {
  const object = await api.get(path);
  const patch = typeof change === 'function' ? change(object) : change;
  await api.patch(path, patch);
  const back = inverse(patch, object);
  return async () => {
    await api.patch(path, back);
  };
}

/** Creates an object, or replaces what is called so. */
export async function created({api}: Cluster, path: string, object: object): Promise<Undo> {
  await api.apply(path, object);
  return () => api.remove(path);
}

/** The merge patch that restores what another one changes in an object. */
function inverse(patch: MergePatch, object: object): MergePatch {
  return Object.fromEntries(
    Object.entries(patch).map(([field, value]) => {
      const before = (object as MergePatch)[field];
      return [field, isTree(value) && isTree(before) ? inverse(value, before) : (before ?? null)];
    }),
  );
}

function isTree(value: unknown): value is MergePatch {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
