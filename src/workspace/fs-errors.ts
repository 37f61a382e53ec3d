import {defined} from '../domain/defined.js';
import {type ErrorCode, MeshError} from '../domain/errors.js';
import {advice, filePath, type Hint, inspectWith} from '../domain/suggest/suggestion.js';

/** The code of a file system error, such as `ENOENT`. */
export function errno(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** Whether something is not there. */
export function isMissing(thrown: unknown): boolean {
  return errno(thrown) === 'ENOENT';
}

/** What is there; undefined where nothing is. Everything else is thrown as it is. */
export async function ifExists<T>(work: Promise<T>, isAbsent = isMissing): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The same for what is read, where a file in a folder's place has nothing in it either. Throws {@link fileError}. */
export async function readIfExists<T>(path: string, work: Promise<T>): Promise<T | undefined> {
  const isAbsent = (error: unknown): boolean => isMissing(error) || errno(error) === 'ENOTDIR';
  return ifExists(work, isAbsent).catch(throwFileError(path, 'read'));
}

/** For `catch`: throws {@link fileError}. */
export function throwFileError(path: string, doing: 'read' | 'write'): (thrown: unknown) => never {
  return (thrown) => {
    throw fileError(thrown, path, doing);
  };
}

/** What the file system said, as an error of ours with the path in its message. Errors of ours pass unchanged. */
export function fileError(thrown: unknown, path: string, doing: 'read' | 'write'): MeshError {
  if (thrown instanceof MeshError) return thrown;
  const say = (code: ErrorCode, message: string, ...hints: readonly Hint[]): MeshError =>
    new MeshError(code, message, {cause: thrown, hints});
  const code = errno(thrown);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT': {
      const how = 'make room and run the same command again: nothing is half written';
      return say('DISK_FULL', `no space left to write ${path}`, how);
    }
    case 'ELOOP':
      return symlinkError(path, thrown);
    case 'EISDIR':
      return say('WORKDIR_CONFLICT', `${path} is a directory, a file belongs there`, 'move the directory away');
    case 'ENOTDIR':
      return say('WORKDIR_CONFLICT', `a folder on the way to ${path} is a file`, 'move that file away');
    case undefined:
      return say('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown));
    default: {
      if (doing === 'write') {
        const elsewhere = 'use a work directory that you may write to: --work-dir or WORK_DIR';
        return say('WORKDIR_UNWRITABLE', `${path} cannot be written: ${reason(code)}`, elsewhere);
      }
      const look = advice`look at it: ${inspectWith.run('ls', ['-ld', filePath(path)])}`;
      return say('WORKDIR_UNREADABLE', `${path} cannot be read: ${reason(code)}`, look);
    }
  }
}

/** `SYMLINK`: a link stands where a key is to be written. */
export function symlinkError(path: string, cause?: unknown): MeshError {
  return new MeshError(
    'SYMLINK',
    `${path} is a symbolic link: private keys are not written through links`,
    defined({cause, hints: ['replace the link by a real file or folder, or point --work-dir at where it leads']}),
  );
}

function reason(code: string): string {
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    EROFS: 'the file system is read-only',
    ENAMETOOLONG: 'the path is too long',
    EMFILE: 'too many open files',
    EIO: 'the disk reports an error',
  };
  return reasons[code] ?? code;
}
