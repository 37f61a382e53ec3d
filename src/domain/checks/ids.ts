/** Ids of checks and their prefixes, as `--only`, `--skip` and `implies` take them. */

/** The groups of ids; valid prefixes even while a group has no check. */
export const groupPrefixes = ['MESH1', 'MESH2', 'MESH3', 'MESH4', 'MESH5'] as const;

/** Whether an id is the one named, or begins with the prefix named. */
export function matches(id: string, idOrPrefix: string): boolean {
  return id.startsWith(idOrPrefix);
}
