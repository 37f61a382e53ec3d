/**
 * How a result is shown. Views are pure: result and request in, text out. They and JSON see every suggested command and every
 * hint as text, with the flags of this run.
 */
import type {Advice, Purpose, Suggestion} from '../domain/suggest/suggestion.js';

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

/** What a view may know about where it is shown. */
export interface ViewContext {
  /** Columns of the terminal; undefined when the output is not a terminal: then nothing is cut. */
  readonly width?: number;
  readonly color: boolean;
  /** `-v`: nothing is summarized. */
  readonly verbose?: boolean;
  readonly now: Date;
  /** A command as it can be typed, with the flags of this run. */
  readonly command: (suggestion: Suggestion) => string;
}

/** What a rendering is given besides the result: where it is shown, and what was requested. */
export interface RenderContext<Request = unknown> extends ViewContext {
  readonly request: Request;
}

/** One rendering of a result; the text ends without a line feed. An empty text prints nothing. */
export type Render<Result, Request = unknown> = (result: Printed<Result>, context: RenderContext<Request>) => string;

/**
 * The renderings a command offers; the keys are the allowed values of `-o`. `json` needs no function: it is the result
 * itself with a schema version. `text` is the default.
 */
export type View<Result, Request = unknown> = Readonly<
  Record<'text', Render<Result, Request>> &
    Partial<
      Record<'wide' | 'short' | 'name' | 'junit' | 'mermaid' | 'prometheus' | 'csr' | 'yaml', Render<Result, Request>>
    >
>;
