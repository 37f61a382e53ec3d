import {distance} from 'fastest-levenshtein';
import {MeshError} from '../errors.js';
import {advice, type Hint, kubectlMesh, words} from '../suggest/suggestion.js';
import type {Check} from './check.js';

/** The prefixes of the check groups, with their subjects; valid even if a group has no check. */
export const checkGroups = {
  MESH1: 'work directory',
  MESH2: 'access',
  MESH3: 'trust',
  MESH4: 'control plane',
  MESH5: 'discovery',
  MESH6: 'traffic',
} as const;

/** Whether an id equals the given id or starts with the given prefix. Letter case does not matter. */
export function matches(id: string, idOrPrefix: string): boolean {
  return id.startsWith(idOrPrefix.toUpperCase());
}

/** The selected checks, as ids or prefixes. */
export interface Selection {
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

/** The selected checks, in the registry's order. Throws `UNKNOWN_ID` with the nearest id. */
export function selectChecks(checks: readonly Check[], selection: Selection): readonly Check[] {
  for (const word of [...selection.only, ...selection.skip]) {
    if (!(word.toUpperCase() in checkGroups)) findChecks(checks, word);
  }
  return checks.filter(
    ({id}) =>
      (selection.only.length === 0 || selection.only.some((word) => matches(id, word))) &&
      !selection.skip.some((word) => matches(id, word)),
  );
}

/** The check with this id, or all checks with this prefix. Throws `UNKNOWN_ID` with the nearest id. */
export function findChecks(checks: readonly Check[], idOrPrefix: string): readonly [Check, ...Check[]] {
  const [first, ...rest] = /^MESH[0-9]+$/i.test(idOrPrefix) ? checks.filter(({id}) => matches(id, idOrPrefix)) : [];
  if (first) return [first, ...rest];
  throw new MeshError('UNKNOWN_ID', `unknown check "${idOrPrefix}"`, {
    hints: [
      meantId(checks, idOrPrefix) ?? knownGroups(),
      advice`list all checks with: ${kubectlMesh('verify', words`--list-checks`)}`,
    ],
  });
}

/** The id that the user probably meant. One digit may be wrong: ids that differ in two are about other subjects. */
function meantId(checks: readonly Check[], word: string): Hint | undefined {
  const upper = word.toUpperCase();
  const maxTypos = /^MESH\d*$/.test(upper) ? 1 : 2;
  const [best] = checks
    .map(({id}) => ({id, typos: distance(upper, id)}))
    .filter(({typos}) => typos <= maxTypos)
    .toSorted((one, other) => one.typos - other.typos);
  return best && `did you mean ${best.id}?`;
}

function knownGroups(): Hint {
  const groups = Object.entries(checkGroups).map(([prefix, subject]) => `${prefix} (${subject})`);
  return `use a check ID, or a prefix: ${groups.join(', ')}`;
}
