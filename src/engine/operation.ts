/**
 * The types that every command uses: an {@link Operation} runs {@link Phase}s; a phase gathers facts and turns them
 * into a {@link Plan}; the engine performs the plan's actions and returns {@link Outcome}s (docs/architecture.md).
 * Plans are data: a dry run, the journal and a resumed run all use the same plan.
 */
import type {ErrorReport} from '../domain/errors.js';
import type {SignerSpec} from '../domain/mesh/signer.js';
import type {Hint} from '../domain/suggest/suggestion.js';
import type {Action, ActionKind} from './action.js';
import type {ResultOf} from './action-result.js';
import type {Deps} from './deps.js';

/** A message for the user that does not block the plan. */
export interface Warning {
  readonly cluster?: string;
  readonly message: Hint;
}

/** Why a cluster (or, without one, the whole plan) cannot be changed: refused by a rule, unknown, or invalid. */
export interface Blocker {
  readonly cluster?: string;
  readonly error: ErrorReport;
  /** It blocks only a part of the cluster's change, and the plan leaves that part out: with --keep-going the rest is done. */
  readonly isPartial?: true;
}

/** Actions that run in sequence, usually those of one cluster. A failed action ends its lane. */
export interface Lane {
  /** Unique in its plan: the cluster's name, or a name for what the lane does. */
  readonly key: string;
  readonly cluster?: string;
  /** One line for people: "cluster1: replace cacerts". */
  readonly title: string;
  readonly actions: readonly Action[];
}

/** Lanes that may run in parallel. Groups run in sequence. */
export interface Group {
  readonly lanes: readonly Lane[];
  /** How many lanes run in parallel (default: `--concurrency`). */
  readonly concurrency?: number;
  /**
   * The effect of a failed lane on lanes of this group and the next ones that have not started: `stop` skips them
   * unless `--keep-going` is set, `always-stop` skips them regardless.
   */
  readonly onFailure: 'stop' | 'always-stop';
}

/** The actions to perform, as data. An empty plan changes nothing. */
export interface Plan {
  readonly groups: readonly Group[];
  readonly blockers: readonly Blocker[];
  readonly warnings: readonly Warning[];
  /** The root key passphrase that the actions use: prompted for before any progress is drawn and any action runs. */
  readonly passphrase?: PlannedPassphrase | undefined;
}

/** The root key passphrase that a plan's actions use. */
export interface PlannedPassphrase {
  readonly purpose: 'new' | 'existing';
  /** The root key's path in messages. */
  readonly path: string;
  /** The signer that the passphrase opens: opened before any action runs, so that a wrong one changes nothing. */
  readonly opens?: SignerSpec;
}

/** A plan that does nothing. */
export const emptyPlan: Plan = {groups: [], blockers: [], warnings: []};

/** The outcome of one action of a kind. `skipped`: not started (dry run, or an earlier failure). */
export interface OutcomeOf<Kind extends ActionKind> {
  /** The action's kind and id. */
  readonly kind: Kind;
  readonly id: string;
  readonly lane: string;
  readonly cluster?: string;
  readonly status: 'done' | 'failed' | 'skipped' | 'cancelled';
  readonly error?: ErrorReport;
  /** The effect's return value, if it ran: fingerprints, dates, names; never key bytes. */
  readonly result?: ResultOf<Kind>;
}

/** The outcome of one action. `outcomeOf` of report.ts finds the outcome of a planned action, with its kind's result. */
export type Outcome = {[Kind in ActionKind]: OutcomeOf<Kind>}[ActionKind];

/**
 * One step of an operation: gather facts, then decide. `plan` is pure. It may return a subtype of {@link Plan} that
 * also carries its decisions, so that the report uses them and does not decide again.
 */
export interface Phase<Facts, Decided extends Plan = Plan> {
  readonly title: string;
  /** What gathering waits for first, if anything. */
  readonly wait?: Wait;
  /** Whether it also runs after an abort of the run: its effects must not need sessions that the abort has ended. */
  readonly isCleanup?: true;
  /**
   * Later phases of the run perform this plan: it is shown and confirmed as a whole, but not performed. What they then plan is
   * confirmed again only where it differs.
   */
  readonly isPreview?: true;
  /** What it replaces needs no confirmation: a flag of this run requests it. */
  readonly isConfirmed?: true;
  gather(deps: Deps): Promise<Facts>;
  plan(facts: Facts): Decided;
}

/** A finished phase: the facts and the plan of its last attempt, and the outcomes of all attempts. */
export interface PhaseRun<Facts, Decided extends Plan = Plan> {
  readonly facts: Facts;
  readonly plan: Decided;
  readonly outcomes: readonly Outcome[];
}

