/** Turns a phase's run into the per-cluster part of an operation's result. Pure. */
import {defined} from '../domain/defined.js';
import {codeOfFailedRead, type ErrorClass, errorClasses, type ErrorReport} from '../domain/errors.js';
import type {Action, ActionKind} from './action.js';
import type {Conclusion, Outcome, OutcomeOf, PhaseRun, Plan, RunSettings, Warning} from './operation.js';

/** The outcome for one cluster (docs/exit-codes.md). `skipped`: not started, because of a dry run or another failure. */
export type ClusterOutcome = 'done' | 'unchanged' | 'failed' | 'refused' | 'unknown' | 'skipped' | 'cancelled';

/** The part of a result that all commands with clusters have in common. */
export interface ClusterResult {
  readonly name: string;
  readonly outcome: ClusterOutcome;
  readonly error?: ErrorReport;
}

/** A phase's plan with its outcomes. */
type PhaseOutcome = Pick<PhaseRun<unknown>, 'plan' | 'outcomes'>;

/** The fields that any command's result may have in addition to its own. */
export interface CommonResult {
  readonly dryRun?: 'client' | 'server';
  readonly clusters?: readonly ClusterResult[];
  readonly warnings?: readonly Warning[];
}

/** Adds the kind of dry run to a command's result. The only place that sets it. */
export function answerOf<Result extends object>(
  result: Result,
  {dryRun}: Pick<RunSettings, 'dryRun'>,
): Result & Pick<CommonResult, 'dryRun'> {
  return dryRun === 'none' ? result : {...result, dryRun};
}

/** All actions of a plan, in the order in which they are performed. */
export function plannedActions({groups}: Pick<Plan, 'groups'>): readonly Action[] {
  return groups.flatMap(({lanes}) => lanes.flatMap(({actions}) => actions));
}

/** The outcomes of the actions of one kind, with that kind's results. */
export function outcomesOf<Kind extends ActionKind>(
  {outcomes}: Pick<PhaseRun<unknown>, 'outcomes'>,
  kind: Kind,
): readonly OutcomeOf<Kind>[] {
  return outcomes.filter((outcome): outcome is Outcome & OutcomeOf<Kind> => outcome.kind === kind);
}

/** The outcome of one planned action, with its kind's result; undefined if there is no such action. */
export function outcomeOf<Kind extends ActionKind>(
  run: Pick<PhaseRun<unknown>, 'outcomes'>,
  action: {readonly kind: Kind; readonly id: string} | undefined,
): OutcomeOf<Kind> | undefined {
  return action && outcomesOf(run, action.kind).find(({id}) => id === action.id);
}

/**
 * The outcome of each cluster after a phase. A blocker without a cluster applies to all of them; a cluster without
 * actions and without a blocker is unchanged.
 */
export function clusterOutcomes(names: readonly string[], run: PhaseOutcome): readonly ClusterResult[] {
  return names.map((name) => {
    const blocker = run.plan.blockers.find((one) => one.cluster === name || one.cluster === undefined);
    const outcomes = run.outcomes.filter((outcome) => outcome.cluster === name);
    if (!blocker) return {name, ...combineOutcomes(outcomes)};
    // After a conflict (409) and a new plan, the actions of the first plan have taken effect: more than a refusal.
    return {name, outcome: hasDoneActions(outcomes) ? 'failed' : outcomeOfError(blocker.error), error: blocker.error};
  });
}

/**
 * The same for commands that report by cluster only: an error that belongs to no cluster (mesh.yaml could not be
 * written, nothing could be recorded in the journal) becomes the error of every cluster that was not started because of it.
 */
export function clusterOutcomesWithCause(names: readonly string[], run: PhaseOutcome): readonly ClusterResult[] {
  const error = run.outcomes.find((outcome) => outcome.cluster === undefined && outcome.error)?.error;
  return clusterOutcomes(names, run).map((result) =>
    error && !result.error && (result.outcome === 'skipped' || result.outcome === 'unchanged')
      ? {...result, outcome: outcomeOfError(error), error}
      : result,
  );
}

/** The outcome for an error's class: `refused`, `unknown` or `cancelled`, otherwise `failed`. */
export function outcomeOfError(error: ErrorReport): ClusterOutcome {
  return byClass[classOf(error)] ?? 'failed';
}

/** The outcome for a cluster of a command that only reads. */
export function outcomeOfFailedRead(error: ErrorReport): ClusterOutcome {
  return outcomeOfError({...error, code: codeOfFailedRead(error.code)});
}

const byClass: Partial<Record<ErrorClass, ClusterOutcome>> = {
  refused: 'refused',
  unknown: 'unknown',
  interrupted: 'cancelled',
  timeout: 'cancelled',
};

function hasDoneActions(outcomes: readonly Outcome[]): boolean {
  return outcomes.some(({status}) => status === 'done');
}

function combineOutcomes(outcomes: readonly Outcome[]): Omit<ClusterResult, 'name'> {
  if (outcomes.length === 0) return {outcome: 'unchanged'};
  const failed = outcomes.find((outcome) => outcome.status === 'failed');
  if (failed) {
    // If the cluster became unreachable during the change, the outcome is failed, not unknown: something was written. The
    // error's class decides only if no action of the lane was done (docs/exit-codes.md).
    const outcome = failed.error && !hasDoneActions(outcomes) ? outcomeOfError(failed.error) : 'failed';
    return defined({outcome, error: failed.error});
  }
  const cancelled = outcomes.find((outcome) => outcome.status === 'cancelled');
  if (cancelled) return defined({outcome: 'cancelled', error: cancelled.error});
  if (outcomes.some((outcome) => outcome.status === 'skipped')) return {outcome: 'skipped'};
  return {outcome: 'done'};
}

/**
 * The conclusions for the exit code from the clusters' outcomes. A failure with an error of class `unknown` counts as
 * `failed` if something had already been written.
 */
export function concludeClusters(clusters: readonly ClusterResult[]): readonly Conclusion[] {
  return clusters.flatMap((cluster): readonly Conclusion[] => {
    if (!cluster.error) return cluster.outcome === 'cancelled' ? ['INTERRUPTED'] : ['done'];
    if (cluster.outcome === 'failed' && classOf(cluster.error) === 'unknown') return ['TOOL_FAILED'];
    return [cluster.error.code];
  });
}

function classOf(error: ErrorReport): ErrorClass {
  return errorClasses[error.code];
}

/** The part of a result that does not belong to a cluster. */
interface GeneralPart {
  /** From the plan and from its outcomes. */
  readonly errors: readonly ErrorReport[];
  readonly warnings: readonly Warning[];
}

/** The part of a run that does not belong to a cluster. */
export function generalPart({plan, outcomes}: PhaseOutcome): GeneralPart {
  const all: readonly {readonly cluster?: string; readonly error?: ErrorReport}[] = [...plan.blockers, ...outcomes];
  const errors = all.flatMap(({cluster, error}) => (cluster === undefined && error ? [error] : []));
  return {errors, warnings: plan.warnings};
}

/** The conclusions for the exit code from the clusters and from the errors that belong to none. */
export function concludeRun({
  clusters,
  errors,
}: Pick<GeneralPart, 'errors'> & {readonly clusters: readonly ClusterResult[]}): readonly Conclusion[] {
  return [...concludeClusters(clusters), ...errors.map(({code}) => code)];
}
