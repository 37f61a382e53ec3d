/** `npm run faults -- --only`: what is measured in this run. */

/** Set by scripts/faults.ts: ids or their beginnings, separated by commas; absent: all. */
export const onlyVariable = 'KUBECTL_MESH_FAULTS';

/** Whether a fault or mesh with this id was selected. */
export function isWanted(id: string): boolean {
  const words = (process.env[onlyVariable] ?? '').split(',').filter((word) => word !== '');
  return words.length === 0 || words.some((word) => id.startsWith(word));
}
