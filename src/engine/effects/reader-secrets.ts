/** Ends tokens of a reader in a peer by deleting the Secrets to which they are bound, or which contain them. */
import {asMeshError, MeshError} from '../../domain/errors.js';
import {defined} from '../../domain/defined.js';
import {describeRef} from '../../domain/kube/paths.js';
import type {PeerLink} from '../discovery-action.js';
import type {EffectContext} from '../effect.js';
import {remove} from './objects.js';

/** Deletes the Secret of a token that a proven one has replaced. Returns the error. */
export async function revokeSuperseded(
  {context, superseded}: PeerLink,
  namespace: string,
  {deps, line}: EffectContext,
): Promise<MeshError | undefined> {
  if (!superseded) return undefined;
  const {name, uid} = superseded;
  const ref = {apiVersion: 'v1', kind: 'Secret', namespace, name};
  line(`delete ${describeRef(ref)}, whose token is no longer used`);
  try {
    await remove(await deps.clusters.open(context), ref, {uid}, 'none');
    return undefined;
  } catch (thrown) {
    const {code, message, hints, cause} = asMeshError(thrown);
    return new MeshError(code, `the new token is in use, but the previous one is not revoked: ${message}`, {
      hints: ['run the same command again', ...hints],
      cause,
    });
  }
}

/**
 * Deletes the reader Secret that this run created for a pair that failed, with which its token ends. Errors are ignored: it is empty
 * or its token unused, and the next run uses it.
 */
export async function discardNew(
  {context, readerSecret: {name, isNew}}: PeerLink,
  namespace: string,
  {deps, line}: EffectContext,
): Promise<void> {
  if (!isNew || deps.signal.aborted) return;
  const ref = {apiVersion: 'v1', kind: 'Secret', namespace, name};
  line(`delete ${describeRef(ref)} again`);
  try {
    const api = await deps.clusters.open(context);
    const found = await api.find(ref);
    if (found) await remove(api, ref, defined({uid: found.metadata.uid}), 'none');
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    line(`${describeRef(ref)} remains: ${error.message}`);
  }
}
