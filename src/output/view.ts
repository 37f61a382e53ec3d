/**
 * How a result is printed. Views are pure: result and request in, text out. They and JSON get every suggested command and
 * every hint as text, with the flags of this run.
 */
import type {Advice, Purpose, Suggestion} from '../domain/suggest/suggestion.js';

/** A suggested command as text that can be run as it is. In JSON it is only the text. */
export class PrintedCommand {
  constructor(
    readonly text: string,
    readonly purpose: Purpose,
    /** Whether it contains a command of this program with `--yes`, which `--dry-run` in its place would preview. */
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

/** Where a view is printed. */
export interface ViewContext {
  /** Columns of the terminal; undefined where the output is not a terminal: then nothing is cut. */
  readonly width?: number;
  readonly color: boolean;
  /** `-v`: nothing is summarized. */
  readonly verbose?: boolean;
  readonly now: Date;
  /** A command as it can be run, with the flags of this run. */
  readonly command: (suggestion: Suggestion) => string;
}

/** What a rendering gets besides the result: where it is printed, and the request. */
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
