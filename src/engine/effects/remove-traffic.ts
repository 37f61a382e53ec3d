import {MeshError} from '../../domain/errors.js';
import type {KubeObject} from '../../domain/kube/object.js';
import {refOf} from '../../domain/kube/paths.js';
import {advice, inspectWith, words} from '../../domain/suggest/suggestion.js';
import {holderRef, runAnnotation, trafficNamespace as namespace, trafficSelector} from '../../domain/traffic/names.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {Effect, EffectContext} from '../effect.js';
import type {RemoveTraffic} from '../traffic-action.js';
import {awaitReady} from './await.js';
import {remove} from './objects.js';

const deployments = {apiVersion: 'apps/v1', kind: 'Deployment'};
const pods = {apiVersion: 'v1', kind: 'Pod'};

/** What is removed when the pods have ended: the policies protect them until then. Last, the account, which shows who holds the namespace. */
const others = [
  {apiVersion: 'v1', kind: 'Service'},
  {apiVersion: 'security.istio.io/v1beta1', kind: 'AuthorizationPolicy'},
  {apiVersion: 'security.istio.io/v1beta1', kind: 'PeerAuthentication'},
];
const accounts = {apiVersion: 'v1', kind: 'ServiceAccount'};

/** Removes what was created in one cluster. After an abort of the run, through a kubectl process that outlives it. */
export const effect: Effect<'remove-traffic'> = async (action, context) => {
  const {clusters} = context.deps;
  try {
    await removeTraffic(await clusters.open(action.context), action, context);
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || !['interrupted', 'timeout'].includes(thrown.class)) throw thrown;
    await removeTraffic(await clusters.openDetached(action.context), action, context);
  }
  return undefined;
};

/** What to remove. */
export interface Removal extends Pick<RemoveTraffic, 'cluster' | 'context' | 'keepsNamespace' | 'timeoutMs'> {
  /** Only what this run created. Absent: whatever is there, if no run holds the namespace. */
  readonly run?: string | undefined;
}

/** Removes it and waits until it is gone: first the pods, then what protects them. Throws `NOT_READY` if something is left. */
export async function removeTraffic(api: KubeApi, removal: Removal, context: EffectContext): Promise<void> {
  const {cluster, keepsNamespace, run, timeoutMs} = removal;
  const show = inspectWith.kubectl(removal, words`-n ${namespace} get all --show-labels`);
  const options = {
    what: `namespace ${namespace} of ${cluster} was not cleaned up`,
    timeoutMs,
    hints: [advice`what is left: ${show}`],
  };
  let holder: KubeObject | undefined;
  await awaitReady(context, options, async () => {
    holder = await api.find(holderRef(keepsNamespace));
    return undefined;
  });
  const heldBy = holder?.metadata.annotations?.[runAnnotation];
  if (run !== undefined && heldBy !== run) return;
  // Nothing held the namespace when the run was planned.
  if (run === undefined && heldBy !== undefined) throw new MeshError('CONFLICT', `another run has begun in ${cluster}`);
  if (!holder && !keepsNamespace) return;
  await awaitReady(context, options, async () => {
    await deleteAll(api, deployments);
    const {items} = await api.list(pods, {namespace, labelSelector: trafficSelector});
    return items.length > 0 ? `${String(items.length)} pods are ending` : undefined;
  });
  if (holder && !keepsNamespace) {
    const held = holder;
    await awaitReady(context, options, async () =>
      (await deleteHeld(api, held)) ? 'the namespace is being removed' : undefined,
    );
    return;
  }
  for (const kinds of [others, [accounts]]) {
    await awaitReady(context, options, async () => {
      let left = 0;
      for (const kind of kinds) left += await deleteAll(api, kind);
      return left > 0 ? `${String(left)} objects are being removed` : undefined;
    });
  }
}

/** Deletes the namespace, if it is still the same. Returns whether it still exists. */
async function deleteHeld(api: KubeApi, held: KubeObject): Promise<boolean> {
  const {uid} = held.metadata;
  const found = await api.find(refOf(held));
  if (!found || uid === undefined || found.metadata.uid !== uid) return false;
  if (found.metadata.deletionTimestamp === undefined) await remove(api, refOf(found), {uid}, 'none');
  return true;
}

/** Deletes our objects of a kind in the namespace. Returns how many exist still. */
async function deleteAll(api: KubeApi, kind: {readonly apiVersion: string; readonly kind: string}): Promise<number> {
  const {items} = await api.list(kind, {namespace, labelSelector: trafficSelector});
  for (const {metadata} of items) {
    const {name, uid, deletionTimestamp} = metadata;
    if (deletionTimestamp === undefined) {
      await remove(api, {...kind, namespace, name}, uid === undefined ? {} : {uid}, 'none');
    }
  }
  return items.length;
}
