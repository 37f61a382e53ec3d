import {inspect} from 'node:util';

const redacted = '[redacted]';

/**
 * A value that must never reach a terminal, a log, a JSON answer, the journal or an argument list: private keys and
 * passphrases. Printing, JSON and inspection show `[redacted]`. Lint allows `reveal()` only in the engine, the signers
 * and the workspace.
 */
export class Sensitive<T> {
  readonly #value: T;

  constructor(value: T) {
    this.#value = value;
  }

  /** The value itself. */
  reveal(): T {
    return this.#value;
  }

  /** The value seen through a function, still sensitive. */
  map<U>(change: (value: T) => U): Sensitive<U> {
    return new Sensitive(change(this.#value));
  }

  /** Whether something is true of the value; nothing else is told of it. */
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
