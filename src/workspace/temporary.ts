/** Private directories and files outside the work directory, for sockets and for documents that other programs read. */
import {createHash} from 'node:crypto';
import {lstat, mkdtemp, readdir, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {basename, join} from 'node:path';
import {MeshError} from '../domain/errors.js';
import {createFile, secretMode} from './atomic.js';
import {errno, fileError} from './fs-errors.js';
import {hostIdentity, isRunning} from './identity.js';

/** Socket paths have at most 103 bytes on macOS, 107 on Linux (unix(7)); this leaves room for a file name. */
const maxParentLength = 60;

/** The name identifies the owner: the process ID, and a hash of the machine and PID namespace of that ID. */
const namePattern = /^km-(\d+)-([0-9a-f]{6})-[A-Za-z0-9]{6}$/;

/**
 * Creates a directory with mode 0700 and a short path, and removes those that this user's killed runs left; `remove`
 * ignores a missing directory. Throws `WORKDIR_UNWRITABLE`, `DISK_FULL`.
 */
export async function createTemporaryDirectory(): Promise<{readonly path: string; remove(): Promise<void>}> {
  const parent = tmpdir().length <= maxParentLength ? tmpdir() : '/tmp';
  const host = createHash('sha256').update(hostIdentity()).digest('hex').slice(0, 6);
  await removeLeftovers(parent, host);
  // mkdtemp(3) uses mode 0700, from which a umask can only remove bits.
  const path = await mkdtemp(join(parent, `km-${String(process.pid)}-${host}-`)).catch((error: unknown) => {
    if (errno(error) === 'ENOSPC') throw fileError(error, parent, 'write');
    throw new MeshError('WORKDIR_UNWRITABLE', `cannot create a temporary directory in ${parent}`, {
      cause: error,
      hints: ['set TMPDIR to a writable directory'],
    });
  });
  return {path, remove: () => rm(path, {recursive: true, force: true})};
}

/** Writes a file with mode 0600 in a directory of its own; `remove` removes both. Throws what the directory's creation throws. */
export async function createPrivateFile(
  name: string,
  content: string,
): Promise<{readonly path: string; remove(): Promise<void>}> {
  const directory = await createTemporaryDirectory();
  const path = join(directory.path, name);
  try {
    await createFile(path, content, secretMode, {isSynced: false});
  } catch (error) {
    await directory.remove();
    throw fileError(error, path, 'write');
  }
  return {path, remove: () => directory.remove()};
}

/**
 * Removes the directories whose process is dead. If the process ID was reused, the directory is removed later.
 * Directory names are unique, so no new owner can appear between check and removal. Directories that cannot be read or
 * removed are left.
 */
async function removeLeftovers(parent: string, host: string): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  const dead = names.filter((name) => {
    const [, pid, of] = namePattern.exec(name) ?? [];
    return pid !== undefined && of === host && !isRunning(Number(pid));
  });
  await Promise.all(dead.map((name) => removeTemporaryDirectory(join(parent, name))));
}

/** Removes a directory that {@link createTemporaryDirectory} created. Ignores any other, and one that cannot be removed. */
export async function removeTemporaryDirectory(path: string): Promise<void> {
  if (!namePattern.test(basename(path))) return;
  const facts = await lstat(path).catch(() => undefined);
  // /tmp is world-writable: never follow a link, or another user's directory with such a name.
  if (facts?.isDirectory() !== true || facts.uid !== process.getuid?.()) return;
  await rm(path, {recursive: true, force: true}).catch(() => undefined);
}
