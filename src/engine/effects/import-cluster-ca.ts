import type {Effect} from '../effect.js';

/** The four files first, as one set; the request is not needed any more once they are there. */
export const effect: Effect<'import-cluster-ca'> = async ({files, answered, certificate}, {deps, line}) => {
  if (files.length > 0) {
    line('write the four files');
    await deps.workspace.write(files);
  }
  await deps.workspace.remove(answered);
  return {...certificate, files: files.map(({path}) => path)};
};
