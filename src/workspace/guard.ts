/** Checks of paths before they are used, and before a key is written. */
import {lstat, realpath} from 'node:fs/promises';
import {isAbsolute, join, sep} from 'node:path';
import {MeshError} from '../domain/errors.js';
import {ifExists, outsideLinkError, symlinkError, throwFileError} from './fs-errors.js';

/** Whether a path is relative and stays inside its base directory. */
export function isInside(path: string): boolean {
  return path !== '' && !isAbsolute(path) && !path.split('/').some((part) => part === '..' || part === '');
}

/** The absolute path of a file in the work directory. Throws `INTERNAL` for a path outside it. */
export function resolveInside(root: string, path: string): string {
  if (isInside(path)) return join(root, path);
  throw new MeshError('INTERNAL', `${JSON.stringify(path)} is not a path in the work directory`);
}

/**
 * Throws `SYMLINK` if the file, or a directory between it and the work directory, is a symbolic link. The work
 * directory itself may be one, because the user named it.
 */
export async function refuseSymlinks(root: string, path: string): Promise<void> {
  let at = root;
  for (const part of path.split('/')) {
    at = join(at, part);
    const facts = await ifExists(lstat(at)).catch(throwFileError(at, 'write'));
    if (!facts) return;
    if (facts.isSymbolicLink()) throw symlinkError(at);
  }
}

/**
 * Throws `SYMLINK` if the file, or a directory between it and the work directory, is a symbolic link to a place outside the
 * work directory: a file from a git repository must not decide what is written elsewhere. Links within it are followed.
 */
export async function refuseLinksOut(root: string, path: string): Promise<void> {
  let at = root;
  for (const part of path.split('/')) {
    at = join(at, part);
    const facts = await ifExists(lstat(at)).catch(throwFileError(at, 'write'));
    if (!facts) return;
    if (!facts.isSymbolicLink()) continue;
    const target = await ifExists(realpath(at)).catch(throwFileError(at, 'write'));
    // The target of a broken link is created by nothing: a file replaces the link, and a directory fails.
    if (target !== undefined && !target.startsWith(`${await realpath(root)}${sep}`)) throw outsideLinkError(at, target);
  }
}
