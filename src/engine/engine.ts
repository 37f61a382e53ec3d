/**
 * The engine, the only interpreter of plans (docs/architecture.md). It runs operations, holding the lock for those that
 * change something; for each phase it gathers, plans, prompts and performs. Groups run in sequence and the lanes of a
 * group in parallel, with bounded concurrency and a failure policy, until the signal aborts. For each action it
 * journals the intent, runs the effect and journals the outcome.
 */
import {defined} from '../domain/defined.js';
import {setTimeout} from 'node:timers/promises';
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
  Wait,
} from './operation.js';
import {isPartialFailure} from './partial-failure.js';
import {preparePassphrase} from './effects/prepare-passphrase.js';
import {journalWarning} from './journal-warning.js';
import {createIdentityReader, type IdentityReader} from './api-identity.js';

/**
 * The effect of each kind of action. Effects are loaded at first use, so that a command that only accesses clusters
 * does not load the certificate codec.
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
  'await-unlinked': async () => (await import('./effects/await-unlinked.js')).effect,
  'write-manifests': async () => (await import('./effects/files.js')).writeManifests,
  'await-address': async () => (await import('./effects/await-address.js')).effect,
  'await-bundle': async () => (await import('./effects/await-bundle.js')).effect,
  'link-peers': async () => (await import('./effects/link-peers.js')).linkPeers,
  'await-discovery': async () => (await import('./effects/link-peers.js')).awaitDiscovery,
  'deploy-traffic': async () => (await import('./effects/deploy-traffic.js')).effect,
  'send-requests': async () => (await import('./effects/send-requests.js')).effect,
  'remove-traffic': async () => (await import('./effects/remove-traffic.js')).effect,
};

/** Actions that the API server can validate without storing anything (`--dry-run=server`). */
const serverSide: ReadonlySet<ActionKind> = new Set(['put-object', 'patch-object', 'delete-object', 'replace-object']);

/**
 * Actions whose failure is reported, but stops no other lane: an istiod that still reads must not keep tokens valid, and the
 * requests of other clusters are measured all the same.
 */
const stopsNothing: ReadonlySet<ActionKind> = new Set([
  'await-unlinked',
  'deploy-traffic',
  'send-requests',
  'remove-traffic',
]);

/** Returns what is appended to an action that a dry run lists, worded as in kubectl. */
function dryRunNote({kind}: Action, {dryRun}: RunSettings): string {
  if (dryRun === 'none') return '';
  return dryRun === 'server' && serverSide.has(kind) ? ' (server dry run)' : ' (dry run)';
}

/** How often a phase gathers and plans when another client changed the gathered objects (409). */
const maxAttempts = 5;

/**
 * Executes an operation. An operation that changes something holds the work directory's lock while it runs, and first
 * completes or discards what an earlier, killed run left behind.
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
    // Read before recovery, which closes a truncated line.
    const warning = await journalWarning(deps.workspace);
    if (warning) report({type: 'warning', warning});
    for (const message of await deps.workspace.recover()) report({type: 'note', message});
    return await operation.execute(
      request,
      createEngine(operation.command, {...context, deps: withReasonCheck(context)}),
    );
  } finally {
    await lock.release();
  }
}

/** Creates the engine for one run of a command. */
export function createEngine(command: string, context: ExecuteContext): Engine {
  const {settings, report} = context;
  const confirmed = new Set<string>();
  const warned = new Set<string>();
  const readIdentity = createIdentityReader(context.deps.clusters);
  return {
    settings,
    async run<Facts, Decided extends Plan>(phase: Phase<Facts, Decided>): Promise<PhaseRun<Facts, Decided>> {
      const finished: Outcome[] = [];
      // What a cleanup does, an abort of the run does not stop; a second Ctrl-C ends the program.
      const deps = phase.isCleanup
        ? {...context.deps, signal: new AbortController().signal, sleep: (ms: number) => setTimeout(ms)}
        : context.deps;
      for (let attempt = 1; ; attempt += 1) {
        report(phase.wait ? {type: 'waiting', wait: phase.wait} : {type: 'gathering', title: phase.title});
        const facts = await phase.gather(deps).finally(() => {
          if (phase.wait) report({type: 'wait-ended'});
        });
        deps.signal.throwIfAborted();
        const plan = phase.plan(facts);
        // Phases of one run may plan for the same files and clusters: the same warning is reported once.
        for (const warning of attempt === 1 ? plan.warnings : []) {
          const text = JSON.stringify(warning);
          if (!warned.has(text)) report({type: 'warning', warning});
          warned.add(text);
        }
        const {runnable, skipped} = splitByBlockers(plan, settings);
        if (settings.dryRun !== 'none' && attempt === 1 && !settings.yes) {
          for (const prompt of promptsOf(runnable)) {
            report({
              type: 'note',
              message: `would prompt for confirmation (without a terminal, --yes is required): ${prompt}`,
            });
          }
        }
        if (settings.dryRun === 'none' && plan.blockers.length > 0 && attempt === 1) reportPrompts(plan, context);
        if (settings.dryRun === 'none' && runnable.length > 0) {
          if (!phase.isCleanup) await requireReason(runnable, context);
          if (!phase.isConfirmed) await confirm(runnable, confirmed, context);
          if (plan.passphrase) await preparePassphrase(plan.passphrase, deps);
        }
        if (phase.isPreview && settings.dryRun === 'none') {
          const later = runnable.flatMap(({lanes}) => lanes.flatMap((lane) => skipLane(lane)));
          return {facts, plan, outcomes: [...later, ...skipped]};
        }
        // After an abort, the identity can no longer be read: what a cleanup does is recorded without it.
        const identity: IdentityReader = phase.isCleanup
          ? (cluster) => readIdentity(cluster).catch(() => undefined)
          : readIdentity;
        const running = {command, readIdentity: identity, deps, settings, report};
        const outcomes = [...(await runGroups(runnable, running)), ...skipped];
        if (attempt < maxAttempts && !deps.signal.aborted && outcomes.some(({error}) => error?.code === 'CONFLICT')) {
          finished.push(...outcomes.filter(isDoneInPart));
          continue;
        }
        return {facts, plan, outcomes: [...finished, ...outcomes]};
      }
    },
  };
}

