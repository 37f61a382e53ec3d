import {setTimeout} from 'node:timers/promises';
import {MeshError, asMeshError, type ErrorCode} from '../../domain/errors.js';
import {describeRef} from '../../domain/kube/paths.js';
import type {KubeObject, ObjectRef} from '../../domain/kube/object.js';
import {isKnown, observe} from '../../domain/observed.js';
import {NotSentError} from '../../domain/kube/status.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {ObjectWritten} from '../action-result.js';

/** Answers that say for certain that nothing was written. */
const definiteErrors: readonly ErrorCode[] = ['FORBIDDEN', 'UNAUTHORIZED', 'NOT_FOUND', 'CONFLICT', 'REJECTED'];

/** How often the cluster is looked at after a write whose end is not known: it may still be under way. */
const maxReads = 4;

/** Pause between two looks. Milliseconds. */
const pauseMs = 1000;

/** What the cluster shows after a write whose answer was an error or was lost. */
export type WriteState = 'written' | 'not-written' | 'changed-otherwise';

/** How to look up what became of a write. */
export interface ReadBack {
  readonly api: KubeApi;
  readonly ref: ObjectRef;
  /** `none`: a dry run stores nothing, so there is nothing to look up. */
  readonly dryRun: 'none' | 'server';
  /** Judges the object as it is now. */
  readonly judge: (now: KubeObject | undefined) => WriteState;
}

/**
 * Writes, and where it is not certain what became of it reads the cluster again before anything is reported: a lost
 * answer to a write that arrived is a success. Throws the write's error where it is certain that nothing was written,
 * `CONFLICT` when the object is neither as before nor as it should be, `WRITE_UNCERTAIN` when the cluster cannot be read
 * either, or shows nothing of the write for a while: without an answer in time (or with a 5xx) it may come later.
 */
export async function writeAndVerify<T>(look: ReadBack, write: () => Promise<T>): Promise<T | 'found-written'> {
  try {
    return await write();
  } catch (thrown) {
    const error = asMeshError(thrown);
    const lost = error.class === 'unknown' && !definiteErrors.includes(error.code) && !(error instanceof NotSentError);
    if (!lost || look.dryRun === 'server') throw error;
    const seen = await readBack(look);
    const what = describeRef(look.ref);
    if (seen === 'unknown' || seen === 'not-written') {
      throw new MeshError('WRITE_UNCERTAIN', `whether ${what} was written is not known: ${error.message}`, {
        cause: error,
        hints: ['run the command again when the cluster answers: it looks first and does only what is left'],
      });
    }
    if (seen === 'written') return 'found-written';
    throw new MeshError('CONFLICT', `${what} was changed while it was written`, {cause: error});
  }
}

/** The same for a write that answers with the object. */
export async function writeObject(look: ReadBack, write: () => Promise<KubeObject>): Promise<ObjectWritten> {
  const written = await writeAndVerify(look, write);
  if (written === 'found-written') return {foundWritten: true};
  return look.dryRun === 'server' ? {validated: true} : {resourceVersion: written.metadata.resourceVersion ?? ''};
}

/** Looks until the write shows; what the last look said otherwise. */
async function readBack(look: ReadBack): Promise<WriteState | 'unknown'> {
  for (let left = maxReads - 1; ; left--) {
    const now = await observe(() => look.api.find(look.ref));
    if (!isKnown(now)) return 'unknown';
    const seen = look.judge(now.value);
    if (seen !== 'not-written' || left === 0) return seen;
    // Not ended by an abort: what became of a write that was sent is worth these seconds.
    await setTimeout(pauseMs);
  }
}

/** Whether every value of `part` stands in `whole`: what a merge patch leaves behind. Null in `part` means absent. */
export function contains(whole: unknown, part: unknown): boolean {
  if (part === null) return whole === undefined || whole === null;
  if (typeof part !== 'object' || Array.isArray(part)) return JSON.stringify(whole) === JSON.stringify(part);
  return Object.entries(part).every(([key, value]) =>
    contains((whole as Record<string, unknown> | undefined)?.[key], value),
  );
}
