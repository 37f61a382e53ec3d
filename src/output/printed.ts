/** Results as views and JSON see them: every suggested command and every hint is text, with the flags of this run. */
import type {Advice} from '../domain/suggest/advice.js';
import type {Purpose, Suggestion} from '../domain/suggest/suggestion.js';

/** A suggested command as text that can be typed as it is. In JSON it is the text alone. */
export class PrintedCommand {
  constructor(
    readonly text: string,
    readonly purpose: Purpose,
    /** Whether a command of this program in it agrees beforehand (`--yes`) to what it would show with `--dry-run`. */
    readonly agrees: boolean,
  ) {}

  toJSON(): string {
    return this.text;
  }
}

/** The same data, its suggestions and hints as text. */
export type Printed<T> = T extends Suggestion
  ? PrintedCommand
  : T extends Advice
    ? string
    : T extends (...args: never[]) => unknown
      ? T
      : T extends object
        ? {readonly [Key in keyof T]: Printed<T[Key]>}
        : T;
