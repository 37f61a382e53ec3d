import {setTimeout} from 'node:timers/promises';
import {MeshError, asMeshError, type ErrorCode} from '../../domain/errors.js';
import {describeRef} from '../../domain/kube/paths.js';
import type {KubeObject, ObjectRef} from '../../domain/kube/object.js';
import {isKnown, observe} from '../../domain/observed.js';
import {NotSentError} from '../../domain/kube/status.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {ObjectWritten} from '../action-result.js';

/** Errors after which it is certain that nothing was written. */
const definiteErrors: readonly ErrorCode[] = ['FORBIDDEN', 'UNAUTHORIZED', 'NOT_FOUND', 'CONFLICT', 'REJECTED'];

/** How often the object is read back after a write with an unknown result: the write may still be in progress. */
const maxReads = 4;

/** Pause between two reads. Milliseconds. */
const pauseMs = 1000;

/** The state of an object after a write whose response was an error or was lost. */
export type WriteState = 'written' | 'not-written' | 'changed-otherwise';

/** How to read an object back and determine whether a write took effect. */
export interface ReadBack {
  readonly api: KubeApi;
  readonly ref: ObjectRef;
  /** After `server` nothing is read back, because a dry run stores nothing. */
  readonly dryRun: 'none' | 'server';
  /** Determines the state from the current object. */
  readonly judge: (now: KubeObject | undefined) => WriteState;
}

/**
 * Writes an object and, if the result is uncertain, reads it back: a write that arrived is a success even if its
 * response was lost. Throws the write's error if nothing was written for certain, `CONFLICT` if the object is neither
 * unchanged nor as written, and `WRITE_UNCERTAIN` if it cannot be read back or stays unchanged: after a timeout or a
 * 5xx the write may still take effect.
 */
export async function writeAndVerify<T>(target: ReadBack, write: () => Promise<T>): Promise<T | 'found-written'> {
  try {
    return await write();
  } catch (thrown) {
    const error = asMeshError(thrown);
    const isLost =
      error.class === 'unknown' && !definiteErrors.includes(error.code) && !(error instanceof NotSentError);
    if (!isLost || target.dryRun === 'server') throw error;
    const state = await readBack(target);
    const what = describeRef(target.ref);
    if (state === 'unknown' || state === 'not-written') {
      throw new MeshError('WRITE_UNCERTAIN', `cannot determine whether ${what} was written: ${error.message}`, {
        cause: error,
        hints: ['run the command again when the cluster responds: it does only what remains to be done'],
      });
    }
    if (state === 'written') return 'found-written';
    throw new MeshError('CONFLICT', `${what} was changed during the write`, {cause: error});
  }
}

/** The same for a write that returns the object. */
export async function writeObject(target: ReadBack, write: () => Promise<KubeObject>): Promise<ObjectWritten> {
  const written = await writeAndVerify(target, write);
  if (written === 'found-written') return {foundWritten: true};
  return target.dryRun === 'server' ? {validated: true} : {resourceVersion: written.metadata.resourceVersion ?? ''};
}

/** Reads the object until it shows the write; otherwise returns the last state. */
async function readBack({api, ref, judge}: ReadBack): Promise<WriteState | 'unknown'> {
  for (let left = maxReads - 1; ; left--) {
    const now = await observe(() => api.find(ref));
    if (!isKnown(now)) return 'unknown';
    const state = judge(now.value);
    if (state !== 'not-written' || left === 0) return state;
    // An abort does not end this wait: the result of a sent write is worth these seconds.
    await setTimeout(pauseMs);
  }
}

/** Whether `whole` contains every value of `part`, as after a merge patch. Null in `part` means absent. */
export function contains(whole: unknown, part: unknown): boolean {
  if (part === null) return whole === undefined || whole === null;
  if (typeof part !== 'object' || Array.isArray(part)) return JSON.stringify(whole) === JSON.stringify(part);
  return Object.entries(part).every(([key, value]) =>
    contains((whole as Record<string, unknown> | undefined)?.[key], value),
  );
}
