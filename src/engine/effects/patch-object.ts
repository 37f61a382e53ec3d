import {MeshError} from '../../domain/errors.js';
import type {KubeObject} from '../../domain/kube/object.js';
import {describeRef} from '../../domain/kube/paths.js';
import type {Effect} from '../effect.js';
import {rememberInPatch} from './remember.js';
import {refuseRootKey, textsIn} from './root-key-guard.js';
import {holds, type Seen, writeObject} from './uncertain-write.js';

interface JsonPatchOperation {
  readonly op: string;
  readonly path: string;
  readonly value?: unknown;
}

/** Patches an object. A JSON patch whose test of the version fails is a `CONFLICT`. */
export const effect: Effect<'patch-object'> = async (action, {deps, settings, entry}) => {
  const patch = rememberInPatch(action, entry);
  await refuseRootKey(textsIn(action.patch), action.cluster, deps.workspace, action.title);
  const api = await deps.clusters.open(action.context);
  const dryRun = settings.dryRun === 'server' ? 'server' : 'none';
  const tested = testedVersion(patch);
  try {
    const judge = (now: KubeObject | undefined): Seen => judgePatch(now, patch, tested);
    return await writeObject({api, ref: action.ref, dryRun, judge}, () => api.patch(action.ref, patch, dryRun));
  } catch (thrown) {
    // The API server answers 422 without a word about the test that failed: the version tells.
    if (!(thrown instanceof MeshError) || thrown.code !== 'REJECTED' || tested === undefined) throw thrown;
    const now = await api.find(action.ref);
    if (now?.metadata.resourceVersion === tested) throw thrown;
    throw new MeshError('CONFLICT', `${describeRef(action.ref)} was changed by somebody else`, {cause: thrown});
  }
};

function judgePatch(now: KubeObject | undefined, patch: object, tested: string | undefined): Seen {
  if (!Array.isArray(patch)) return now && holds(now, patch) ? 'written' : 'not-written';
  if (tested === undefined) return 'changed-otherwise';
  return now?.metadata.resourceVersion === tested ? 'not-written' : 'changed-otherwise';
}

function testedVersion(patch: object): string | undefined {
  if (!Array.isArray(patch)) return undefined;
  const operations = patch as readonly JsonPatchOperation[];
  const test = operations.find(({op, path}) => op === 'test' && path === '/metadata/resourceVersion');
  return typeof test?.value === 'string' ? test.value : undefined;
}
