import {MeshError} from '../../domain/errors.js';
import {refOf} from '../../domain/kube/paths.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {Effect} from '../effect.js';
import {objectToSend} from './remember.js';
import {refuseRootKey, textsIn} from './root-key-guard.js';
import {holds, type Seen, writeObject} from './uncertain-write.js';

/** Creates an object, or replaces it at the version that the plan saw. */
export const effect: Effect<'put-object'> = async (action, {deps, settings, entry, line}) => {
  const ref = refOf(action.object);
  const object = objectToSend(action, entry);
  await refuseRootKey({...textsIn(action.object), ...action.secretData}, action.cluster, deps.workspace, action.title);
  const api = await deps.clusters.open(action.context);
  const dryRun = settings.dryRun === 'server' ? 'server' : 'none';
  const before = object.metadata.resourceVersion;
  const write = (): Promise<KubeObject> =>
    before === undefined ? api.create(object, dryRun) : api.replace(object, dryRun);
  try {
    return await writeObject({api, ref, dryRun, judge: (now) => judge(now, object)}, write);
  } catch (thrown) {
    if (dryRun === 'server' && (await isOnlyNamespaceMissing(thrown, api, object))) {
      // The API server checks nothing in a namespace that a dry run could not create.
      line(`not checked by the API server: namespace ${ref.namespace ?? ''} does not exist yet`);
      return {validated: false, reason: `namespace ${ref.namespace ?? ''} does not exist yet`};
    }
    throw thrown;
  }
};

/** What became of a write of a whole object. */
export function judge(now: KubeObject | undefined, wanted: KubeObject): Seen {
  const before = wanted.metadata.resourceVersion;
  const {metadata, ...rest} = wanted;
  const meta = Object.fromEntries(Object.entries(metadata).filter(([field]) => field !== 'resourceVersion'));
  if (now && holds(now, {...rest, metadata: meta}) && sameKeys(now.data, wanted.data)) return 'written';
  return now?.metadata.resourceVersion === before ? 'not-written' : 'changed-otherwise';
}

/** A Secret that still has foreign keys was not replaced. */
function sameKeys(now: unknown, wanted: unknown): boolean {
  const keys = (value: unknown): string =>
    Object.keys(value ?? {})
      .sort()
      .join();
  return keys(now) === keys(wanted);
}

async function isOnlyNamespaceMissing(thrown: unknown, api: KubeApi, object: KubeObject): Promise<boolean> {
  const {namespace} = object.metadata;
  if (!(thrown instanceof MeshError) || thrown.code !== 'NOT_FOUND' || namespace === undefined) return false;
  return (await api.find({apiVersion: 'v1', kind: 'Namespace', name: namespace})) === undefined;
}
