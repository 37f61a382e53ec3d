/** The one interpreter of actions: journals the intent, runs the effect, journals the outcome (docs/architecture.md). */
import {asMeshError, reportError} from '../domain/errors.js';
import type {ChainHead} from '../domain/journal/chain.js';
import type {Action, ActionKind} from './action.js';
import type {Effect, EffectContext} from './effect.js';
import {effects} from './effects/registry.js';
import type {Outcome, OutcomeOf} from './operation.js';
import type {ResultOf} from './action-result.js';
import type {WhoAmI} from './who-am-i.js';

/** Effects the API server can check without storing anything (`--dry-run=server`). */
const serverSide: ReadonlySet<ActionKind> = new Set(['put-object', 'patch-object', 'delete-object', 'replace-object']);
/** Actions that only wait and look: nothing to record. */
const unrecorded: ReadonlySet<ActionKind> = new Set(['await-bundle']);

/** What the actions of one run share. */
export interface Run {
  /** As typed: `trust push`. */
  readonly command: string;
  readonly whoAmI: WhoAmI;
}

/** Whether the journal has an entry of an action. */
export function isRecorded({kind}: Action): boolean {
  return !unrecorded.has(kind);
}

/** Whether a dry run of this kind leaves the action out altogether. */
export function leftOut(action: Action, dryRun: 'none' | 'client' | 'server'): boolean {
  return dryRun === 'client' || (dryRun === 'server' && !serverSide.has(action.kind));
}

/**
 * Performs one action. Never throws: what goes wrong is the outcome. An action that was interrupted is `cancelled`; the
 * journal says so too, since its effect may be there.
 */
export async function perform(
  run: Run,
  lane: string,
  action: Action,
  context: Omit<EffectContext, 'entry'>,
): Promise<Outcome> {
  // The outcome's kind is its action's; TypeScript cannot follow that correlation through the union.
  return (await performOne(run, lane, action, context)) as Outcome;
}

async function performOne(
  {command, whoAmI}: Run,
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
