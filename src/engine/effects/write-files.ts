import type {Effect} from '../effect.js';

/** Writes files as one set. */
export const effect: Effect<'write-files'> = async (action, {deps}) => {
  await deps.workspace.write(action.files);
  return {files: action.files.map((file) => file.path)};
};
