/**
 * Sets of files that belong together, such as a cluster's key, certificate, root and chain (docs/work-directory.md). All of them
 * are written and synced in `.pending/`, then a marker appears there by one rename: that rename is the commit. Then the
 * files move to their places. A run that is killed before the marker has changed nothing; one killed after it has
 * changed everything as soon as the next run moves what is left.
 */
import {lstat, realpath, rename, rm} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {layout} from '../domain/mesh/layout.js';
import {MeshError} from '../domain/errors.js';
import {
  type Faults,
  createSynced,
  makeDirectory,
  modeFor,
  secretMode,
  syncDirectory,
  temporarySuffix,
  writeAtomic,
} from './atomic.js';
import {errno, fileError, isMissing} from './fs-errors.js';
import {isInside} from './guard.js';
import {readRegular} from './read.js';

/** The commit marker: what moves where. Paths are relative to the directory that holds `.pending`. */
interface Marker {
  readonly version: 1;
  readonly files: readonly MarkedFile[];
}

interface MarkedFile {
  /** Its name in `.pending`. */
  readonly pending: string;
  readonly path: string;
}

/** A file of a set. */
export interface SetFile {
  /** Relative to the directory that holds `.pending`. */
  readonly path: string;
  readonly content: string;
  readonly secret: boolean;
}

const markerName = 'commit';

/** Writes a set into `directory`, all or none. What an earlier run left there is dealt with first. */
export async function commitSet(directory: string, files: readonly SetFile[], faults?: Faults): Promise<void> {
  const pending = join(directory, layout.pending);
  try {
    await makeDirectory(directory, faults);
    await recoverSet(directory, faults);
    await refuseDirectories(directory, files);
    await makeDirectory(pending, faults);
    for (const [index, file] of files.entries()) {
      const mode = await modeFor(join(directory, file.path), file.secret);
      await createSynced(join(pending, String(index)), file.content, mode, faults);
    }
    const marker: Marker = {
      version: 1,
      files: files.map(({path}, index) => ({pending: String(index), path})),
    };
    // The rename inside is the commit; it also syncs the directory, and with it the names of the files above.
    await faults?.('mark', pending);
    await writeAtomic(
      join(pending, markerName),
      `${JSON.stringify(marker)}\n`,
      0o600,
      join(pending, markerName),
      faults,
    );
  } catch (error) {
    await dropUnmarked(pending).catch(() => undefined);
    throw fileError(error, directory, 'write');
  }
  await recoverSet(directory, faults);
}

/**
 * Finishes or drops what an earlier run left in `directory`: `forward` when a marked set was moved, `dropped` when an
 * unmarked one was removed, undefined when there was nothing.
 */
export async function recoverSet(directory: string, faults?: Faults): Promise<'forward' | 'dropped' | undefined> {
  const pending = join(directory, layout.pending);
  const facts = await lstat(pending).catch((error: unknown) => {
    if (isMissing(error) || errno(error) === 'ENOTDIR') return undefined;
    throw fileError(error, pending, 'read');
  });
  if (!facts) return undefined;
  if (!facts.isDirectory()) {
    throw new MeshError('WORKDIR_CONFLICT', `${pending} is not a directory`, {hints: ['move it away']});
  }
  const marker = await readMarker(pending);
  try {
    if (marker) await moveForward(directory, marker, faults);
    await faults?.('clean', pending);
    // The marker goes first: a half-removed set without it is dropped, one with it would be looked for in vain.
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
 * Where the content of a file is right now: in a marked set that a killed run did not move yet, or in its place. Readers
 * that take no lock thus see a set whole as soon as it is committed.
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
    const facts = await lstat(from).catch((error: unknown) => {
      // Moved before the run was killed.
      if (isMissing(error)) return undefined;
      throw error;
    });
    touched.add(dirname(to));
    if (!facts) continue;
    await makeDirectory(dirname(to), faults);
    await faults?.('move', to);
    const link = facts.mode % 0o1000 === secretMode ? undefined : await linkTarget(to);
    // A declaration may live elsewhere, behind a link: the link stays. A key replaces it.
    if (link === undefined) await rename(from, to);
    else {
      await writeAtomic(link, await readRegular(from), await modeFor(link, false), to, faults);
      await rm(from);
    }
  }
  for (const folder of touched) {
    await faults?.('sync-directory', folder);
    await syncDirectory(folder);
  }
}

/** Where a symbolic link leads; undefined when the path is none, or leads nowhere. */
async function linkTarget(path: string): Promise<string | undefined> {
  const facts = await lstat(path).catch(() => undefined);
  return facts?.isSymbolicLink() === true ? realpath(path).catch(() => undefined) : undefined;
}

/** A directory in a file's place would stop the set half way, after the commit: found before it. */
async function refuseDirectories(directory: string, files: readonly SetFile[]): Promise<void> {
  for (const {path} of files) {
    const target = join(directory, path);
    const facts = await lstat(target).catch((error: unknown) => {
      if (isMissing(error)) return undefined;
      throw fileError(error, target, 'write');
    });
    if (facts?.isDirectory() === true) {
      throw new MeshError('WORKDIR_CONFLICT', `${target} is a directory, a file belongs there`, {
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
  let text: string;
  try {
    text = await readRegular(join(pending, markerName));
  } catch (error) {
    if (isMissing(error) || errno(error) === 'ENOTDIR') return undefined;
    throw fileError(error, join(pending, markerName), 'read');
  }
  const marker = parseMarker(text);
  if (marker) return marker;
  // It appears by a rename of synced bytes, so a run of ours did not leave it like this.
  throw new MeshError('WORKDIR_CONFLICT', `${join(pending, markerName)} is not a commit marker of this program`, {
    hints: [`look into ${pending}, save what you need from it, and remove it`],
  });
}

function parseMarker(text: string): Marker | undefined {
  try {
    const value = JSON.parse(text) as Partial<Marker> | null;
    if (value?.version !== 1 || !Array.isArray(value.files)) return undefined;
    const files = value.files as readonly Partial<MarkedFile>[];
    const whole = files.every(
      ({pending, path}) => /^\d+$/.test(String(pending)) && typeof path === 'string' && isInside(path),
    );
    return whole ? (value as Marker) : undefined;
  } catch {
    return undefined;
  }
}

/** Temporary names of a run that was killed between writing and renaming. */
export function isTemporaryName(name: string): boolean {
  return name.startsWith('.') && name.endsWith(temporarySuffix);
}
