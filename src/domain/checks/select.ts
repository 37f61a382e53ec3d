import {closest} from 'fastest-levenshtein';
import {MeshError} from '../errors.js';
import {advice, kubectlMesh, words} from '../suggest/suggestion.js';
import type {Check} from './check.js';

/** The prefixes of check groups; valid even while a group has no check. */
export const groupPrefixes = ['MESH1', 'MESH2', 'MESH3', 'MESH4', 'MESH5'] as const;

/** Whether an id equals the given id or starts with the given prefix. */
export function matches(id: string, idOrPrefix: string): boolean {
  return id.startsWith(idOrPrefix);
}

/** The selected checks, as ids or prefixes. */
export interface Selection {
  readonly only: readonly string[];
  readonly skip: readonly string[];
}

/** The selected checks, in the registry's order. Throws `UNKNOWN_ID` with the nearest id. */
export function selectChecks(checks: readonly Check[], selection: Selection): readonly Check[] {
  const known = [...groupPrefixes, ...checks.map(({id}) => id)];
  for (const word of [...selection.only, ...selection.skip]) {
    if (!/^MESH[0-9]+$/.test(word) || !known.some((id) => matches(id, word))) throw unknownId(word, known);
  }
  return checks.filter(
    ({id}) =>
      (selection.only.length === 0 || selection.only.some((word) => matches(id, word))) &&
      !selection.skip.some((word) => matches(id, word)),
  );
}

/** The check with this id. Throws `UNKNOWN_ID` with the nearest id. */
export function findCheck(checks: readonly Check[], id: string): Check {
  const check = checks.find((one) => one.id === id);
  if (check) return check;
  throw unknownId(
    id,
    checks.map((one) => one.id),
  );
}

function unknownId(word: string, known: readonly string[]): MeshError {
  return new MeshError('UNKNOWN_ID', `unknown check "${word}"`, {
    hints: [
      // All group prefixes resemble each other: suggesting one of them would be a guess.
      /^MESH\d?$/i.test(word)
        ? `use a prefix such as ${groupPrefixes.join(', ')}, or a check ID`
        : `did you mean ${closest(word.toUpperCase(), [...known])}?`,
      advice`list all checks with: ${kubectlMesh('verify', words`--list-checks`)}`,
    ],
  });
}
