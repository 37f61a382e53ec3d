import {join} from 'node:path';
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

/** Writes manifests in sequence, each of them atomically. */
export const writeManifests: Effect<'write-manifests'> = async ({directory, files}, {deps}) => {
  for (const {path, text} of files) {
    await deps.workspace.writeOutside(join(directory, path), text, {createsDirectory: true});
  }
  return {files: files.map(({path}) => path)};
};
