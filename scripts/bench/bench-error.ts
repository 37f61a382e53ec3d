/** A scenario could not be measured; the message gives the reason. */
export class BenchError extends Error {
  override readonly name = 'BenchError';
}
