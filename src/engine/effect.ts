import type {ChainHead} from '../domain/journal/chain.js';
import type {ActionKind, ActionOf} from './action.js';
import type {Deps} from './deps.js';
import type {ResultOf} from './action-result.js';
import type {RunSettings, Wait} from './operation.js';

/** What an effect is given besides its action. */
export interface EffectContext {
  readonly deps: Deps;
  /** `dryRun` is `none` or `server`: with `client` no effect runs. */
  readonly settings: RunSettings;
  /** The journal's entry of this action; absent where none was written, as in a dry run. */
  readonly entry?: ChainHead;
  /** Says a line of news in this lane's progress. */
  readonly line: (text: string) => void;
  /** Shows in this lane's progress what the action waits for now. */
  readonly waiting: (wait: Omit<Wait, 'where'>) => void;
}

/**
 * Turns one action into its effect on the world. Returns the action's result for the report and the journal, or throws a
 * MeshError; `CONFLICT` makes the engine look and plan again.
 */
export type Effect<Kind extends ActionKind> = (
  action: ActionOf<Kind>,
  context: EffectContext,
) => Promise<ResultOf<Kind>>;
