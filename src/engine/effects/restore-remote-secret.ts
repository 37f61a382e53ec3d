/** Undoes the write of a remote secret that istiod could not use, or whose proof was aborted. */
import {isDeepStrictEqual} from 'node:util';
import {defined} from '../../domain/defined.js';
import type {StoredSecret} from '../../domain/discovery/observation.js';
import {asMeshError} from '../../domain/errors.js';
import {keptMetadata, type KubeObject, type ObjectMeta} from '../../domain/kube/object.js';
import type {SecretObject} from '../../domain/kube/objects.js';
import {refOf} from '../../domain/kube/paths.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import {createOrReplace, remove} from './objects.js';

/**
 * Puts the previous remote secret back, or deletes the new one if there was none. `sent`: the new one, whose write may not have
 * arrived. Returns why it is not restored; throws only bugs.
 */
export async function restoreRemoteSecret(
  api: KubeApi,
  sent: KubeObject,
  before: StoredSecret | undefined,
): Promise<string | undefined> {
  const ref = refOf(sent);
  try {
    const now = await api.find<SecretObject>(ref);
    if (!now) return before ? 'the remote secret no longer exists' : undefined;
    const {uid, resourceVersion} = now.metadata;
    const data = before && encoded(before);
    if (before && isDeepStrictEqual(now.data, data)) return undefined;
    // What another client has done meanwhile stays.
    if (!isDeepStrictEqual(now.data, sent.data)) return 'the remote secret was changed by another client';
    if (!before) {
      await remove(api, ref, defined({uid, resourceVersion}), 'none');
      return undefined;
    }
    const {name, namespace} = sent.metadata;
    const metadata = defined<ObjectMeta>({...keptMetadata(before.metadata), name, namespace, resourceVersion});
    await createOrReplace(api, {...sent, data, metadata}, 'none');
    return undefined;
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    return `the previous state could not be restored: ${error.message}`;
  }
}

function encoded({data}: StoredSecret): SecretObject['data'] {
  return Object.fromEntries(Object.entries(data).map(([key, value]) => [key, value.reveal().toString('base64')]));
}