/** The settings of a run: `--dry-run`, `--yes`, `--concurrency`, `--keep-going`, `--reason`. */
export interface RunSettings {
  readonly dryRun: 'none' | 'client' | 'server';
  readonly yes: boolean;
  readonly concurrency: number;
  readonly keepGoing: boolean;
  /** Recorded with each change. */
  readonly reason?: string | undefined;
}

/** What a command waits for, shown as progress. */
export interface Wait {
  /** A cluster, a pair of clusters, or the mesh. */
  readonly where: string;
  readonly what: string;
  /** The time since the wait began, and the time after which it fails. Milliseconds. */
  readonly elapsedMs: number;
  readonly limitMs: number;
}

/** The events from which progress is drawn, on standard error. They never influence a decision. */
export type ProgressEvent =
  | {readonly type: 'gathering'; readonly title: string}
  /** Sent before a confirmation prompt: the actions about to run. */
  | {readonly type: 'planned'; readonly groups: readonly Group[]}
  | {readonly type: 'group-started'; readonly group: Group}
  | {readonly type: 'lane-started'; readonly lane: string}
  /** A line within a lane: its current step, or a tool's output. */
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

/** The context in which an operation runs. */
export interface ExecuteContext {
  readonly deps: Deps;
  readonly settings: RunSettings;
  readonly report: Reporter;
}

/** Runs the phases of an operation: its only way to change something. */
export interface Engine {
  readonly settings: RunSettings;
  /**
   * Gathers, plans, prompts if the plan requires confirmation, and performs. A plan with blockers performs nothing, or
   * with `--keep-going` only lanes of clusters that are not blocked. After a `CONFLICT` the phase gathers and plans
   * again, at most five times. Throws `CONFIRMATION_NEEDED`, `INTERRUPTED`, `TIMEOUT`, and what gather throws.
   */
  run<Facts, Decided extends Plan = Plan>(phase: Phase<Facts, Decided>): Promise<PhaseRun<Facts, Decided>>;
}

/** How a run ended for one item of the request; `cli/exit-code.ts` turns the list into an exit code. */
export type Conclusion = 'done' | 'findings' | ErrorReport['code'];

/** One command's work, without flags and without output. */
export interface Operation<Request, Result> {
  /** The command as typed, `trust push`: names the run in the journal and in messages. */
  readonly command: string;
  /** Whether the operation takes the work directory's lock: commands that only read never wait for another run. */
  readonly changes: boolean;
  execute(request: Request, engine: Engine): Promise<Result>;
  /** The conclusions for the exit code, given the request (`--fail-on`); an empty list is success. Pure. */
  conclude(result: Result, request: Request): readonly Conclusion[];
}

/** An operation with a single phase, as most are. */
interface OnePhase<Request, Result, Facts, Decided extends Plan> extends Omit<Operation<Request, Result>, 'execute'> {
  title(request: Request): string;
  gather(deps: Deps, request: Request, settings: RunSettings): Promise<Facts>;
  plan(facts: Facts, request: Request): Decided;
  report(run: PhaseRun<Facts, Decided>, request: Request): Result;
}

/** Creates an operation with a single phase. */
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

/** Returns a group with these lanes, or no group if there are none. */
export function groupOfLanes(lanes: readonly Lane[], onFailure: Group['onFailure'] = 'stop'): readonly Group[] {
  return lanes.length === 0 ? [] : [{lanes, onFailure}];
}

/** Returns a group with one lane for each action; `key` names the lanes that belong to no cluster. */
export function groupOf(actions: readonly Action[], onFailure?: Group['onFailure'], key?: string): readonly Group[] {
  const lanes = actions.map((action): Lane => {
    const {cluster, id, title} = action;
    if (cluster === undefined) return {key: key ?? id, title, actions: [action]};
    return {key: cluster, cluster, title: `${cluster}: ${title}`, actions: [action]};
  });
  return groupOfLanes(lanes, onFailure);
}

/** Returns a plan that does nothing, with the blocker. */
export function blockedPlan(error: ErrorReport, warnings: readonly Warning[] = [], cluster?: string): Plan {
  return {...emptyPlan, blockers: [cluster === undefined ? {error} : {cluster, error}], warnings};
}

/** Turns notes into warnings about a cluster, or about the whole run. */
export function asWarnings(notes: readonly Hint[], cluster?: string): readonly Warning[] {
  return notes.map((message) => (cluster === undefined ? {message} : {cluster, message}));
}
