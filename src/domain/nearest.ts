import {distance} from 'fastest-levenshtein';

/**
 * The candidate that was probably meant, or undefined when none is near: at most two edits, or a third of the word's
 * length for long words. Letter case does not count.
 */
export function nearest(word: string, candidates: readonly string[]): string | undefined {
  const limit = Math.max(2, Math.floor(word.length / 3));
  let best: {readonly candidate: string; readonly edits: number} | undefined;
  for (const candidate of candidates) {
    const edits = distance(word.toLowerCase(), candidate.toLowerCase());
    // Half of a short word changed is another word.
    if (edits > limit || edits * 2 > Math.max(word.length, candidate.length)) continue;
    if (!best || edits < best.edits) best = {candidate, edits};
  }
  return best?.candidate;
}
