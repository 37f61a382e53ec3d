/** A scenario could not be measured; the message says why. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
}
