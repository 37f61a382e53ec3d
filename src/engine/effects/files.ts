import type {Effect} from '../effect.js';

/** Writes files as one set. */
export const writeFiles: Effect<'write-files'> = async ({files}, {deps, entry}) => {
  await deps.workspace.write(files, entry);
  return {files: files.map(({path}) => path)};
};

/** Removes files; missing ones are ignored. */
export const removeFiles: Effect<'remove-files'> = async ({paths}, {deps}) => {
  await deps.workspace.remove(paths);
  return {removed: paths};
};
