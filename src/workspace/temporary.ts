/** Private directories outside the work directory, for sockets. */
import {mkdtemp, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {MeshError} from '../domain/errors.js';
import {errno, fileError} from './fs-errors.js';

/** A directory only this user can enter. */
export interface TemporaryDirectory {
  readonly path: string;
  /** Removes it and what is in it; fine when it is gone. */
  remove(): Promise<void>;
}

/** Socket paths have at most 103 bytes on macOS, 107 on Linux (unix(7)); this leaves room for a file name. */
const longestParent = 60;

/** Makes one, 0700, with a short path. Throws `WORKDIR_UNWRITABLE`, `DISK_FULL`. */
export async function createTemporaryDirectory(): Promise<TemporaryDirectory> {
  const parent = tmpdir().length <= longestParent ? tmpdir() : '/tmp';
  // mkdtemp(3) makes it 0700, and a umask can only take from that.
  const path = await mkdtemp(join(parent, 'km-')).catch((error: unknown) => {
    if (errno(error) === 'ENOSPC') throw fileError(error, parent, 'write');
    throw new MeshError('WORKDIR_UNWRITABLE', `no temporary directory can be made in ${parent}`, {
      cause: error,
      hints: ['set TMPDIR to a folder that you may write to'],
    });
  });
  return {
    path,
    remove: () => rm(path, {recursive: true, force: true}),
  };
}
