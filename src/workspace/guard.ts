/** Checks of paths before they are used, and before a key is written. */
import {lstat, realpath} from 'node:fs/promises';
import {basename, dirname, isAbsolute, join, relative} from 'node:path';
import {MeshError} from '../domain/errors.js';
import {isLayoutPath} from '../domain/mesh/layout.js';
import {ifExists, linkError, symlinkError, throwFileError} from './fs-errors.js';

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
 * Throws `SYMLINK` if a symbolic link leads from the path to a place outside the work directory, to git's own files, to a key
 * or to another file of the layout: a link from a git repository must not decide which file is written, removed or shown.
 * Other links are followed. `isFollowed`: whether the last part of the path is followed, too; unlink(2) does not.
 */
export async function refuseLinksOut(root: string, path: string, isFollowed = true): Promise<void> {
  const parts = path.split('/');
  let link: string | undefined;
  let at = root;
  for (const part of isFollowed ? parts : parts.slice(0, -1)) {
    at = join(at, part);
    const facts = await ifExists(lstat(at)).catch(throwFileError(at, 'write'));
    if (!facts) break;
    if (facts.isSymbolicLink()) link ??= at;
  }
  if (link === undefined) return;
  const full = join(root, path);
  const place = await (isFollowed
    ? placeOf(full)
    : placeOf(dirname(full)).then((parent) => join(parent, basename(full))));
  const inside = relative(await realpath(root), place);
  if (inside === path) return;
  if (!isInside(inside)) throw linkError(link, place, 'it leads out of the work directory');
  const isReserved = isLayoutPath(inside) || /(?:^|\/)\.git(?:\/|$)|key\.pem$|\.key$/i.test(inside);
  if (isReserved) throw linkError(link, place, 'it leads to another file of the work directory');
}

/**
 * The path without links. The target of a broken link is created by nothing: a file replaces the link, and a directory
 * fails.
 */
async function placeOf(path: string): Promise<string> {
  const real = await ifExists(realpath(path)).catch(throwFileError(path, 'write'));
  return real ?? join(await placeOf(dirname(path)), basename(path));
}

/** Whether a path is a directory or in it, after following links. Paths that do not exist are compared as they are. */
export async function isBelow(path: string, directory: string): Promise<boolean> {
  const [inner, outer] = await Promise.all([path, directory].map((one) => realpath(one).catch(() => one)));
  return inner === outer || (inner ?? '').startsWith(`${outer ?? ''}/`);
}