/** Whether an action has changed something before a conflict: all of it, or, with a result, a part. */
function isDoneInPart({status, error, result}: Outcome): boolean {
  return status === 'done' || (error?.code === 'CONFLICT' && result !== undefined);
}

/** Reports which confirmations a blocked plan also requires, if they cannot be prompted for: one run names everything. */
function reportPrompts({groups}: Plan, {deps, settings, report}: ExecuteContext): void {
  if (settings.yes || deps.terminal.interactive) return;
  for (const prompt of promptsOf(groups)) {
    report({type: 'note', message: `also requires --yes, because no terminal is attached: ${prompt}`});
  }
}

/** Returns the groups to run, and the outcomes of the lanes that blockers prevent from running. */
function splitByBlockers(plan: Plan, settings: RunSettings): {runnable: readonly Group[]; skipped: readonly Outcome[]} {
  if (plan.blockers.length === 0) return {runnable: plan.groups, skipped: []};
  const blocked = new Set(plan.blockers.filter(({isPartial}) => !isPartial).map((blocker) => blocker.cluster));
  const unblocked = plan.groups
    .flatMap(({lanes}) => lanes)
    .filter(({cluster}) => cluster !== undefined && !blocked.has(cluster));
  // A blocker without a cluster applies to the whole plan; one with a cluster allows the others only with --keep-going.
  // If every cluster is blocked, lanes without a cluster are skipped, too: nothing is declared for refused clusters.
  const skipsAll = blocked.has(undefined) || !settings.keepGoing || unblocked.length === 0;
  const isSkipped = (cluster: string | undefined): boolean => skipsAll || blocked.has(cluster);
  return {
    runnable: plan.groups
      .map((group) => ({...group, lanes: group.lanes.filter((lane) => !isSkipped(lane.cluster))}))
      .filter((group) => group.lanes.length > 0),
    skipped: plan.groups
      .flatMap((group) => group.lanes.filter((lane) => isSkipped(lane.cluster)))
      .flatMap((lane) => skipLane(lane)),
  };
}

/** The context in which groups run. */
interface RunContext extends ExecuteContext {
  /** As typed: `trust push`. */
  readonly command: string;
  readonly readIdentity: IdentityReader;
}

