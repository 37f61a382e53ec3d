/**
 * Views print results. They are pure: result and request in, text out. In views and JSON, every suggested command and hint
 * is text, with the flags of this run.
 */
import {mergeCommands} from '../domain/suggest/merge.js';
import type {Advice, Purpose, Suggestion} from '../domain/suggest/suggestion.js';

/** A suggested command as text that can be run unchanged. JSON contains only the text. */
export class PrintedCommand {
  constructor(
    readonly text: string,
    readonly purpose: Purpose,
    /** Whether it contains a command of this program with `--yes`: `--dry-run` instead of it previews the command. */
    readonly includesYes: boolean,
    private readonly source: Suggestion,
    private readonly render: (suggestion: Suggestion) => string,
  ) {}

  /** One command that does what these do, as text; undefined if there is none. */
  static merge(commands: readonly PrintedCommand[]): string | undefined {
    const merged = mergeCommands(commands.map(({source}) => source));
    return merged && commands[0]?.render(merged);
  }

  toJSON(): string {
    return this.text;
  }
}

/** The same data, with suggestions and hints as text. */
export type Printed<T> = T extends Suggestion
  ? PrintedCommand
  : T extends Advice
    ? string
    : T extends (...args: never[]) => unknown
      ? T
      : T extends object
        ? {readonly [Key in keyof T]: Printed<T[Key]>}
        : T;

/** The environment in which a view is printed. */
export interface ViewContext {
  /** Columns of the terminal; undefined if the output is not a terminal: nothing is truncated then. */
  readonly width?: number;
  readonly color: boolean;
  /** `-v`: passing checks are not summarized. */
  readonly verbose?: boolean;
  readonly now: Date;
  /** Returns a command as text, with the flags of this run. */
  readonly command: (suggestion: Suggestion) => string;
}

/** The input of a rendering besides the result. */
export interface RenderContext<Request = unknown> extends ViewContext {
  readonly request: Request;
}

/** Renders a result as text without a final line feed. Nothing is printed for an empty text. */
export type Render<Result, Request = unknown> = (result: Printed<Result>, context: RenderContext<Request>) => string;

/**
 * The renderings of a command's result. The keys are the values of `-o`; `text` is the default. `json` needs no function: it
 * is the result itself with a schema version.
 */
export type View<Result, Request = unknown> = Readonly<
  Record<'text', Render<Result, Request>> &
    Partial<
      Record<'wide' | 'short' | 'name' | 'junit' | 'mermaid' | 'prometheus' | 'csr' | 'yaml', Render<Result, Request>>
    >
> & {
  /** The lines about errors that `-o name` and `-o prometheus` do not contain. Absent: those of the run and its clusters. */
  readonly problems?: (result: Printed<Result>) => readonly string[];
};
