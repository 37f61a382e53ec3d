import {defined} from '../domain/defined.js';
import {type ErrorCode, MeshError} from '../domain/errors.js';
import {advice, filePath, type Hint, inspectWith} from '../domain/suggest/suggestion.js';

/** The code of a file system error, such as `ENOENT`. */
export function errno(thrown: unknown): string | undefined {
  return thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : undefined;
}

/** Whether the error means that a path does not exist. */
export function isMissing(thrown: unknown): boolean {
  return errno(thrown) === 'ENOENT';
}

/** Returns the result, or undefined if the path does not exist. Rethrows all other errors. */
export async function ifExists<T>(work: Promise<T>, isAbsent = isMissing): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw error;
  }
}

/** The same for reading; a file in a directory's place also counts as absent. Throws {@link fileError}. */
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

/** Converts a file system error to a MeshError with the path in its message. Returns a MeshError unchanged. */
export function fileError(thrown: unknown, path: string, doing: 'read' | 'write'): MeshError {
  if (thrown instanceof MeshError) return thrown;
  const failed = (code: ErrorCode, message: string, ...hints: readonly Hint[]): MeshError =>
    new MeshError(code, message, {cause: thrown, hints});
  const code = errno(thrown);
  switch (code) {
    case 'ENOSPC':
    case 'EDQUOT': {
      const hint = 'free up disk space and run the command again: no file was partially written';
      return failed('DISK_FULL', `no space left to write ${path}`, hint);
    }
    case 'ELOOP':
      return symlinkError(path, thrown);
    case 'EISDIR':
      return failed('WORKDIR_CONFLICT', `${path} is a directory, but must be a file`, 'move the directory away');
    case 'ENOTDIR':
      return failed('WORKDIR_CONFLICT', `a parent directory of ${path} is a file`, 'move that file away');
    case undefined:
      return failed('INTERNAL', thrown instanceof Error ? thrown.message : String(thrown));
    default: {
      if (doing === 'write') {
        const hint = 'use a writable work directory: --work-dir or WORK_DIR';
        return failed('WORKDIR_UNWRITABLE', `cannot write ${path}: ${reason(code)}`, hint);
      }
      const hint = advice`check it: ${inspectWith.run('ls', ['-ld', filePath(path)])}`;
      return failed('WORKDIR_UNREADABLE', `cannot read ${path}: ${reason(code)}`, hint);
    }
  }
}

/** `SYMLINK`: the path where a key would be written is a symbolic link. */
export function symlinkError(path: string, cause?: unknown): MeshError {
  return new MeshError(
    'SYMLINK',
    `${path} is a symbolic link: private keys are not written through links`,
    defined({cause, hints: ['replace the link with a regular file or directory, or set --work-dir to its target']}),
  );
}

/** `SYMLINK`: a link leads to a place where this program must not write. */
export function linkError(path: string, target: string, why: string): MeshError {
  return new MeshError('SYMLINK', `${path} is a symbolic link to ${target}: it was not used, because ${why}`, {
    hints: ['replace the link with a regular file or directory'],
  });
}

function reason(code: string): string {
  const reasons: Readonly<Record<string, string>> = {
    EACCES: 'permission denied',
    EPERM: 'not permitted',
    EROFS: 'the file system is read-only',
    ENAMETOOLONG: 'the path is too long',
    EMFILE: 'too many open files',
    EIO: 'I/O error',
  };
  return reasons[code] ?? code;
}
