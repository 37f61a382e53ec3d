/**
 * Files that are there whole or not at all: written under another name in the same directory, synced, renamed, and the
 * directory synced. Modes are set explicitly, whatever the umask.
 */
import {constants} from 'node:fs';
import {chmod, lstat, mkdir, open, rename, unlink} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import type {FileContent} from './workspace.js';
import {Sensitive} from '../domain/sensitive.js';
import {errno, ifExists, throwFileError} from './fs-errors.js';

/**
 * Called before each step that a crash or a full disk could interrupt, with the step's name and the path. Tests throw
 * from it, or kill the process; nobody else passes one.
 */
export type Faults = (point: string, path: string) => void | Promise<void>;

type Content = FileContent['content'];

/** Keys: nobody but their owner. */
export const secretMode = 0o600;
const publicMode = 0o644;
/** Directories we make hold keys now or later. */
const directoryMode = 0o700;

/** What an unfinished file is called. One writer holds the lock, so one name is enough, and the next run finds it. */
export const temporarySuffix = '.kubectl-mesh-tmp';

/** The mode a file is to have: 0600 for keys; else what it has now, or 0644. */
export async function modeFor(path: string, content: Content): Promise<number> {
  if (content instanceof Sensitive) return secretMode;
  const facts = await lstat(path).catch(() => undefined);
  return facts?.isFile() ? facts.mode & 0o777 : publicMode;
}

/** Makes a file under a new name, whole and synced, with this mode. Never follows or reuses what stands there. */
export async function createSynced(path: string, content: Content, mode: number, faults?: Faults): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  await faults?.('create', path);
  const file = await open(path, flags, secretMode).catch(async (error: unknown) => {
    // Left behind by a run that was killed.
    if (errno(error) !== 'EEXIST') throw error;
    await unlink(path);
    return open(path, flags, secretMode);
  });
  try {
    await faults?.('write', path);
    await file.writeFile(content instanceof Sensitive ? content.reveal() : content, 'utf8');
    await file.chmod(mode);
    await faults?.('sync', path);
    await file.sync();
  } finally {
    await file.close();
  }
}

/** Replaces a file, all or nothing. Throws a MeshError that names `shown`, and leaves no temporary file. */
export async function writeAtomic(
  path: string,
  content: Content,
  shown: string,
  faults?: Faults,
  mode?: number,
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}${temporarySuffix}`);
  await replaceFile(path, temporary, content, faults, mode).catch(throwFileError(shown, 'write'));
}

/** The same by way of a temporary file of that name. Throws errors of the file system. */
export async function replaceFile(
  path: string,
  temporary: string,
  content: Content,
  faults?: Faults,
  mode?: number,
): Promise<void> {
  try {
    await createSynced(temporary, content, mode ?? (await modeFor(path, content)), faults);
    await faults?.('rename', path);
    await rename(temporary, path);
    await faults?.('sync-directory', dirname(path));
    await syncDirectory(dirname(path));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** Makes a directory's names durable. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } catch (error) {
    // Some file systems (FUSE, SMB) cannot sync directories; they have nothing better to offer.
    if (errno(error) !== 'EINVAL' && errno(error) !== 'ENOTSUP') throw error;
  } finally {
    await directory.close();
  }
}

/** Makes a directory and its parents where they are missing, 0700; what is there stays as it is. */
export async function makeDirectory(path: string, faults?: Faults): Promise<void> {
  if (await ifExists(lstat(path))) return;
  await makeDirectory(dirname(path), faults);
  await faults?.('make-directory', path);
  try {
    await mkdir(path, {mode: directoryMode});
  } catch (error) {
    // Somebody else was faster: another cluster of the same run, or another program.
    if (errno(error) === 'EEXIST') return;
    throw error;
  }
  // mkdir is subject to the umask; without search permission we could not even write into it.
  await chmod(path, directoryMode);
  await syncDirectory(dirname(path));
}
