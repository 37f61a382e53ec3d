/** Asks or makes at the first call, and gives every later one the same: facts of one answer, tools that a run may not need. */
export function once<T>(ask: () => Promise<T>): () => Promise<T> {
  let asked: Promise<T> | undefined;
  return () => (asked ??= ask());
}
