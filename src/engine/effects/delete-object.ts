import {MeshError} from '../../domain/errors.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {KubeApi, WriteDryRun} from '../../tools/kubectl/api.js';
import type {DeleteObject} from '../action.js';
import type {ObjectDeleted} from '../action-result.js';
import type {Effect} from '../effect.js';
import {type Seen, writeCertainly} from './uncertain-write.js';

/** Deletes an object if it is still the one the plan saw; one that is gone already is done. */
export const effect: Effect<'delete-object'> = async (action, {deps, settings}) =>
  deleteObject(await deps.clusters.open(action.context), action, settings.dryRun === 'server' ? 'server' : 'none');

/** The delete itself, for effects that go on after it. Throws `CONFLICT` when the object is another one by now. */
export async function deleteObject(
  api: KubeApi,
  {ref, preconditions}: Pick<DeleteObject, 'ref' | 'preconditions'>,
  dryRun: WriteDryRun,
): Promise<ObjectDeleted | undefined> {
  const {uid, resourceVersion} = preconditions;
  const judge = (now: KubeObject | undefined): Seen => {
    if (!now || (uid !== undefined && now.metadata.uid !== uid)) return 'written';
    const same = resourceVersion === undefined || now.metadata.resourceVersion === resourceVersion;
    return same ? 'not-written' : 'changed-otherwise';
  };
  try {
    await writeCertainly({api, ref, dryRun, judge}, () => api.delete(ref, preconditions, dryRun));
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.code !== 'NOT_FOUND') throw thrown;
    return {alreadyGone: true};
  }
  return undefined;
}
