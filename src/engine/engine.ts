/**
 * The engine: the one interpreter of plans (docs/architecture.md). It runs operations, with the lock around a changing one,
 * and for each phase gathers, plans, asks, performs. Groups run one after the other and their lanes side by side: bounded,
 * with a failure policy, stopped by the signal. Of each action it journals the intent, runs the effect, and journals the
 * outcome.
 */
import {defined} from '../domain/defined.js';
import pMap from 'p-map';
import {asMeshError, reportError} from '../domain/errors.js';
import type {ChainHead} from '../domain/journal/chain.js';
import type {Action, ActionKind} from './action.js';
import type {ResultOf} from './action-result.js';
import {confirm, isRecorded, promptsOf, withReasonCheck, requireReason} from './confirmation.js';
import type {Effect, EffectContext} from './effect.js';
import type {
  Engine,
  ExecuteContext,
  Group,
  Lane,
  Operation,
  Outcome,
  OutcomeOf,
  Phase,
  PhaseRun,
  Plan,
  RunSettings,
} from './operation.js';
import {createIdentityReader, type IdentityReader} from './api-identity.js';

/**
 * One line for each kind of action. Effects are loaded at first use, so that a command that only talks to clusters does
 * not load the certificate codec.
 */
const effects: {readonly [Kind in ActionKind]: () => Promise<Effect<Kind>>} = {
  'write-files': async () => (await import('./effects/files.js')).writeFiles,
  'remove-files': async () => (await import('./effects/files.js')).removeFiles,
  'create-root-ca': async () => (await import('./effects/root-ca.js')).createRootCa,
  'reseal-root-key': async () => (await import('./effects/root-ca.js')).resealRootKey,
  'issue-cluster-ca': async () => (await import('./effects/cluster-ca.js')).issueClusterCa,
  'request-cluster-ca': async () => (await import('./effects/cluster-ca.js')).requestClusterCa,
  'import-cluster-ca': async () => (await import('./effects/cluster-ca.js')).importClusterCa,
  'issue-workload': async () => (await import('./effects/issue-workload.js')).effect,
  'put-object': async () => (await import('./effects/objects.js')).putObject,
  'patch-object': async () => (await import('./effects/objects.js')).patchObject,
  'delete-object': async () => (await import('./effects/objects.js')).deleteObject,
  'replace-object': async () => (await import('./effects/objects.js')).replaceObject,
  'run-istioctl': async () => (await import('./effects/run-istioctl.js')).effect,
  'restart-workload': async () => (await import('./effects/restart-workload.js')).effect,
  'await-bundle': async () => (await import('./effects/await-bundle.js')).effect,
};

/** Effects the API server can check without storing anything (`--dry-run=server`). */
const serverSide: ReadonlySet<ActionKind> = new Set(['put-object', 'patch-object', 'delete-object', 'replace-object']);

/** Said behind what a dry run only names, in kubectl's words. */
const dryRunNote = {none: '', client: ' (dry run)', server: ' (server dry run)'} as const;

/** How often a phase looks and plans again when somebody else changed what it saw (409). */
const maxAttempts = 5;

/**
 * Executes an operation. A changing one holds the work directory's lock for as long as it runs, and completes or drops
 * what an earlier, killed run left behind before it looks at anything.
 */
export async function execute<Request, Result>(
  operation: Operation<Request, Result>,
  request: Request,
  context: ExecuteContext,
): Promise<Result> {
  const {deps, settings, report} = context;
  if (!operation.changes || settings.dryRun !== 'none') {
    return operation.execute(request, createEngine(operation.command, context));
  }
  const lock = await deps.workspace.lock(operation.command);
  try {
    for (const message of await deps.workspace.recover()) report({type: 'note', message});
    return await operation.execute(request, createEngine(operation.command, {...context, deps: withReasonCheck(context)}));
  } finally {
    await lock.release();
  }
}

/** The engine of one command's run. */
export function createEngine(command: string, context: ExecuteContext): Engine {
  const {deps, settings, report} = context;
  const agreed = new Set<string>();
  const whoAmI = createIdentityReader(deps.clusters);
  return {
    settings,
    async run<Facts, Decided extends Plan>(phase: Phase<Facts, Decided>): Promise<PhaseRun<Facts, Decided>> {
      const finished: Outcome[] = [];
      for (let attempt = 1; ; attempt += 1) {
        report({type: 'gathering', title: phase.title});
        const facts = await phase.gather(deps);
        deps.signal.throwIfAborted();
        const plan = phase.plan(facts);
        for (const warning of attempt === 1 ? plan.warnings : []) report({type: 'warning', warning});
        const {start, leave} = splitByBlockers(plan, settings);
        if (settings.dryRun !== 'none' && attempt === 1 && !settings.yes) {
          for (const question of promptsOf(start)) {
            report({type: 'note', message: `Would ask: ${question} (needs --yes without a terminal)`});
          }
        }
        if (settings.dryRun === 'none' && start.length > 0) {
          await requireReason(start, context);
          await confirm(start, agreed, context);
          if (plan.passphrase !== undefined) await deps.passphrases.get(plan.passphrase);
        }
        const outcomes = [...(await runGroups(start, {command, whoAmI, deps, settings, report})), ...leave];
        if (attempt < maxAttempts && !deps.signal.aborted && outcomes.some(({error}) => error?.code === 'CONFLICT')) {
          finished.push(...outcomes.filter((outcome) => outcome.status === 'done'));
          continue;
        }
        return {facts, plan, outcomes: [...finished, ...outcomes]};
      }
    },
  };
}

