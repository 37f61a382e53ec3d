import {MeshError} from '../../domain/errors.js';
import type {Effect} from '../effect.js';
import {writeCertainly} from './uncertain-write.js';

/** Deletes an object if it is still the one the plan saw; one that is gone already is done. */
export const effect: Effect<'delete-object'> = async (action, {deps, settings}) => {
  const api = await deps.clusters.open(action.context);
  const dryRun = settings.dryRun === 'server' ? 'server' : 'none';
  const {uid, resourceVersion} = action.preconditions;
  try {
    await writeCertainly(
      {
        api,
        ref: action.ref,
        dryRun,
        judge: (now) => {
          if (!now || (uid !== undefined && now.metadata.uid !== uid)) return 'written';
          const same = resourceVersion === undefined || now.metadata.resourceVersion === resourceVersion;
          return same ? 'not-written' : 'changed-otherwise';
        },
      },
      () => api.delete(action.ref, action.preconditions, dryRun),
    );
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.code !== 'NOT_FOUND') throw thrown;
    return {alreadyGone: true};
  }
  return undefined;
};
