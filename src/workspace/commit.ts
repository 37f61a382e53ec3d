/**
 * Writes sets of files atomically, such as a cluster's key, certificate, root and chain (docs/work-directory.md). The set
 * is recorded in the journal; its files are written and synced in `.pending/`; then renaming a marker into that directory
 * commits the set, and the files move to their places. A run that is killed before the commit has changed nothing; after
 * a run that is killed later, the next run moves the remaining files.
 *
 * A `.pending` that the journal of this copy does not record, or whose content differs from the record, may come from
 * anyone: it is never moved, deleted or read.
 */
import {link, lstat, readdir, realpath, rename, rm, unlink} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {defined} from '../domain/defined.js';
import {MeshError} from '../domain/errors.js';
import {sha256Hex} from '../domain/keys/keys.js';
import {layout} from '../domain/mesh/layout.js';
import type {FileSet} from '../domain/journal/file-sets.js';
import {Sensitive} from '../domain/sensitive.js';
import {
  type Faults,
  createFile,
  makeDirectory,
  modeFor,
  secretMode,
  syncDirectory,
  temporarySuffix,
  writeAtomic,
} from './atomic.js';
import {errno, fileError, ifExists, readIfExists, throwFileError} from './fs-errors.js';
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
  /** Whether it must not replace a file. */
  readonly isNew?: boolean;
}

const markerName = 'commit';

/** The journal's part in writing a directory's sets. */
export interface SetRecord {
  /** Records a set before any of its files is written. */
  record(files: FileSet['files']): Promise<void>;
  /** Returns the files, and their hashes, of the set that this copy recorded last and that may not be in its place. */
  read(): Promise<FileSet['files'] | undefined>;
  /** Records that the set was completed or discarded. */
  recovered(result: 'completed' | 'discarded'): Promise<void>;
  /** Throws `SYMLINK` if a link leads from a file's path to another place, for a key if there is any link. */
  checkLinks(path: string, isKey: boolean): Promise<void>;
}

/** Writes a set into `directory`, all or none; paths are relative to it. First recovers what an earlier run left there. */
export async function commitSet(
  directory: string,
  files: readonly FileContent[],
  record: SetRecord,
  faults?: Faults,
): Promise<void> {
  const pending = join(directory, layout.pending);
  await makeDirectory(directory, faults).catch(throwFileError(directory, 'write'));
  await recoverSet(directory, record, faults);
  await refuseExisting(directory, files);
  const recorded = Object.fromEntries(files.map(({path, content}) => [path, sha256Hex(textOf(content))]));
  await record.record(recorded);
  try {
    await makeDirectory(pending, faults);
    for (const [index, {path, content}] of files.entries()) {
      const mode = await modeFor(join(directory, path), content);
      await createFile(join(pending, String(index)), content, mode, {faults});
    }
    const marked = files.map(({path, isNew}, index) => ({pending: String(index), path, ...(isNew && {isNew})}));
    const marker: Marker = {version: 1, files: marked};
    // The rename in writeAtomic is the commit; it also syncs the directory, and with it the entries of the files above.
    await faults?.('mark', pending);
    const markerPath = join(pending, markerName);
    await writeAtomic(markerPath, `${JSON.stringify(marker)}\n`, markerPath, {faults, mode: secretMode});
  } catch (error) {
    await dropUnmarked(pending).catch(() => undefined);
    throw fileError(error, directory, 'write');
  }
  await completeSet(directory, {...record, read: () => Promise.resolve(recorded)}, faults);
}

/**
 * Completes or discards what an earlier run of this copy left in `directory`, and records that. Returns undefined if
 * there was nothing. Throws `WORKDIR_CONFLICT` for a `.pending` of other origin, and changes nothing then.
 */
export async function recoverSet(
  directory: string,
  record: SetRecord,
  faults?: Faults,
): Promise<'completed' | 'discarded' | undefined> {
  const result = await completeSet(directory, record, faults);
  if (result) await record.recovered(result);
  return result;
}

