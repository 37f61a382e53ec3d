import {MeshError, asMeshError} from '../../domain/errors.js';
import type {KubeObject} from '../../domain/kube/object.js';
import {describeRef, refOf} from '../../domain/kube/paths.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {ReplaceObject} from '../action.js';
import type {ObjectWritten} from '../action-result.js';
import type {Effect} from '../effect.js';
import {deleteObject} from './delete-object.js';
import {judge} from './put-object.js';
import {objectToSend} from './remember.js';
import {refuseRootKey, textsIn} from './root-key-guard.js';
import {writeObject} from './uncertain-write.js';

/**
 * Deletes an object and creates another of that name. The API server is asked first whether it would take the new one,
 * and once the delete is on its way nothing of this process stops the create but a second Ctrl-C.
 */
export const effect: Effect<'replace-object'> = async (action, {deps, settings, entry, line}) => {
  const object = objectToSend(action, entry);
  const ref = refOf(object);
  await refuseRootKey({...textsIn(action.object), ...action.secretData}, action.cluster, deps.workspace, action.title);
  const api = await deps.clusters.open(action.context);
  await api.create(underAnotherName(object), 'server');
  if (settings.dryRun === 'server') {
    line(`checked by the API server under another name: ${describeRef(ref)} is still there in a dry run`);
    await api.delete(ref, action.preconditions, 'server');
    return {validated: true};
  }
  const lasting = await api.lasting();
  deps.signal.throwIfAborted();
  const deleted = await deleteObject(lasting, {ref, preconditions: action.preconditions}, 'none');
  const created = await createNow(lasting, object, action);
  return {...deleted, ...created};
};

async function createNow(api: KubeApi, object: KubeObject, {whenLost}: ReplaceObject): Promise<ObjectWritten> {
  const ref = refOf(object);
  try {
    const look = {api, ref, dryRun: 'none', judge: (now: KubeObject | undefined) => judge(now, object)} as const;
    return await writeObject(look, () => api.create(object, 'none'));
  } catch (thrown) {
    const error = asMeshError(thrown);
    // Somebody else created one of that name: the engine looks again.
    if (error.code === 'CONFLICT') throw error;
    throw new MeshError(error.code, `${describeRef(ref)} was deleted, and creating it failed: ${error.message}`, {
      cause: error,
      hints: [...whenLost, ...error.hints],
    });
  }
}

/**
 * A create under a name that exists is a conflict before anything else is looked at. Rights to create know no names
 * (kubernetes.io: Using RBAC Authorization, "Referring to resources"), and admission sees the same content.
 */
function underAnotherName(object: KubeObject): KubeObject {
  return {...object, metadata: {...object.metadata, name: `${object.metadata.name}-dry-run`}};
}
