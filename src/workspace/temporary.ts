/** Private directories outside the work directory, for sockets. */
import {createHash} from 'node:crypto';
import {lstat, mkdtemp, readdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {MeshError} from '../domain/errors.js';
import {errno, fileError} from './fs-errors.js';
import {hostIdentity, isRunning} from './identity.js';

/** Socket paths have at most 103 bytes on macOS, 107 on Linux (unix(7)); this leaves room for a file name. */
const maxParentLength = 60;

/** Its name says whose it is: process number, and a hash of the machine and process namespace that the number is of. */
const namePattern = /^km-(\d+)-([0-9a-f]{6})-[A-Za-z0-9]{6}$/;

/**
 * Makes one, 0700, with a short path, and removes those that killed runs of this user left; `remove` is fine when it is
 * gone. Throws `WORKDIR_UNWRITABLE`, `DISK_FULL`.
 */
export async function createTemporaryDirectory(): Promise<{readonly path: string; remove(): Promise<void>}> {
  const parent = tmpdir().length <= maxParentLength ? tmpdir() : '/tmp';
  const host = createHash('sha256').update(hostIdentity()).digest('hex').slice(0, 6);
  await removeLeftovers(parent, host);
  // mkdtemp(3) makes it 0700, and a umask can only take from that.
  const path = await mkdtemp(join(parent, `km-${String(process.pid)}-${host}-`)).catch((error: unknown) => {
    if (errno(error) === 'ENOSPC') throw fileError(error, parent, 'write');
    throw new MeshError('WORKDIR_UNWRITABLE', `no temporary directory can be made in ${parent}`, {
      cause: error,
      hints: ['set TMPDIR to a folder that you may write to'],
    });
  });
  return {path, remove: () => rm(path, {recursive: true, force: true})};
}

/**
 * Removes the directories whose process is dead. A process number that somebody has again keeps its directory: it is
 * removed later. No new owner can come between look and removal, since no two directories are given one name. What cannot
 * be looked at or removed is left.
 */
async function removeLeftovers(parent: string, host: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const dead = names.filter((name) => {
    const [, pid, of] = namePattern.exec(name) ?? [];
    return pid !== undefined && of === host && !isRunning(Number(pid));
  });
  await Promise.all(
    dead.map(async (name) => {
      const path = join(parent, name);
      const facts = await lstat(path).catch(() => undefined);
      // Everybody may write to /tmp: a link, or somebody else's directory of such a name, is not ours to follow.
      if (facts?.isDirectory() !== true || facts.uid !== process.getuid?.()) return;
      await rm(path, {recursive: true, force: true}).catch(() => undefined);
    }),
  );
}
