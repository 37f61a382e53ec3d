import {distance} from 'fastest-levenshtein';

/**
 * Returns the known name of which `name` is probably a misspelling: one letter differs, is added, omitted or swapped with
 * its neighbor. Names that differ only in numbers and single letters (`cluster2`, `prod-b`) are a series.
 */
export function misspelled(name: string, known: readonly string[]): string | undefined {
  const series = (text: string): string => text.replace(/\d+/g, '').replace(/(?<![a-z])[a-z](?![a-z])/g, '');
  return known.find((other) => {
    if (Math.min(name.length, other.length) < 4 || series(name) === series(other)) return false;
    return distance(name, other) === 1 || isSwapped(name, other);
  });
}

function isSwapped(one: string, other: string): boolean {
  const at = Array.from(one).findIndex((letter, index) => letter !== other[index]);
  const [first = '', second = ''] = [one[at], one[at + 1]];
  return at >= 0 && one.slice(0, at) + second + first + one.slice(at + 2) === other;
}

/**
 * Returns the candidate that the user probably meant, or undefined if none is similar: at most two edits, or a third of
 * the word's length for long words. Letter case is ignored.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(word.length / 3));
  let best: {readonly candidate: string; readonly edits: number} | undefined;
  for (const candidate of candidates) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    // A short word with half of its letters changed is a different word.
    if (edits > limit || edits * 2 > Math.max(word.length, candidate.length)) continue;
    if (!best || edits < best.edits) best = {candidate, edits};
  }
  return best?.candidate;
}
