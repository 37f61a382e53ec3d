import {MeshError} from '../../domain/errors.js';
import {refOf} from '../../domain/kube/paths.js';
import {advice, inspectWith, words} from '../../domain/suggest/suggestion.js';
import {trafficLabels, trafficNamespace as namespace} from '../../domain/traffic/names.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {Effect, EffectContext} from '../effect.js';
import type {RemoveTraffic} from '../traffic-action.js';
import {awaitReady} from './await.js';
import {remove} from './objects.js';

/** Selects what `verify --traffic` has created. */
export const trafficSelector = Object.entries(trafficLabels)
  .map(([key, value]) => `${key}=${value}`)
  .join(',');

/** The kinds in the namespace; a Deployment's pods go with it. */
const kinds = [
  {apiVersion: 'apps/v1', kind: 'Deployment'},
  {apiVersion: 'v1', kind: 'Service'},
  {apiVersion: 'security.istio.io/v1beta1', kind: 'AuthorizationPolicy'},
  {apiVersion: 'security.istio.io/v1beta1', kind: 'PeerAuthentication'},
  {apiVersion: 'v1', kind: 'ServiceAccount'},
];

/** Removes what was created in one cluster, through a kubectl process that outlives an abort of the run. */
export const effect: Effect<'remove-traffic'> = async (action, context) => {
  const api = await context.deps.clusters.openDetached(action.context);
  await removeTrafficFrom(api, action, context);
  return undefined;
};

/** Removes it and waits until it is gone; after an abort of the run, without waiting. Throws `NOT_READY` if it is not. */
export async function removeTrafficFrom(
  api: KubeApi,
  action: Pick<RemoveTraffic, 'cluster' | 'context' | 'keepsNamespace' | 'timeoutMs'>,
  context: EffectContext,
): Promise<void> {
  const isThere = action.keepsNamespace ? () => removeObjects(api) : () => removeNamespace(api);
  if (!(await isThere())) return;
  const show = inspectWith.kubectl(action, words`describe namespace ${namespace}`);
  const what = `namespace ${namespace} of ${action.cluster} was not removed completely`;
  try {
    await awaitReady(
      context,
      {what, timeoutMs: action.timeoutMs, hints: [advice`its conditions show why: ${show}`]},
      async () => ((await isThere()) ? 'it is being removed' : undefined),
    );
  } catch (thrown) {
    // The API server goes on.
    if (!(thrown instanceof MeshError) || (thrown.class !== 'interrupted' && thrown.class !== 'timeout')) throw thrown;
  }
}

/** Deletes the namespace. Returns whether it still exists. */
async function removeNamespace(api: KubeApi): Promise<boolean> {
  const found = await api.find({apiVersion: 'v1', kind: 'Namespace', name: namespace});
  if (!found) return false;
  const {uid, deletionTimestamp} = found.metadata;
  if (deletionTimestamp === undefined) await remove(api, refOf(found), uid === undefined ? {} : {uid}, 'none');
  return true;
}

/** Deletes the objects in the namespace. Returns whether any exists. */
async function removeObjects(api: KubeApi): Promise<boolean> {
  let isAny = false;
  for (const kind of kinds) {
    const {items} = await api.list(kind, {namespace, labelSelector: trafficSelector});
    for (const {metadata} of items) {
      isAny = true;
      const {name, uid, deletionTimestamp} = metadata;
      if (deletionTimestamp !== undefined) continue;
      await remove(api, {...kind, namespace, name}, uid === undefined ? {} : {uid}, 'none');
    }
  }
  return isAny;
}
