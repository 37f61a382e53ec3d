/** How a result is shown. Views are pure: result in, text out. */
import type {Suggestion} from '../domain/suggest/suggestion.js';
import type {Printed} from './printed.js';

/** What a view may know about where it is shown. */
export interface ViewContext {
  /** Columns of the terminal; undefined when the output is not a terminal: then nothing is cut. */
  readonly width?: number;
  readonly color: boolean;
  readonly now: Date;
  /** A command as it can be typed, with the flags of this run. */
  readonly command: (suggestion: Suggestion) => string;
}

/** One rendering of a result; the text ends without a line feed. An empty text prints nothing. */
export type Render<Result> = (result: Printed<Result>, context: ViewContext) => string;

/**
 * The renderings a command offers; the keys are the allowed values of `-o`. `json` needs no function: it is the result
 * itself with a schema version. `text` is the default.
 */
export interface View<Result> {
  readonly text: Render<Result>;
  readonly wide?: Render<Result>;
  readonly short?: Render<Result>;
  readonly name?: Render<Result>;
  readonly junit?: Render<Result>;
  readonly mermaid?: Render<Result>;
  readonly prometheus?: Render<Result>;
  readonly csr?: Render<Result>;
  readonly yaml?: Render<Result>;
}
