/** Effects on one object of a cluster. */
import {MeshError, asMeshError} from '../../domain/errors.js';
import type {KubeObject, ObjectRef} from '../../domain/kube/object.js';
import {describeRef, refOf} from '../../domain/kube/paths.js';
import type {KubeApi, WriteDryRun} from '../../tools/kubectl/api.js';
import type {DeleteObject, PutObject, ReplaceObject} from '../action.js';
import type {ObjectDeleted, ObjectWritten} from '../action-result.js';
import type {Effect, EffectContext} from '../effect.js';
import {objectToSend, patchToSend} from './journal-head.js';
import {refuseKeys, textsOf} from './root-key-guard.js';
import {contains, type WriteState, writeAndVerify, writeObject} from './verified-write.js';

/** Creates an object, or replaces it at the resourceVersion in the plan. */
export const putObject: Effect<'put-object'> = async (action, context) => {
  const object = await guardedObject(action, context);
  const api = await context.deps.clusters.open(action.context);
  const dryRun = dryRunOf(context);
  try {
    return await createOrReplace(api, object, dryRun);
  } catch (thrown) {
    if (dryRun !== 'server' || !isNotFound(thrown)) throw thrown;
    // The API server cannot validate an object in a namespace, or of a kind, that the dry run did not create.
    const {apiVersion, kind, metadata} = object;
    const reason = (await isNamespaceMissing(api, object))
      ? `namespace ${metadata.namespace ?? ''} does not exist yet`
      : `the cluster does not serve ${kind} of ${apiVersion} yet`;
    context.line(`not checked by the API server: ${reason}`);
    return {validated: false, reason};
  }
};

/** Patches an object. A JSON patch whose test of the resourceVersion fails is a `CONFLICT`. */
export const patchObject: Effect<'patch-object'> = async (action, context) => {
  const {ref} = action;
  const patch = patchToSend(action, context.entry);
  await refuseKeys(textsOf(action.patch), action.cluster, context.deps, action.title);
  const api = await context.deps.clusters.open(action.context);
  const dryRun = dryRunOf(context);
  const tested = testedVersion(patch);
  try {
    const judge = (now: KubeObject | undefined): WriteState => judgePatch(now, patch, tested);
    return await writeObject({api, ref, dryRun, judge}, () => api.patch(ref, patch, dryRun));
  } catch (thrown) {
    // The API server responds with 422 and does not name the failed test: compare the resourceVersion.
    if (!(thrown instanceof MeshError) || thrown.code !== 'REJECTED' || tested === undefined) throw thrown;
    const now = await api.find(ref);
    if (now?.metadata.resourceVersion === tested) throw thrown;
    throw new MeshError('CONFLICT', `${describeRef(ref)} was changed by another client`, {cause: thrown});
  }
};

/** Deletes an object if it has not changed since the plan was made; succeeds if it no longer exists. */
export const deleteObject: Effect<'delete-object'> = async (action, context) => {
  const api = await context.deps.clusters.open(action.context);
  return remove(api, action.ref, action.preconditions, dryRunOf(context));
};

/**
 * Deletes an object and creates another with the same name. A dry run first checks that the API server accepts the new
 * object, and after the delete was sent only a second Ctrl-C can prevent the create.
 */
export const replaceObject: Effect<'replace-object'> = async (action, context) => {
  const {deps, line} = context;
  const object = await guardedObject(action, context);
  const ref = refOf(object);
  const api = await deps.clusters.open(action.context);
  await api.create(withDryRunName(object), 'server');
  if (dryRunOf(context) === 'server') {
    line(`validated by the API server under another name: ${describeRef(ref)} still exists in a dry run`);
    await api.delete(ref, action.preconditions, 'server');
    return {validated: true};
  }
  const detached = await api.detached();
  deps.signal.throwIfAborted();
  const deleted = await remove(detached, ref, action.preconditions, 'none');
  try {
    return {...deleted, ...(await createOrReplace(detached, object, 'none'))};
  } catch (thrown) {
    const error = asMeshError(thrown);
    // Another client created an object with this name: the engine gathers again.
    if (error.code === 'CONFLICT') throw error;
    throw new MeshError(error.code, `${describeRef(ref)} was deleted, and creating it failed: ${error.message}`, {
      cause: error,
      hints: [...action.recoveryHints, ...error.hints],
    });
  }
};

