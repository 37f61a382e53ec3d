/**
 * Writes sets of files atomically, such as a cluster's key, certificate, root and chain (docs/work-directory.md). The
 * files are written and synced in `.pending/`; then renaming a marker into that directory commits the set, and the
 * files move to their places. A run that is killed before the commit has changed nothing; after a run that is killed
 * later, the next run moves the remaining files.
 */
import {lstat, realpath, rename, rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {layout} from '../domain/mesh/layout.js';
import {MeshError} from '../domain/errors.js';
import {type Faults, createSynced, makeDirectory, modeFor, secretMode, syncDirectory, writeAtomic} from './atomic.js';
import {fileError, ifExists, readIfExists, throwFileError} from './fs-errors.js';
import {isInside} from './guard.js';
import {parseJsonFile, readRegular} from './read.js';
import type {FileContent} from './workspace.js';

/** The commit marker: the files and their destinations. Paths are relative to the directory that contains `.pending`. */
interface Marker {
  readonly version: 1;
  readonly files: readonly MarkedFile[];
}

interface MarkedFile {
  /** Its name in `.pending`. */
  readonly pending: string;
  readonly path: string;
}

const markerName = 'commit';

/**
 * Writes a set into `directory`, all or none; paths are relative to it. First recovers what an earlier run left there.
 */
export async function commitSet(directory: string, files: readonly FileContent[], faults?: Faults): Promise<void> {
  const pending = join(directory, layout.pending);
  try {
    await makeDirectory(directory, faults);
    await recoverSet(directory, faults);
    await refuseDirectories(directory, files);
    await makeDirectory(pending, faults);
    for (const [index, {path, content}] of files.entries()) {
      const mode = await modeFor(join(directory, path), content);
      await createSynced(join(pending, String(index)), content, mode, faults);
    }
    const marker: Marker = {version: 1, files: files.map(({path}, index) => ({pending: String(index), path}))};
    // The rename in writeAtomic is the commit; it also syncs the directory, and with it the entries of the files above.
    await faults?.('mark', pending);
    const markerPath = join(pending, markerName);
    await writeAtomic(markerPath, `${JSON.stringify(marker)}\n`, markerPath, faults, secretMode);
  } catch (error) {
    await dropUnmarked(pending).catch(() => undefined);
    throw fileError(error, directory, 'write');
  }
  await recoverSet(directory, faults);
}

/**
 * Completes or discards what an earlier run left in `directory`. Returns `forward` if a committed set was moved,
 * `dropped` if an uncommitted one was removed, undefined if there was nothing.
 */
export async function recoverSet(directory: string, faults?: Faults): Promise<'forward' | 'dropped' | undefined> {
  const pending = join(directory, layout.pending);
  const facts = await readIfExists(pending, lstat(pending));
  if (!facts) return undefined;
  if (!facts.isDirectory()) {
    throw new MeshError('WORKDIR_CONFLICT', `${pending} is not a directory`, {hints: ['move it away']});
  }
  const marker = await readMarker(pending);
  try {
    if (marker) await moveForward(directory, marker, faults);
    await faults?.('clean', pending);
    // The marker is removed first: without it, a partly removed set is discarded; with it, its files would be missed.
    await rm(join(pending, markerName), {force: true});
    await syncDirectory(pending);
    await faults?.('remove', pending);
    await rm(pending, {recursive: true, force: true});
    await syncDirectory(directory);
  } catch (error) {
    throw fileError(error, directory, 'write');
  }
  return marker ? 'forward' : 'dropped';
}

/**
 * Returns the pending path of a file in a committed set that a killed run has not moved yet; otherwise undefined.
 * Readers without the lock thus see a complete set as soon as it is committed.
 */
export async function committedPath(directory: string, path: string): Promise<string | undefined> {
  const pending = join(directory, layout.pending);
  const marker = await readMarker(pending);
  const marked = marker?.files.find((file) => file.path === path);
  return marked && join(pending, marked.pending);
}

async function moveForward(directory: string, {files}: Marker, faults?: Faults): Promise<void> {
  const touched = new Set<string>();
  for (const {pending, path} of files) {
    const from = join(directory, layout.pending, pending);
    const to = join(directory, path);
    const facts = await ifExists(lstat(from));
    touched.add(dirname(to));
    // Already moved before the run was killed.
    if (!facts) continue;
    await makeDirectory(dirname(to), faults);
    await faults?.('move', to);
    const link = facts.mode % 0o1000 === secretMode ? undefined : await linkTarget(to);
    // A declaration may be a symbolic link to another place: the link is kept. A key replaces the link.
    if (link === undefined) await rename(from, to);
    else {
      await writeAtomic(link, await readRegular(from), to, faults);
      await rm(from);
    }
  }
  for (const path of touched) {
    await faults?.('sync-directory', path);
    await syncDirectory(path);
  }
}

/** The target of a symbolic link; undefined if the path is not a link, or the link is broken. */
async function linkTarget(path: string): Promise<string | undefined> {
  const facts = await lstat(path).catch(() => undefined);
  return facts?.isSymbolicLink() === true ? realpath(path).catch(() => undefined) : undefined;
}

/** Refuses a directory in a file's place before the commit, because it would stop the moves half way after it. */
async function refuseDirectories(directory: string, files: readonly FileContent[]): Promise<void> {
  for (const {path} of files) {
    const target = join(directory, path);
    const facts = await ifExists(lstat(target)).catch(throwFileError(target, 'write'));
    if (facts?.isDirectory() === true) {
      throw new MeshError('WORKDIR_CONFLICT', `${target} is a directory, but must be a file`, {
        hints: ['move the directory away'],
      });
    }
  }
}

async function dropUnmarked(pending: string): Promise<void> {
  if (await readMarker(pending)) return;
  await rm(pending, {recursive: true, force: true});
}

async function readMarker(pending: string): Promise<Marker | undefined> {
  const path = join(pending, markerName);
  const text = await readIfExists(path, readRegular(path));
  if (text === undefined) return undefined;
  const isMarked = ({pending: name, path: to}: Partial<MarkedFile>): boolean =>
    /^\d+$/.test(String(name)) && typeof to === 'string' && isInside(to);
  const marker = parseJsonFile<Marker>(
    text,
    ({version, files}) => version === 1 && Array.isArray(files) && (files as Partial<MarkedFile>[]).every(isMarked),
  );
  if (marker) return marker;
  // The marker is created by renaming a synced file, so no run of this program left it in this state.
  throw new MeshError('WORKDIR_CONFLICT', `${path} is not a commit marker of this program`, {
    hints: [`check ${pending}, save the files that you need, and remove it`],
  });
}
