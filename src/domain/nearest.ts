import {distance} from 'fastest-levenshtein';

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