function dryRunOf({settings}: EffectContext): WriteDryRun {
  return settings.dryRun === 'server' ? 'server' : 'none';
}

/** The object to send. Throws `ROOT_KEY_IN_PAYLOAD` and `PRIVATE_KEY_IN_PAYLOAD`. */
async function guardedObject(
  action: PutObject | ReplaceObject,
  {deps, entry}: Pick<EffectContext, 'deps' | 'entry'>,
): Promise<KubeObject> {
  const payload = {...textsOf(action.object), ...action.secretData};
  await refuseKeys(payload, action.cluster, deps, action.title);
  return objectToSend(action, entry);
}

/** Creates the object, or replaces it at its resourceVersion. */
export function createOrReplace(api: KubeApi, object: KubeObject, dryRun: WriteDryRun): Promise<ObjectWritten> {
  return writeObject({api, ref: refOf(object), dryRun, judge: (now) => judgeObject(now, object)}, () =>
    object.metadata.resourceVersion === undefined ? api.create(object, dryRun) : api.replace(object, dryRun),
  );
}

/** Deletes an object; throws `CONFLICT` if it was replaced by another one. */
export async function remove(
  api: KubeApi,
  ref: ObjectRef,
  preconditions: DeleteObject['preconditions'],
  dryRun: WriteDryRun,
): Promise<ObjectDeleted | undefined> {
  const {uid, resourceVersion} = preconditions;
  const judge = (now: KubeObject | undefined): WriteState => {
    if (!now || (uid !== undefined && now.metadata.uid !== uid)) return 'written';
    const isUnchanged = resourceVersion === undefined || now.metadata.resourceVersion === resourceVersion;
    return isUnchanged ? 'not-written' : 'changed-otherwise';
  };
  try {
    await writeAndVerify({api, ref, dryRun, judge}, () => api.delete(ref, preconditions, dryRun));
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.code !== 'NOT_FOUND') throw thrown;
    return {alreadyGone: true};
  }
}

/** Whether a write of a whole object took effect. */
function judgeObject(now: KubeObject | undefined, wanted: KubeObject): WriteState {
  const {metadata, ...rest} = wanted;
  const {resourceVersion: before, ...meta} = metadata;
  if (now && contains(now, {...rest, metadata: meta}) && hasSameKeys(now.data, wanted.data)) return 'written';
  return now?.metadata.resourceVersion === before ? 'not-written' : 'changed-otherwise';
}

/** A Secret that still contains other keys was not replaced. */
function hasSameKeys(now: unknown, wanted: unknown): boolean {
  const keys = (value: unknown): string =>
    Object.keys(value ?? {})
      .toSorted()
      .join();
  return keys(now) === keys(wanted);
}

function judgePatch(now: KubeObject | undefined, patch: object, tested: string | undefined): WriteState {
  if (!Array.isArray(patch)) return now && contains(now, patch) ? 'written' : 'not-written';
  if (tested === undefined) return 'changed-otherwise';
  return now?.metadata.resourceVersion === tested ? 'not-written' : 'changed-otherwise';
}

function testedVersion(patch: object): string | undefined {
  if (!Array.isArray(patch)) return undefined;
  const operations = patch as readonly {readonly op: string; readonly path: string; readonly value?: unknown}[];
  const test = operations.find(({op, path}) => op === 'test' && path === '/metadata/resourceVersion');
  return typeof test?.value === 'string' ? test.value : undefined;
}

function isNotFound(thrown: unknown): boolean {
  return thrown instanceof MeshError && thrown.code === 'NOT_FOUND';
}

async function isNamespaceMissing(api: KubeApi, {metadata: {namespace}}: KubeObject): Promise<boolean> {
  if (namespace === undefined) return false;
  return (await api.find({apiVersion: 'v1', kind: 'Namespace', name: namespace})) === undefined;
}

/**
 * Creating an object under an existing name is a conflict before anything else is validated. RBAC cannot restrict
 * create by name (kubernetes.io: Using RBAC Authorization, "Referring to resources"), and admission checks the same
 * content.
 */
function withDryRunName(object: KubeObject): KubeObject {
  return {...object, metadata: {...object.metadata, name: `${object.metadata.name}-dry-run`}};
}
