/**
 * The vocabulary of every command: an {@link Operation} runs {@link Phase}s; a phase gathers facts and turns them into a
 * {@link Plan}; the engine performs the plan's actions and returns {@link Outcome}s (docs/architecture.md). Plans are data: a
 * dry run, the journal and a resumed run all see the same plan.
 */
import type {ErrorReport} from '../domain/errors.js';
import type {Hint} from '../domain/suggest/advice.js';
import type {Action} from './action.js';
import type {Deps} from './deps.js';

/** Something a person should know that stops nothing. */
export interface Warning {
  readonly cluster?: string;
  readonly message: Hint;
}

/** Why a cluster, or without one the whole plan, cannot be done: refused by a rule, not known, or invalid. */
export interface Blocker {
  readonly cluster?: string;
  readonly error: ErrorReport;
}

/** Actions that follow one another, usually those of one cluster. A failed action ends its lane. */
export interface Lane {
  /** Unique in its plan: the cluster's name, or another word for what is done. */
  readonly key: string;
  readonly cluster?: string;
  /** One line for people: "cluster1: replace cacerts". */
  readonly title: string;
  readonly actions: readonly Action[];
}

/** Lanes that may run at the same time. Groups follow one another. */
export interface Group {
  readonly title: string;
  readonly lanes: readonly Lane[];
  /** How many lanes at a time; absent: the run's `--concurrency`. */
  readonly concurrency?: number;
  /**
   * What a failed lane does to lanes not started yet, of this group and the next: `stop` skips them unless
   * `--keep-going`, `always-stop` skips them whatever was said.
   */
  readonly onFailure: 'stop' | 'always-stop';
}

/** What is to be done, as data. An empty plan means nothing has to change. */
export interface Plan {
  readonly groups: readonly Group[];
  readonly blockers: readonly Blocker[];
  readonly warnings: readonly Warning[];
  /** The root key's passphrase that its actions will use: asked for before anything is drawn or done. */
  readonly passphrase?: 'new' | 'existing' | undefined;
}

/** A plan that does nothing. */
export const emptyPlan: Plan = {groups: [], blockers: [], warnings: []};

/** JSON values, for details that reach the journal and `-o json`. */
export type JsonValue = string | number | boolean | null | readonly JsonValue[] | {readonly [key: string]: JsonValue};
export type Detail = Readonly<Record<string, JsonValue>>;

/** What became of one action. `skipped`: not started (dry run, or an earlier failure). */
export interface Outcome {
  /** The action's id. */
  readonly id: string;
  readonly lane: string;
  readonly cluster?: string;
  readonly status: 'done' | 'failed' | 'skipped' | 'cancelled';
  readonly error?: ErrorReport;
  /** What the effect wants to tell the report and the journal: fingerprints, dates, names; never key bytes. */
  readonly detail?: Detail;
}

/** One step of an operation: look, then decide. `plan` is pure. */
export interface Phase<Facts> {
  readonly title: string;
  gather(deps: Deps): Promise<Facts>;
  plan(facts: Facts): Plan;
}

/** A phase that was run. */
export interface PhaseRun<Facts> {
  readonly facts: Facts;
  readonly plan: Plan;
  readonly outcomes: readonly Outcome[];
}

/** What a phase is run with: `--dry-run`, `--yes`, `--concurrency`, `--keep-going`, `--reason`. */
export interface RunSettings {
  readonly dryRun: 'none' | 'client' | 'server';
  readonly yes: boolean;
  readonly concurrency: number;
  readonly keepGoing: boolean;
  /** Why: recorded with each change. */
  readonly reason?: string | undefined;
}

/** The door through which an operation acts. */
export interface Engine {
  readonly settings: RunSettings;
  /**
   * Gathers, plans, asks where the plan must be confirmed, performs. A plan with blockers performs nothing unless
   * `--keep-going`, and then only lanes of clusters that are not blocked. After a `CONFLICT` the phase gathers and
   * plans again, at most five times. Throws `CONFIRMATION_NEEDED`, `INTERRUPTED`, `TIMEOUT`, and what gather throws.
   */
  run<Facts>(phase: Phase<Facts>): Promise<PhaseRun<Facts>>;
}

/** How a run ended for one thing it was asked to do; `cli/exit-code.ts` turns the list into an exit code. */
export type Conclusion = 'done' | 'findings' | ErrorReport['code'];

/** One command's work, without flags and without output. */
export interface Operation<Request, Result> {
  /** As typed: `trust push`. Names the run in the journal and in messages. */
  readonly command: string;
  /** Whether the work directory's lock is taken: reading commands never wait for another run. */
  readonly changes: boolean;
  execute(request: Request, engine: Engine): Promise<Result>;
  /** What the result means for the exit code; an empty list is success. Pure. */
  conclude(result: Result): readonly Conclusion[];
}
