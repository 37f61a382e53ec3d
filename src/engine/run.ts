/** Runs a plan's groups: bounded, with a failure policy, stopped by the signal. */
import pMap from 'p-map';
import {asMeshError, reportError} from '../domain/errors.js';
import type {Action} from './action.js';
import type {Deps} from './deps.js';
import type {Group, Lane, Outcome, RunSettings} from './operation.js';
import {perform} from './perform.js';
import type {Run} from './perform.js';
import type {Reporter} from './progress.js';

/** Said behind what a dry run only names, in kubectl's words. */
const dryRunNote = {none: '', client: ' (dry run)', server: ' (server dry run)'} as const;

/** What the groups are run with. */
export interface RunContext extends Run {
  readonly deps: Deps;
  readonly settings: RunSettings;
  readonly report: Reporter;
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
