/**
 * Atomic writes: a file is written under a temporary name in the same directory, synced and renamed, and the directory
 * is synced. Modes are set explicitly, regardless of the umask.
 */
import {constants} from 'node:fs';
import {chmod, lstat, mkdir, open, rename, unlink} from 'node:fs/promises';
import {basename, dirname, join} from 'node:path';
import type {FileContent} from './workspace.js';
import {Sensitive} from '../domain/sensitive.js';
import {errno, ifExists, throwFileError} from './fs-errors.js';

/**
 * Called before each step that a crash or a full disk could interrupt, with the step's name and the path. For tests
 * only, which throw from it or kill the process.
 */
export type Faults = (point: string, path: string) => void | Promise<void>;

type Content = FileContent['content'];

/** For keys: readable only by the owner. */
export const secretMode = 0o600;
const publicMode = 0o644;
/** For new directories, which may contain keys. */
const directoryMode = 0o700;

/** The suffix of unfinished files. Only the lock's holder writes, so one name is enough, and the next run finds it. */
export const temporarySuffix = '.kubectl-mesh-tmp';

/** Returns the mode for a file: 0600 for keys, otherwise its current mode, or 0644. */
export async function modeFor(path: string, content: Content): Promise<number> {
  if (content instanceof Sensitive) return secretMode;
  const facts = await lstat(path).catch(() => undefined);
  return facts?.isFile() ? facts.mode & 0o777 : publicMode;
}

/** How a file is written. */
export interface WriteOptions {
  readonly faults?: Faults | undefined;
  /** Default: {@link modeFor}. */
  readonly mode?: number | undefined;
  /** Default: true. Without it, a crash may leave the old content, or no file. */
  readonly isSynced?: boolean;
}

/** Creates a complete file with this mode. Never follows or reuses an existing file. */
export async function createFile(
  path: string,
  content: Content,
  mode: number,
  {faults, isSynced = true}: WriteOptions = {},
): Promise<void> {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  await faults?.('create', path);
  const file = await open(path, flags, secretMode).catch(async (error: unknown) => {
    // Left behind by a killed run.
    if (errno(error) !== 'EEXIST') throw error;
    await unlink(path);
    return open(path, flags, secretMode);
  });
  try {
    await faults?.('write', path);
    await file.writeFile(content instanceof Sensitive ? content.reveal() : content, 'utf8');
    await file.chmod(mode);
    await faults?.('sync', path);
    if (isSynced) await file.sync();
  } finally {
    await file.close();
  }
}

/** Replaces a file atomically. Throws a MeshError that names `shown`, and leaves no temporary file. */
export async function writeAtomic(
  path: string,
  content: Content,
  shown: string,
  options: WriteOptions = {},
): Promise<void> {
  const temporary = join(dirname(path), `.${basename(path)}${temporarySuffix}`);
  await replaceFile(path, temporary, content, options).catch(throwFileError(shown, 'write'));
}

/** The same with a given temporary file. Throws errors of the file system. */
export async function replaceFile(
  path: string,
  temporary: string,
  content: Content,
  options: WriteOptions = {},
): Promise<void> {
  const {faults, mode, isSynced = true} = options;
  try {
    await createFile(temporary, content, mode ?? (await modeFor(path, content)), options);
    await faults?.('rename', path);
    await rename(temporary, path);
    await faults?.('sync-directory', dirname(path));
    if (isSynced) await syncDirectory(dirname(path));
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw error;
  }
}

/** Syncs the entries of a directory. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await directory.sync();
  } catch (error) {
    // Some file systems (FUSE, SMB) cannot sync directories, and offer no alternative.
    if (errno(error) !== 'EINVAL' && errno(error) !== 'ENOTSUP') throw error;
  } finally {
    await directory.close();
  }
}

/** Creates a directory and its missing parents with mode 0700; existing ones are not changed. */
export async function makeDirectory(path: string, faults?: Faults): Promise<void> {
  if (await ifExists(lstat(path))) return;
  await makeDirectory(dirname(path), faults);
  await faults?.('make-directory', path);
  try {
    await mkdir(path, {mode: directoryMode});
  } catch (error) {
    // Created concurrently, by another lane of this run or by another program.
    if (errno(error) === 'EEXIST') return;
    throw error;
  }
  // mkdir applies the umask; without search permission this process could not write into the directory.
  await chmod(path, directoryMode);
  await syncDirectory(dirname(path));
}
