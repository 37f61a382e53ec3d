/** What operations make their plans of. Pure. */
import type {ErrorReport} from '../domain/errors.js';
import type {Hint} from '../domain/suggest/advice.js';
import type {Action} from './action.js';
import {emptyPlan, type Group, type Lane, type Plan, type Warning} from './operation.js';

/** A lane of one action; `key` names one that belongs to no cluster. */
export function laneOf(action: Action, key = action.id): Lane {
  const {cluster, title} = action;
  if (cluster === undefined) return {key, title, actions: [action]};
  return {key: cluster, cluster, title: `${cluster}: ${title}`, actions: [action]};
}

/** A group with a lane for each action; none where nothing is to be done. */
export function groupOf(
  title: string,
  actions: readonly Action[],
  onFailure: Group['onFailure'] = 'stop',
): readonly Group[] {
  return actions.length === 0 ? [] : [{title, lanes: actions.map((action) => laneOf(action, title)), onFailure}];
}

/** A plan that does nothing and says why. */
export function blockedPlan(error: ErrorReport, warnings: readonly Warning[] = [], cluster?: string): Plan {
  return {...emptyPlan, blockers: [cluster === undefined ? {error} : {cluster, error}], warnings};
}

/** What is worth saying, as warnings: of a cluster, or of the whole run. */
export function asWarnings(notes: readonly Hint[], cluster?: string): readonly Warning[] {
  return notes.map((message) => (cluster === undefined ? {message} : {cluster, message}));
}