/** The groups to run, and the outcomes of the lanes that blockers keep from running. */
function splitByBlockers(plan: Plan, settings: RunSettings): {start: readonly Group[]; leave: readonly Outcome[]} {
  if (plan.blockers.length === 0) return {start: plan.groups, leave: []};
  const blocked = new Set(plan.blockers.map((blocker) => blocker.cluster));
  const others = plan.groups
    .flatMap(({lanes}) => lanes)
    .filter(({cluster}) => cluster !== undefined && !blocked.has(cluster));
  // A blocker that names no cluster is about the whole plan; one that does spares the others only with --keep-going.
  // Where no other cluster is left, what was said of the refused ones is not declared either.
  const nothing = blocked.has(undefined) || !settings.keepGoing || others.length === 0;
  const isLeft = (cluster: string | undefined): boolean => nothing || blocked.has(cluster);
  return {
    start: plan.groups
      .map((group) => ({...group, lanes: group.lanes.filter((lane) => !isLeft(lane.cluster))}))
      .filter((group) => group.lanes.length > 0),
    leave: plan.groups
      .flatMap((group) => group.lanes.filter((lane) => isLeft(lane.cluster)))
      .flatMap((lane) => skipLane(lane)),
  };
}

/** What the groups are run with. */
interface RunContext extends ExecuteContext {
  /** As typed: `trust push`. */
  readonly command: string;
  readonly whoAmI: IdentityReader;
}

/** Performs groups one after the other and returns an outcome for every action, performed or not. */
async function runGroups(groups: readonly Group[], context: RunContext): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let stopped = false;
  for (const group of groups) {
    if (stopped) {
      // An interrupted run is no success, also where everything that was under way could be finished.
      const {signal} = context.deps;
      const isSaid = !signal.aborted || outcomes.some(({status}) => status === 'cancelled');
      const cancelled = {status: 'cancelled', error: reportError(asMeshError(signal.reason))} as const;
      outcomes.push(...group.lanes.flatMap((lane) => skipLane(lane, isSaid ? undefined : cancelled)));
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
function skipLane(lane: Lane, became: OutcomeFields = {status: 'skipped'}): readonly Outcome[] {
  return lane.actions.map((action) => outcomeOf(action, lane, became));
}

async function runLane(lane: Lane, context: RunContext): Promise<readonly Outcome[]> {
  const line = (text: string): void => {
    context.report({type: 'lane-line', lane: lane.key, line: text});
  };
  context.report({type: 'lane-started', lane: lane.key});
  const outcomes: Outcome[] = [];
  for (const action of lane.actions) {
    if (outcomes.some(isFailure)) {
      outcomes.push(outcomeOf(action, lane, {status: 'skipped'}));
      continue;
    }
    line(`${action.title}${dryRunNote[context.settings.dryRun]}`);
    outcomes.push(await perform(action, lane, {...context, line}));
  }
  context.report({type: 'lane-ended', lane: lane.key, outcomes});
  return outcomes;
}

/** What became of an action. */
type OutcomeFields = Pick<OutcomeOf<ActionKind>, 'status' | 'error'> & {readonly result?: ResultOf<ActionKind> | undefined};

function outcomeOf({kind, id}: Action, lane: Lane, became: OutcomeFields): Outcome {
  const outcome = defined<OutcomeOf<ActionKind>>({kind, id, lane: lane.key, cluster: lane.cluster, ...became});
  // The outcome's kind is its action's; TypeScript cannot follow that correlation through the union.
  return outcome as Outcome;
}

function isFailure(outcome: Outcome): boolean {
  return outcome.status === 'failed' || outcome.status === 'cancelled';
}

/**
 * Performs one action. Never throws: what goes wrong is the outcome. An action that was interrupted is `cancelled`; the
 * journal says so too, since its effect may be there.
 */
async function perform(
  action: Action,
  lane: Lane,
  {command, whoAmI, deps, settings, line}: RunContext & Pick<EffectContext, 'line'>,
): Promise<Outcome> {
  const {id, title, cluster} = action;
  const {dryRun, reason} = settings;
  const isLeftOut = dryRun === 'client' || (dryRun === 'server' && !serverSide.has(action.kind));
  if (isLeftOut) return outcomeOf(action, lane, {status: 'skipped'});
  const record = dryRun === 'none' && isRecorded(action) ? deps.workspace.journal : undefined;
  let intent: ChainHead | undefined;
  let done: {readonly result: ResultOf<ActionKind>} | undefined;
  try {
    deps.signal.throwIfAborted();
    const identity = record && 'context' in action ? await whoAmI(action.context) : undefined;
    intent = await record?.intent(defined({command, action: id, title, cluster, reason, identity}));
    // The table is typed by kind; TypeScript cannot follow the correlation between an action and its own line.
    const effect = (await effects[action.kind]()) as Effect<ActionKind>;
    const result = await effect(action, defined({deps, settings, line, entry: intent}));
    done = {result};
    if (record && intent) await record.outcome(defined({intent, status: 'done', detail: result && {...result}}));
    return outcomeOf(action, lane, {status: dryRun === 'none' ? 'done' : 'skipped', result});
  } catch (thrown) {
    const error = asMeshError(thrown);
    const status = error.class === 'interrupted' || error.class === 'timeout' ? 'cancelled' : 'failed';
    // What was done is not recorded as failed because the journal could not take it: the next run closes such an entry.
    if (record && intent && !done) {
      // The effect's own error is the one to show.
      await record.outcome({intent, status, error: {code: error.code, message: error.message}}).catch(() => undefined);
    }
    return outcomeOf(action, lane, {status, error: reportError(error), result: done?.result});
  }
}
