import type {Effect} from '../effect.js';

/** Removes files; those that are gone already are fine. */
export const effect: Effect<'remove-files'> = async (action, {deps}) => {
  await deps.workspace.remove(action.paths);
  return {removed: action.paths};
};