async function completeSet(
  directory: string,
  record: SetRecord,
  faults?: Faults,
): Promise<'completed' | 'discarded' | undefined> {
  const pending = join(directory, layout.pending);
  const facts = await readIfExists(pending, lstat(pending));
  if (!facts) return undefined;
  if (!facts.isDirectory()) throw foreignError(pending, 'is not a directory');
  const marker = await requireOwn(pending, await record.read());
  try {
    if (marker) {
      await requireNoLinks(pending, marker, record);
      await moveForward(directory, marker, faults);
    }
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
  return marker ? 'completed' : 'discarded';
}

/**
 * Returns the pending path of a file in a committed set of this copy that a killed run has not moved yet; otherwise
 * undefined. Readers without the lock thus see a complete set as soon as it is committed.
 */
export async function committedPath(
  directory: string,
  path: string,
  record: Pick<SetRecord, 'read'>,
): Promise<string | undefined> {
  const pending = join(directory, layout.pending);
  if (!(await ifExists(lstat(join(pending, markerName))).catch(() => undefined))) return undefined;
  const marker = await requireOwn(pending, await record.read()).catch(() => undefined);
  const marked = marker?.files.find((file) => file.path === path);
  return marked && join(pending, marked.pending);
}

/**
 * Returns the marker of a recorded set; undefined for one that was not committed. Throws `WORKDIR_CONFLICT` for any other: each
 * file must have its recorded content, be moved already, or, before the commit, still be empty.
 */
async function requireOwn(pending: string, recorded: FileSet['files'] | undefined): Promise<Marker | undefined> {
  if (!recorded) throw foreignError(pending, 'was not left by a run of this copy of the work directory');
  const paths = Object.keys(recorded);
  const known = [markerName, `.${markerName}${temporarySuffix}`, ...paths.map((_, index) => String(index))];
  const entries = await readdir(pending, {withFileTypes: true});
  for (const entry of entries) {
    if (!known.includes(entry.name) || !entry.isFile()) throw foreignError(pending, `contains ${entry.name}`);
  }
  const marker = await readMarker(pending);
  const {files = []} = marker ?? {};
  const expected = new Map(files.map(({pending: name, path}) => [name, recorded[path]]));
  const isComplete = files.length === paths.length && new Set(files.map(({path}) => path)).size === paths.length;
  let isRecorded = !marker || (isComplete && files.every(({path}) => Object.hasOwn(recorded, path)));
  for (const {name} of entries.filter((entry) => /^\d+$/.test(entry.name))) {
    const text = await readRegular(join(pending, name));
    const hash = sha256Hex(text);
    isRecorded &&= marker ? hash === expected.get(name) : text === '' || Object.values(recorded).includes(hash);
  }
  if (!isRecorded) throw foreignError(pending, 'differs from the set in the journal');
  return marker;
}

/** Refuses links that were created after the set was written: the files of a killed run are moved by a later one. */
async function requireNoLinks(pending: string, {files}: Marker, record: SetRecord): Promise<void> {
  for (const {pending: name, path} of files) {
    const facts = await ifExists(lstat(join(pending, name)));
    if (facts) await record.checkLinks(path, isKeyMode(facts.mode));
  }
}

/** Whether a file in `.pending` has the mode of keys. */
function isKeyMode(mode: number): boolean {
  return mode % 0o1000 === secretMode;
}

async function moveForward(directory: string, {files}: Marker, faults?: Faults): Promise<void> {
  const touched = new Set<string>();
  for (const {pending, path, isNew} of files) {
    const from = join(directory, layout.pending, pending);
    const to = join(directory, path);
    const facts = await ifExists(lstat(from));
    touched.add(dirname(to));
    // Already moved before the run was killed.
    if (!facts) continue;
    await makeDirectory(dirname(to), faults);
    await faults?.('move', to);
    if (isNew) {
      await moveNew(from, to);
      continue;
    }
    const target = isKeyMode(facts.mode) ? undefined : await linkTarget(to);
    // A declaration may be a symbolic link to another place in the work directory: the link is kept. A key replaces it.
    if (target === undefined) await rename(from, to);
    else {
      await writeAtomic(target, await readRegular(from), to, {faults});
      await rm(from);
    }
  }
  for (const path of touched) {
    await faults?.('sync-directory', path);
    await syncDirectory(path);
  }
}

/** Moves a file without replacing another one: link(2) fails if the name exists. */
async function moveNew(from: string, to: string): Promise<void> {
  try {
    await link(from, to);
  } catch (error) {
    if (errno(error) !== 'EEXIST') throw error;
    // Linked by the run that was killed.
    const [source, target] = [await lstat(from), await lstat(to)];
    if (source.ino !== target.ino || source.dev !== target.dev) {
      throw existsError(to, error);
    }
  }
  await unlink(from);
}

function existsError(path: string, cause?: unknown): MeshError {
  return new MeshError(
    'WORKDIR_CONFLICT',
    `${path} was created by another program: it was not changed`,
    defined({cause, hints: ['run the command again to use it, or move it away']}),
  );
}

/** The target of a symbolic link; undefined if the path is not a link, or the link is broken. */
async function linkTarget(path: string): Promise<string | undefined> {
  const facts = await lstat(path).catch(() => undefined);
  return facts?.isSymbolicLink() === true ? realpath(path).catch(() => undefined) : undefined;
}

/** Refuses what would stop the moves half way after the commit: a directory in a file's place, or a file in a new one's. */
async function refuseExisting(directory: string, files: readonly FileContent[]): Promise<void> {
  for (const {path, isNew} of files) {
    const target = join(directory, path);
    const facts = await ifExists(lstat(target)).catch(throwFileError(target, 'write'));
    if (facts && isNew === true) throw existsError(target);
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
  throw foreignError(pending, `contains a file ${markerName} that is not a commit marker of this program`);
}

function foreignError(pending: string, why: string): MeshError {
  return new MeshError('WORKDIR_CONFLICT', `${pending} ${why}: nothing in it is used or deleted`, {
    hints: ['check its files: they may contain the only copy of a key. Save those that you need, and move it away'],
  });
}

function textOf(content: FileContent['content']): string {
  return content instanceof Sensitive ? content.reveal() : content;
}
