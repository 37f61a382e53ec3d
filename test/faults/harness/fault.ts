/** A seeded fault is data: what is done to a healthy mesh, which check must see it, and how it is fixed. */
import type {CheckRow} from '../../e2e/harness/mesh-cli.js';
import type {Reply} from '../../helpers/pseudo-terminal.js';
import type {Lab} from './lab.js';
import type {ShapeName} from './shapes.js';

/** Takes away what fixing does not: run after the mesh is green again, before the next fault. */
export type Undo = () => Promise<void>;

/**
 * How the mesh is fixed. In every case the fix that verify prints is executed as printed:
 *
 * - `as printed`: that is all.
 * - `typing`: the command prompts on the terminal, and the user answers.
 * - `editor`: the command opens `$EDITOR` on a file, and the user edits it.
 * - `person`: no command could do it (a stopped API server, a right that must be granted). The printed command must still
 *   run and print something; then the user acts.
 */
export type Fix =
  | 'as printed'
  | {readonly typing: readonly Reply[]}
  | Editing
  | {readonly person: string; readonly act: (lab: Lab) => Promise<void>};

/** A user's edit: the new text of a file in the work directory (default: mesh.yaml). */
export interface Editing {
  readonly editor: (text: string, lab: Lab) => string;
  readonly file?: string;
}

/** Something wrong, done to a healthy mesh. */
export interface Fault {
  /** The check that must see it, and which of its faces this is: `MESH106-root-key`. */
  readonly id: `MESH${number}-${string}`;
  /** What was done, for the table: "ca-key.pem is readable by everyone". */
  readonly title: string;
  /** Default `two`. */
  readonly shape?: ShapeName;
  /** Where it must be found; absent: in a row about the whole mesh. */
  readonly cluster?: string;
  readonly peer?: string;
  /** Other clusters, or sides of a pair, in which the same thing is wrong, and found by the same check. */
  readonly also?: readonly (string | {readonly cluster: string; readonly peer: string})[];
  /**
   * Subjects, `MESH410 two`, that are skipped or unknown while the fault is there: they cannot be judged then. They are no
   * consequences (`implies`): seen together with the fault, their findings may be its cause.
   */
  readonly silences?: readonly string[];
  /** Default error. */
  readonly result?: Extract<CheckRow['result'], 'error' | 'warning' | 'unknown'>;
  /** Found in what was observed (of unknown: in the reason), so that the right thing was seen and not only the right id. */
  readonly says: RegExp;
  /** Does it, and waits until the mesh has settled in its new, wrong state. */
  readonly seed: (lab: Lab) => Promise<Undo | undefined>;
  readonly fix: Fix;
  /**
   * Where the printed fix resolves this finding, but not all that is wrong: the checks that report the rest, and what a person
   * then does.
   */
  readonly leaves?: {readonly checks: readonly `MESH${number}`[]; readonly act: (lab: Lab) => Promise<void>};
  /** Further arguments of verify while the fault is there. */
  readonly verifyArgs?: readonly string[];
  /** Default: 3 for findings, 4 for unknown. */
  readonly exitCode?: number;
}

/** The check of a fault. */
export function checkOf({id}: Pick<Fault, 'id'>): string {
  return id.slice(0, id.indexOf('-'));
}
