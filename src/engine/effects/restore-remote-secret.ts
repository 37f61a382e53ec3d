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

/** A remote secret that was sent. */
export interface SentSecret {
  /** Its write may not have arrived. */
  readonly object: KubeObject;
  /** The previous one; absent: there was none. */
  readonly before?: StoredSecret | undefined;
  /** The data keys that istiod has read, and that stay as sent. */
  readonly proven: readonly string[];
}

/** Puts the previous remote secret back, or deletes the new one if there was none. Returns why it is not restored; throws only bugs. */
export async function restoreRemoteSecret(api: KubeApi, sent: SentSecret): Promise<string | undefined> {
  const {object, before} = sent;
  const ref = refOf(object);
  try {
    const now = await api.find<SecretObject>(ref);
    if (!now) return before ? 'the remote secret no longer exists' : undefined;
    const {uid, resourceVersion} = now.metadata;
    const data = before && restoredData(before, sent);
    if (before && isDeepStrictEqual(now.data, data)) return undefined;
    // What another client has done meanwhile stays.
    if (!isDeepStrictEqual(now.data, object.data)) return 'the remote secret was changed by another client';
    if (!before) {
      await remove(api, ref, defined({uid, resourceVersion}), 'none');
      return undefined;
    }
    const {name, namespace} = object.metadata;
    const kept = sent.proven.length === 0 ? before.metadata : object.metadata;
    const metadata = defined<ObjectMeta>({...keptMetadata(kept), name, namespace, resourceVersion});
    await createOrReplace(api, {...object, data, metadata}, 'none');
    return undefined;
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    return `the previous state could not be restored: ${error.message}`;
  }
}

function restoredData({data}: StoredSecret, {object, proven}: SentSecret): SecretObject['data'] {
  const previous = Object.entries(data).map(([key, value]) => [key, value.reveal().toString('base64')]);
  const sent = Object.entries(object.data as NonNullable<SecretObject['data']>);
  return Object.fromEntries([...previous, ...sent.filter(([key]) => proven.includes(key))]) as SecretObject['data'];
}
