/** Effects on one object of a cluster. */
import {MeshError, asMeshError} from '../../domain/errors.js';
import type {KubeObject, ObjectRef} from '../../domain/kube/object.js';
import {describeRef, refOf} from '../../domain/kube/paths.js';
import type {KubeApi, WriteDryRun} from '../../tools/kubectl/api.js';
import type {DeleteObject, PutObject, ReplaceObject} from '../action.js';
import type {ObjectDeleted, ObjectWritten} from '../action-result.js';
import type {Effect, EffectContext} from '../effect.js';
import {objectToSend, patchToSend} from './journal-head.js';
import {refuseRootKey, textsOf} from './root-key-guard.js';
import {contains, type WriteState, writeAndVerify, writeObject} from './verified-write.js';

/** Creates an object, or replaces it at the version that the plan saw. */
export const putObject: Effect<'put-object'> = async (action, context) => {
  const object = await guardedObject(action, context);
  const api = await context.deps.clusters.open(action.context);
  const dryRun = dryRunOf(context);
  try {
    return await createOrReplace(api, object, dryRun);
  } catch (thrown) {
    if (dryRun !== 'server' || !(await isNamespaceMissing(thrown, api, object))) throw thrown;
    // The API server checks nothing in a namespace that a dry run could not create.
    const reason = `namespace ${object.metadata.namespace ?? ''} does not exist yet`;
    context.line(`not checked by the API server: ${reason}`);
    return {validated: false, reason};
  }
};

/** Patches an object. A JSON patch whose test of the version fails is a `CONFLICT`. */
export const patchObject: Effect<'patch-object'> = async (action, context) => {
  const {ref} = action;
  const patch = patchToSend(action, context.entry);
  await refuseRootKey(textsOf(action.patch), action.cluster, context.deps.workspace, action.title);
  const api = await context.deps.clusters.open(action.context);
  const dryRun = dryRunOf(context);
  const tested = testedVersion(patch);
  try {
    const judge = (now: KubeObject | undefined): WriteState => judgePatch(now, patch, tested);
    return await writeObject({api, ref, dryRun, judge}, () => api.patch(ref, patch, dryRun));
  } catch (thrown) {
    // The API server answers 422 without a word about the test that failed: the version tells.
    if (!(thrown instanceof MeshError) || thrown.code !== 'REJECTED' || tested === undefined) throw thrown;
    const now = await api.find(ref);
    if (now?.metadata.resourceVersion === tested) throw thrown;
    throw new MeshError('CONFLICT', `${describeRef(ref)} was changed by somebody else`, {cause: thrown});
  }
};

/** Deletes an object if it is still the one the plan saw; one that is gone already is done. */
export const deleteObject: Effect<'delete-object'> = async (action, context) => {
  const api = await context.deps.clusters.open(action.context);
  return remove(api, action.ref, action.preconditions, dryRunOf(context));
};

/**
 * Deletes an object and creates another of that name. The API server is asked first whether it would take the new one,
 * and once the delete is on its way nothing of this process stops the create but a second Ctrl-C.
 */
export const replaceObject: Effect<'replace-object'> = async (action, context) => {
  const {deps, line} = context;
  const object = await guardedObject(action, context);
  const ref = refOf(object);
  const api = await deps.clusters.open(action.context);
  await api.create(withDryRunName(object), 'server');
  if (dryRunOf(context) === 'server') {
    line(`checked by the API server under another name: ${describeRef(ref)} is still there in a dry run`);
    await api.delete(ref, action.preconditions, 'server');
    return {validated: true};
  }
  const lasting = await api.detached();
  deps.signal.throwIfAborted();
  const deleted = await remove(lasting, ref, action.preconditions, 'none');
  try {
    return {...deleted, ...(await createOrReplace(lasting, object, 'none'))};
  } catch (thrown) {
    const error = asMeshError(thrown);
    // Somebody else created one of that name: the engine looks again.
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

/** The object as it is sent. Throws `ROOT_KEY_IN_PAYLOAD`. */
async function guardedObject(
  action: PutObject | ReplaceObject,
  {deps, entry}: Pick<EffectContext, 'deps' | 'entry'>,
): Promise<KubeObject> {
  const payload = {...textsOf(action.object), ...action.secretData};
  await refuseRootKey(payload, action.cluster, deps.workspace, action.title);
  return objectToSend(action, entry);
}

/** Creates the object, or replaces the one of its version. */
function createOrReplace(api: KubeApi, object: KubeObject, dryRun: WriteDryRun): Promise<ObjectWritten> {
  return writeObject({api, ref: refOf(object), dryRun, judge: (now) => judgeObject(now, object)}, () =>
    object.metadata.resourceVersion === undefined ? api.create(object, dryRun) : api.replace(object, dryRun),
  );
}

/** Throws `CONFLICT` when the object is another one by now. */
async function remove(
  api: KubeApi,
  ref: ObjectRef,
  preconditions: DeleteObject['preconditions'],
  dryRun: WriteDryRun,
): Promise<ObjectDeleted | undefined> {
  const {uid, resourceVersion} = preconditions;
  const judge = (now: KubeObject | undefined): WriteState => {
    if (!now || (uid !== undefined && now.metadata.uid !== uid)) return 'written';
    const same = resourceVersion === undefined || now.metadata.resourceVersion === resourceVersion;
    return same ? 'not-written' : 'changed-otherwise';
  };
  try {
    await writeAndVerify({api, ref, dryRun, judge}, () => api.delete(ref, preconditions, dryRun));
    return undefined;
  } catch (thrown) {
    if (!(thrown instanceof MeshError) || thrown.code !== 'NOT_FOUND') throw thrown;
    return {alreadyGone: true};
  }
}

/** What became of a write of a whole object. */
function judgeObject(now: KubeObject | undefined, wanted: KubeObject): WriteState {
  const {metadata, ...rest} = wanted;
  const {resourceVersion: before, ...meta} = metadata;
  if (now && contains(now, {...rest, metadata: meta}) && hasSameKeys(now.data, wanted.data)) return 'written';
  return now?.metadata.resourceVersion === before ? 'not-written' : 'changed-otherwise';
}

/** A Secret that still has foreign keys was not replaced. */
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

async function isNamespaceMissing(thrown: unknown, api: KubeApi, object: KubeObject): Promise<boolean> {
  const {namespace} = object.metadata;
  if (!(thrown instanceof MeshError) || thrown.code !== 'NOT_FOUND' || namespace === undefined) return false;
  return (await api.find({apiVersion: 'v1', kind: 'Namespace', name: namespace})) === undefined;
}

/**
 * A create under a name that exists is a conflict before anything else is looked at. Rights to create know no names
 * (kubernetes.io: Using RBAC Authorization, "Referring to resources"), and admission sees the same content.
 */
function withDryRunName(object: KubeObject): KubeObject {
  return {...object, metadata: {...object.metadata, name: `${object.metadata.name}-dry-run`}};
}
