/**
 * The one interpreter of plans (docs/architecture.md). Groups run one after the other and their lanes side by side: bounded,
 * with a failure policy, stopped by the signal. Of each action it journals the intent, runs the effect, and journals the
 * outcome.
 */
import pMap from 'p-map';
import {asMeshError, reportError} from '../domain/errors.js';
import type {ChainHead} from '../domain/journal/chain.js';
import type {Action, ActionKind} from './action.js';
import type {ResultOf} from './action-result.js';
import type {Deps} from './deps.js';
import type {Effect, EffectContext} from './effect.js';
import {effects} from './effects/registry.js';
import type {Group, Lane, Outcome, OutcomeOf, RunSettings} from './operation.js';
import type {Reporter} from './progress.js';
import type {WhoAmI} from './who-am-i.js';

/** Effects the API server can check without storing anything (`--dry-run=server`). */
const serverSide: ReadonlySet<ActionKind> = new Set(['put-object', 'patch-object', 'delete-object', 'replace-object']);
/** Actions that only wait and look: nothing to record. */
const unrecorded: ReadonlySet<ActionKind> = new Set(['await-bundle']);

/** Said behind what a dry run only names, in kubectl's words. */
const dryRunNote = {none: '', client: ' (dry run)', server: ' (server dry run)'} as const;

/** What the groups are run with. */
export interface RunContext {
  /** As typed: `trust push`. */
  readonly command: string;
  readonly whoAmI: WhoAmI;
  readonly deps: Deps;
  readonly settings: RunSettings;
  readonly report: Reporter;
}

/** Whether the journal has an entry of an action. */
export function isRecorded({kind}: Action): boolean {
  return !unrecorded.has(kind);
}

/** Whether a dry run of this kind leaves the action out altogether. */
function leftOut(action: Action, dryRun: 'none' | 'client' | 'server'): boolean {
  return dryRun === 'client' || (dryRun === 'server' && !serverSide.has(action.kind));
}

/** Performs groups one after the other and returns an outcome for every action, performed or not. */
export async function runGroups(groups: readonly Group[], context: RunContext): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let stopped = false;
  for (const group of groups) {
    if (stopped) {
      // An interrupted run is no success, also where everything that was under way could be finished.
      const {signal} = context.deps;
      const isSaid = !signal.aborted || outcomes.some(({status}) => status === 'cancelled');
      outcomes.push(...group.lanes.flatMap((lane) => (isSaid ? skipLane(lane) : cancelLane(lane, signal))));
      continue;
    }
    const mayStop = group.onFailure === 'always-stop' || !context.settings.keepGoing;
    context.report({type: 'group-started', group});
    const done = await pMap(
      group.lanes,
      async (lane) => {
        if (stopped) return skipLane(lane);
        const result = await runLane(lane, context);
        if (mayStop && result.some(isFailure)) stopped = true;
        return result;
      },
      {concurrency: Math.max(1, group.concurrency ?? context.settings.concurrency)},
    );
    context.report({type: 'group-ended'});
    outcomes.push(...done.flat());
    if (context.deps.signal.aborted) stopped = true;
  }
  return outcomes;
}

/** The outcomes of a lane that was not started. */
export function skipLane(lane: Lane): readonly Outcome[] {
  return lane.actions.map((action) => skipped(lane, action));
}

function cancelLane(lane: Lane, signal: AbortSignal): readonly Outcome[] {
  const error = reportError(asMeshError(signal.reason));
  return skipLane(lane).map((outcome) => ({...outcome, status: 'cancelled', error}));
}

async function runLane(lane: Lane, context: RunContext): Promise<readonly Outcome[]> {
  const line = (text: string): void => {
    context.report({type: 'lane-line', lane: lane.key, line: text});
  };
  context.report({type: 'lane-started', lane: lane.key});
  const outcomes: Outcome[] = [];
  for (const action of lane.actions) {
    if (outcomes.some(isFailure)) {
      outcomes.push(skipped(lane, action));
      continue;
    }
    line(`${action.title}${dryRunNote[context.settings.dryRun]}`);
    outcomes.push(await perform(context, lane.key, action, {deps: context.deps, settings: context.settings, line}));
  }
  context.report({type: 'lane-ended', lane: lane.key, outcomes});
  return outcomes;
}

function skipped(lane: Lane, {kind, id}: Action): Outcome {
  return {kind, id, lane: lane.key, ...(lane.cluster !== undefined && {cluster: lane.cluster}), status: 'skipped'};
}

function isFailure(outcome: Outcome): boolean {
  return outcome.status === 'failed' || outcome.status === 'cancelled';
}

/**
 * Performs one action. Never throws: what goes wrong is the outcome. An action that was interrupted is `cancelled`; the
 * journal says so too, since its effect may be there.
 */
async function perform(
  run: Pick<RunContext, 'command' | 'whoAmI'>,
  lane: string,
  action: Action,
  context: Omit<EffectContext, 'entry'>,
): Promise<Outcome> {
  // The outcome's kind is its action's; TypeScript cannot follow that correlation through the union.
  return (await performOne(run, lane, action, context)) as Outcome;
}

async function performOne(
  {command, whoAmI}: Pick<RunContext, 'command' | 'whoAmI'>,
  lane: string,
  action: Action,
  context: Omit<EffectContext, 'entry'>,
): Promise<OutcomeOf<ActionKind>> {
  const {kind, id, cluster} = action;
  const base = {kind, id, lane, ...(cluster !== undefined && {cluster})};
  const {dryRun, reason} = context.settings;
  if (leftOut(action, dryRun)) return {...base, status: 'skipped'};
  const record = dryRun === 'none' && isRecorded(action) ? context.deps.workspace.journal : undefined;
  let intent: ChainHead | undefined;
  try {
    context.deps.signal.throwIfAborted();
    const identity = record && 'context' in action ? await whoAmI(action.context) : undefined;
    intent = await record?.intent({
      command,
      action: id,
      title: action.title,
      ...(cluster !== undefined && {cluster}),
      ...(reason !== undefined && {reason}),
      ...(identity && {identity}),
    });
    const result = await runEffect(action, {...context, ...(intent && {entry: intent})});
    if (record && intent) await record.outcome({intent, status: 'done', ...(result && {detail: {...result}})});
    return {...base, status: dryRun === 'none' ? 'done' : 'skipped', ...(result && {result})};
  } catch (thrown) {
    const error = asMeshError(thrown);
    const status = error.class === 'interrupted' || error.class === 'timeout' ? 'cancelled' : 'failed';
    if (record && intent) {
      // The effect's own error is the one to show; a journal that cannot take the outcome is closed by the next run.
      await record.outcome({intent, status, error: {code: error.code, message: error.message}}).catch(() => undefined);
    }
    return {...base, status, error: reportError(error)};
  }
}

async function runEffect(action: Action, context: EffectContext): Promise<ResultOf<ActionKind>> {
  // The registry is typed by kind; TypeScript cannot follow the correlation between an action and its own entry.
  const effect = (await effects[action.kind]()) as Effect<ActionKind>;
  return effect(action, context);
}
