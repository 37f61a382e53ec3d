/**
 * The vocabulary of every command: an {@link Operation} runs {@link Phase}s; a phase gathers facts and turns them into a
 * {@link Plan}; the engine performs the plan's actions and returns {@link Outcome}s (docs/architecture.md). Plans are data: a
 * dry run, the journal and a resumed run all see the same plan.
 */
import type {ErrorReport} from '../domain/errors.js';
import type {Hint} from '../domain/suggest/suggestion.js';
import type {Action, ActionKind} from './action.js';
import type {ResultOf} from './action-result.js';
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

/** What became of one action of a kind. `skipped`: not started (dry run, or an earlier failure). */
export interface OutcomeOf<Kind extends ActionKind> {
  /** The action's kind and id. */
  readonly kind: Kind;
  readonly id: string;
  readonly lane: string;
  readonly cluster?: string;
  readonly status: 'done' | 'failed' | 'skipped' | 'cancelled';
  readonly error?: ErrorReport;
  /** What the effect returned, where it was performed: fingerprints, dates, names; never key bytes. */
  readonly result?: ResultOf<Kind>;
}

/** What became of one action. `outcomeOf` of report.ts finds the outcome of a planned action, with its kind's result. */
export type Outcome = {[Kind in ActionKind]: OutcomeOf<Kind>}[ActionKind];

/**
 * One step of an operation: look, then decide. `plan` is pure. Its plan may be a type of its own that also carries what
 * was decided, so that the report is made from that decision and does not make it again.
 */
export interface Phase<Facts, Decided extends Plan = Plan> {
  readonly title: string;
  /** What gathering waits for first, if anything. */
  readonly wait?: Wait;
  gather(deps: Deps): Promise<Facts>;
  plan(facts: Facts): Decided;
}

/** A phase that was run: the facts and the plan of its last attempt, and the outcomes of all attempts. */
export interface PhaseRun<Facts, Decided extends Plan = Plan> {
  readonly facts: Facts;
  readonly plan: Decided;
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

/** What is waited for: progress shows it, where, and for how long. */
export interface Wait {
  /** A cluster, a pair of clusters, or the mesh. */
  readonly where: string;
  readonly what: string;
  /** Since the wait began, and until it is given up. Milliseconds. */
  readonly elapsedMs: number;
  readonly limitMs: number;
}

/** What the engine tells whoever draws progress. Drawing goes to standard error and never decides anything. */
export type ProgressEvent =
  | {readonly type: 'gathering'; readonly title: string}
  /** Shown before a question is asked: what is about to be done. */
  | {readonly type: 'planned'; readonly groups: readonly Group[]}
  | {readonly type: 'group-started'; readonly group: Group}
  | {readonly type: 'lane-started'; readonly lane: string}
  /** A line of news within a lane: what it does now, or what a tool said. */
  | {readonly type: 'lane-line'; readonly lane: string; readonly line: string}
  /** A wait, or its new state; `lane`: within a lane. */
  | {readonly type: 'waiting'; readonly lane?: string; readonly wait: Wait}
  /** The end of a wait outside of lanes. */
  | {readonly type: 'wait-ended'}
  | {readonly type: 'lane-ended'; readonly lane: string; readonly outcomes: readonly Outcome[]}
  | {readonly type: 'group-ended'}
  | {readonly type: 'note'; readonly message: string}
  | {readonly type: 'warning'; readonly warning: Warning};

/** Receives progress. */
export type Reporter = (event: ProgressEvent) => void;

/** What an operation is executed with. */
export interface ExecuteContext {
  readonly deps: Deps;
  readonly settings: RunSettings;
  readonly report: Reporter;
}

/** The door through which an operation acts. */
export interface Engine {
  readonly settings: RunSettings;
  /**
   * Gathers, plans, asks where the plan must be confirmed, performs. A plan with blockers performs nothing unless
   * `--keep-going`, and then only lanes of clusters that are not blocked. After a `CONFLICT` the phase gathers and
   * plans again, at most five times. Throws `CONFIRMATION_NEEDED`, `INTERRUPTED`, `TIMEOUT`, and what gather throws.
   */
  run<Facts, Decided extends Plan = Plan>(phase: Phase<Facts, Decided>): Promise<PhaseRun<Facts, Decided>>;
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
  /** What the result means for the exit code, given what was requested (`--fail-on`); an empty list is success. Pure. */
  conclude(result: Result, request: Request): readonly Conclusion[];
}

/** What makes an operation of one phase: most look once, and act once on what they saw. */
interface OnePhase<Request, Result, Facts, Decided extends Plan> extends Omit<Operation<Request, Result>, 'execute'> {
  title(request: Request): string;
  gather(deps: Deps, request: Request, settings: RunSettings): Promise<Facts>;
  plan(facts: Facts, request: Request): Decided;
  report(run: PhaseRun<Facts, Decided>, request: Request): Result;
}

/** Makes an operation of one phase. */
export function onePhase<Request, Result, Facts, Decided extends Plan = Plan>(
  phase: OnePhase<Request, Result, Facts, Decided>,
): Operation<Request, Result> {
  return {
    ...phase,
    async execute(request, engine) {
      const run = await engine.run({
        title: phase.title(request),
        gather: (deps) => phase.gather(deps, request, engine.settings),
        plan: (facts) => phase.plan(facts, request),
      });
      return phase.report(run, request);
    },
  };
}

/** A group of these lanes; none where nothing is to be done. */
export function groupOfLanes(lanes: readonly Lane[], onFailure: Group['onFailure'] = 'stop'): readonly Group[] {
  return lanes.length === 0 ? [] : [{lanes, onFailure}];
}

/** A group with a lane for each action; `key` names one that belongs to no cluster. */
export function groupOf(actions: readonly Action[], onFailure?: Group['onFailure'], key?: string): readonly Group[] {
  const lanes = actions.map((action): Lane => {
    const {cluster, id, title} = action;
    if (cluster === undefined) return {key: key ?? id, title, actions: [action]};
    return {key: cluster, cluster, title: `${cluster}: ${title}`, actions: [action]};
  });
  return groupOfLanes(lanes, onFailure);
}

/** A plan that does nothing and says why. */
export function blockedPlan(error: ErrorReport, warnings: readonly Warning[] = [], cluster?: string): Plan {
  return {...emptyPlan, blockers: [cluster === undefined ? {error} : {cluster, error}], warnings};
}

/** What is worth saying, as warnings: of a cluster, or of the whole run. */
export function asWarnings(notes: readonly Hint[], cluster?: string): readonly Warning[] {
  return notes.map((message) => (cluster === undefined ? {message} : {cluster, message}));
}
