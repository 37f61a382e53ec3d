import {distance} from 'fastest-levenshtein';

/** Existing names that somebody who typed `name` may have meant, best first, at most three. */
export function nearestNames(name: string, existing: readonly string[]): readonly string[] {
  const limit = Math.max(2, Math.floor(name.length / 3));
  const typed = name.toLowerCase();
  return existing
    .map((candidate) => {
      const other = candidate.toLowerCase();
      // "c1" typed for "kind-c1": containing is nearer than any number of edits.
      const cost = typed !== '' && (other.includes(typed) || typed.includes(other)) ? 1 : distance(typed, other);
      return {candidate, cost};
    })
    .filter(({cost}) => cost <= limit)
    .toSorted((a, b) => a.cost - b.cost || a.candidate.localeCompare(b.candidate))
    .slice(0, 3)
    .map(({candidate}) => candidate);
}
