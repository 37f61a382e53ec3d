/** How a result is shown. Views are pure: result and request in, text out. */
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
export interface View<Result, Request = unknown> {
  readonly text: Render<Result, Request>;
  readonly wide?: Render<Result, Request>;
  readonly short?: Render<Result, Request>;
  readonly name?: Render<Result, Request>;
  readonly junit?: Render<Result, Request>;
  readonly mermaid?: Render<Result, Request>;
  readonly prometheus?: Render<Result, Request>;
  readonly csr?: Render<Result, Request>;
  readonly yaml?: Render<Result, Request>;
}
