/** A seeded generator: the same seed always produces the same cases. Not for secrets. */
import {createHash} from 'node:crypto';

/** Pseudorandom numbers and choices. */
export class Random {
  #state: number;

  /** `labels` separate the generators of one seed, such as one for each case. */
  constructor(...labels: readonly (string | number)[]) {
    this.#state = createHash('sha256').update(labels.join('\n')).digest().readUInt32BE();
  }

  /** A number from 0 (inclusive) to 1 (exclusive): mulberry32. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  }

  /** An integer below `limit`. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** One of several values. Throws if there is none. */
  pick<T>(values: readonly T[]): T {
    const value = values[this.below(values.length)];
    if (value === undefined) throw new RangeError('cannot pick from nothing');
    return value;
  }

  /** Bytes. */
  bytes(length: number): Buffer {
    return Buffer.from(Array.from({length}, () => this.below(256)));
  }

  /** The values in another order. */
  shuffle<T>(values: readonly T[]): T[] {
    const shuffled = [...values];
    for (let last = shuffled.length - 1; last > 0; last -= 1) {
      const other = this.below(last + 1);
      [shuffled[last], shuffled[other]] = [shuffled[other] as T, shuffled[last] as T];
    }
    return shuffled;
  }
}
