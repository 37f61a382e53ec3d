import type {ChainHead} from '../domain/journal/chain.js';
import type {ActionKind, ActionOf} from './action.js';
import type {Deps} from './deps.js';
import type {ResultOf} from './action-result.js';
import type {RunSettings, Wait} from './operation.js';

/** The context of an effect. */
export interface EffectContext {
  readonly deps: Deps;
  /** `dryRun` is `none` or `server`; no effect runs in a client dry run. */
  readonly settings: RunSettings;
  /** As typed: `trust push`. */
  readonly command: string;
  /** The journal entry of this action; absent if none was written, as in a dry run. */
  readonly entry?: ChainHead;
  /** Reports a line in this lane's progress. */
  readonly line: (text: string) => void;
  /** Shows a wait in this lane's progress. */
  readonly waiting: (wait: Omit<Wait, 'where'>) => void;
}

/**
 * Executes one action. Returns the action's result for the report and the journal, or throws a MeshError; after
 * `CONFLICT` the engine gathers and plans again.
 */
export type Effect<Kind extends ActionKind> = (
  action: ActionOf<Kind>,
  context: EffectContext,
) => Promise<ResultOf<Kind>>;
