import {MeshError} from '../../domain/errors.js';
import type {ObjectRef} from '../../domain/kube/object.js';
import type {KubeApi, WriteDryRun} from '../../tools/kubectl/api.js';
import type {DeleteObject} from '../action.js';
import type {ObjectDeleted} from '../action-result.js';
import type {Effect} from '../effect.js';
import {writeCertainly} from './uncertain-write.js';

/** What is to be deleted, and where. */
interface Deletion {
  readonly api: KubeApi;
  readonly ref: ObjectRef;
  readonly preconditions: DeleteObject['preconditions'];
  readonly dryRun: WriteDryRun;
}

/** Deletes an object if it is still the one the plan saw; one that is gone already is done. */
export const effect: Effect<'delete-object'> = async ({context, ref, preconditions}, {deps, settings}) => {
  const api = await deps.clusters.open(context);
  return deleteObject({api, ref, preconditions, dryRun: settings.dryRun === 'server' ? 'server' : 'none'});
};

/** The delete itself, for effects that go on after it. Throws `CONFLICT` when the object is another one by now. */
export async function deleteObject(deletion: Deletion): Promise<ObjectDeleted | undefined> {
  const {api, ref, preconditions, dryRun} = deletion;
  const {uid, resourceVersion} = preconditions;
  try {
    await writeCertainly(
      {
        api,
        ref,
        dryRun,
        judge: (now) => {
          if (!now || (uid !== undefined && now.metadata.uid !== uid)) return 'written';
          const same = resourceVersion === undefined || now.metadata.resourceVersion === resourceVersion;
          return same ? 'not-written' : 'changed-otherwise';
        },
      },
      () => api.delete(ref, preconditions, dryRun),
    );
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.code !== 'NOT_FOUND') throw thrown;
    return {alreadyGone: true};
  }
  return undefined;
}