/** Runs groups in sequence and returns an outcome for every action, performed or not. */
async function runGroups(groups: readonly Group[], context: RunContext): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = [];
  let stopped = false;
  for (const group of groups) {
    if (stopped) {
      // An interrupted run is not a success, even if all running actions could finish.
      const {signal} = context.deps;
      const isReported = !signal.aborted || outcomes.some(({status}) => status === 'cancelled');
      const cancelled = {status: 'cancelled', error: reportError(asMeshError(signal.reason))} as const;
      outcomes.push(...group.lanes.flatMap((lane) => skipLane(lane, isReported ? undefined : cancelled)));
      continue;
    }
    const stopsOnFailure = group.onFailure === 'always-stop' || !context.settings.keepGoing;
    context.report({type: 'group-started', group});
    const done = await pMap(
      group.lanes,
      async (lane) => {
        if (stopped) return skipLane(lane);
        const result = await runLane(lane, context);
        if (stopsOnFailure && result.some(stopsOthers)) stopped = true;
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
function skipLane(lane: Lane, fields: OutcomeFields = {status: 'skipped'}): readonly Outcome[] {
  return lane.actions.map((action) => outcomeOf(action, lane, fields));
}

async function runLane(lane: Lane, context: RunContext): Promise<readonly Outcome[]> {
  const line = (text: string): void => {
    context.report({type: 'lane-line', lane: lane.key, line: text});
  };
  const waiting = (wait: Omit<Wait, 'where'>): void => {
    context.report({type: 'waiting', lane: lane.key, wait: {where: lane.cluster ?? lane.key, ...wait}});
  };
  context.report({type: 'lane-started', lane: lane.key});
  const outcomes: Outcome[] = [];
  for (const action of lane.actions) {
    if (outcomes.some(isFailure)) {
      outcomes.push(outcomeOf(action, lane, {status: 'skipped'}));
      continue;
    }
    line(`${action.title}${dryRunNote(action, context.settings)}`);
    outcomes.push(await perform(action, lane, {...context, line, waiting}));
  }
  context.report({type: 'lane-ended', lane: lane.key, outcomes});
  return outcomes;
}

/** The fields of an outcome that do not identify its action. */
type OutcomeFields = Pick<OutcomeOf<ActionKind>, 'status' | 'error'> & {
  readonly result?: ResultOf<ActionKind> | undefined;
};

function outcomeOf({kind, id}: Action, lane: Lane, fields: OutcomeFields): Outcome {
  const outcome = defined<OutcomeOf<ActionKind>>({kind, id, lane: lane.key, cluster: lane.cluster, ...fields});
  // The outcome has its action's kind; TypeScript cannot track that correlation through the union.
  return outcome as Outcome;
}

function isFailure({status}: Outcome): boolean {
  return status === 'failed' || status === 'cancelled';
}

function stopsOthers(outcome: Outcome): boolean {
  return isFailure(outcome) && !stopsNothing.has(outcome.kind);
}

/**
 * Performs one action. Never throws: an error becomes the outcome. An interrupted action is `cancelled`, and is
 * recorded as such because its effect may have happened.
 */
async function perform(
  action: Action,
  lane: Lane,
  {command, readIdentity, deps, settings, line, waiting}: RunContext & Pick<EffectContext, 'line' | 'waiting'>,
): Promise<Outcome> {
  const {id, title, cluster} = action;
  const {dryRun, reason} = settings;
  const isSkipped = dryRun === 'client' || (dryRun === 'server' && !serverSide.has(action.kind));
  if (isSkipped) return outcomeOf(action, lane, {status: 'skipped'});
  const journal = dryRun === 'none' && isRecorded(action) ? deps.workspace.journal : undefined;
  let intent: ChainHead | undefined;
  let done: {readonly result: ResultOf<ActionKind>} | undefined;
  try {
    deps.signal.throwIfAborted();
    const identity = journal && 'context' in action ? await readIdentity(action.context) : undefined;
    intent = await journal?.intent(defined({command, action: id, title, cluster, reason, identity}));
    // The table is typed by kind; TypeScript cannot track the correlation between an action and its entry.
    const effect = (await effects[action.kind]()) as Effect<ActionKind>;
    const result = await effect(action, defined({deps, settings, command, line, waiting, entry: intent}));
    done = {result};
    if (journal && intent) await journal.outcome(defined({intent, status: 'done', detail: result && {...result}}));
    return outcomeOf(action, lane, {status: dryRun === 'none' ? 'done' : 'skipped', result});
  } catch (thrown) {
    const error = asMeshError(thrown);
    const result: ResultOf<ActionKind> = isPartialFailure(thrown) ? thrown.result : done?.result;
    const status = error.class === 'interrupted' || error.class === 'timeout' ? 'cancelled' : 'failed';
    // An action that succeeded is not recorded as failed if recording its outcome in the journal fails: the next run closes the
    // entry.
    if (journal && intent && !done) {
      // The effect's own error is reported, not the journal's.
      const {code, message} = error;
      await journal
        .outcome({intent, status, error: {code, message}, ...(result && {detail: {...result}})})
        .catch(() => undefined);
    }
    return outcomeOf(action, lane, {status, error: reportError(error), result});
  }
}
