import {inspect} from 'node:util';

const redacted = '[redacted]';

/**
 * A value that must never reach a terminal, a log, JSON output, the journal or an argument list: a private key or a
 * passphrase. Printing, JSON and inspection show `[redacted]`. Lint allows `reveal()` only in the engine, the signers
 * and the workspace.
 */
export class Sensitive<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** Returns the value itself. */
  reveal(): T {
    return this.#value;
  }

  /** Applies a function to the value; the result is sensitive too. */
  map<U>(change: (value: T) => U): Sensitive<U> {
    return new Sensitive(change(this.#value));
  }

  /** Reports whether the value meets a condition, without revealing it. */
  test(predicate: (value: T) => boolean): boolean {
    return predicate(this.#value);
  }

  toString(): string {
    return redacted;
  }

  toJSON(): string {
    return redacted;
  }

  [inspect.custom](): string {
    return redacted;
  }
}
