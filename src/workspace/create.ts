/** The work directory on disk: implements {@link Workspace} with the other files of this directory. */
import {lstat, readdir, realpath, rmdir, stat, unlink} from 'node:fs/promises';
import {hostname} from 'node:os';
import {dirname, join, relative} from 'node:path';
import {MeshError} from '../domain/errors.js';
import type {ChainHead} from '../domain/journal/chain.js';
import {isSetPath, layout} from '../domain/mesh/layout.js';
import {isClusterName} from '../domain/mesh/names.js';
import {Sensitive} from '../domain/sensitive.js';
import {type Faults, makeDirectory, syncDirectory, temporarySuffix, writeAtomic} from './atomic.js';
import {commitSet, committedPath, recoverSet, type SetRecord} from './commit.js';
import {errno, fileError, ifExists, isMissing, readIfExists, throwFileError} from './fs-errors.js';
import {isBelow, refuseLinksOut, refuseSymlinks, resolveInside} from './guard.js';
import {hostIdentity, startTimeOf, userName} from './identity.js';
import {JournalFile} from './journal-file.js';
import {takeLock} from './lock.js';
import {writeOutputFile} from './output-file.js';
import {readAny, readRegular, readStream} from './read.js';
import type {FileFacts, FileContent, Workspace} from './workspace.js';

/** The options of {@link createWorkspace}. */
export interface WorkspaceOptions {
  /** Absolute path. */
  readonly root: string;
  readonly now: () => Date;
  /** Aborts reading files that the user named: a pipe or standard input may never end. */
  readonly signal?: AbortSignal;
  /** Tests only: see {@link Faults}. */
  readonly faults?: Faults;
}

/** Creates access to the work directory at `root`. Does not access the disk until a method is called. */
export function createWorkspace(options: WorkspaceOptions): Workspace {
  const writer = {user: userName(), host: hostname(), pid: process.pid, now: options.now};
  return accessDirectory(options, new JournalFile(options.root, writer, options.faults), (directory) =>
    relative(options.root, directory),
  );
}

/** `nameOf`: the name of a directory (absolute path) in the journal's records of sets. */
function accessDirectory(
  options: WorkspaceOptions,
  journal: JournalFile,
  nameOf: (directory: string) => string,
): Workspace {
  const {root, now, faults} = options;
  const host = hostIdentity();
  const inTurn = createTurns();
  const recordOf = (directory: string, intent?: ChainHead): SetRecord =>
    createSetRecord(journal, {root, name: nameOf(directory) || '.', place: relative(root, directory), intent});

  const write = async (files: readonly FileContent[], intent?: ChainHead): Promise<void> => {
    if (files.length === 0) return;
    const directory = commonDirectory(files);
    // The checks also run in turn, so that writes to one directory keep their order.
    await inTurn(directory, async () => {
      const holdsSecret = files.some(({content}) => content instanceof Sensitive);
      for (const {path} of files) {
        resolveInside(root, path);
        await (holdsSecret ? refuseSymlinks : refuseLinksOut)(root, path);
      }
      await writeSet(root, directory, files, recordOf(join(root, directory), intent), faults);
    });
  };

  return {
    root,
    journal,
    readText: (path) => readCommitted(root, path, recordOf),
    readGenerated: async (path) => {
      await refuseLinksOut(root, path);
      return readCommitted(root, path, recordOf);
    },
    readSecret: async (path) => {
      const text = await readCommitted(root, path, recordOf);
      return text === undefined ? undefined : new Sensitive(text);
    },
    stat: (path) => factsOf(resolveInside(root, path)),
    statTarget: (path) => factsOf(resolveInside(root, path), stat),
    list: (path) => namesIn(path === '.' || path === '' ? root : resolveInside(root, path)),
    write,
    remove: async (paths) => {
      for (const path of paths) await inTurn(topDirectoryOf(path), () => removeWithEmptyDirectory(root, path));
    },
    recover: async () => {
      const files = await recoverFiles(root, recordOf, faults);
      const intents = (await journal.closeOpen()).map(
        ({command, title, action, cluster}) =>
          `an earlier ${command} was killed during "${title ?? action}"${cluster === undefined ? '' : ` of ${cluster}`}: recorded as unknown`,
      );
      return [...files, ...intents];
    },
    lock: async (command) => {
      const found = await factsOf(root, stat);
      if (found && found.kind !== 'directory') {
        throw new MeshError('WORKDIR_CONFLICT', `work directory ${root} is not a directory`, {
          hints: ['specify another work directory with --work-dir or WORK_DIR'],
        });
      }
      const isNew = found === undefined;
      await makeDirectory(root).catch(throwFileError(root, 'write'));
      const {pid} = process;
      const lock = await takeLock(join(root, layout.lock), {
        pid,
        host,
        started: startTimeOf(pid),
        user: userName(),
        command,
        since: now().toISOString(),
      });
      return {
        async release() {
          await lock.release();
          // A run that failed before it wrote anything leaves no directory; rmdir keeps one that is not empty.
          if (isNew) await rmdir(root).catch(() => undefined);
        },
      };
    },
    directory: (path) => accessDirectory({...options, root: path}, journal, (directory) => directory),
    isBelow: (path) => isBelow(path, root),
    readOutside: (path) => readOutside(path, options.signal),
    writeOutside: (path, content, {createsDirectory = false} = {}) =>
      writeOutputFile(path, content, {createsDirectory, faults}),
  };
}

/** Runs work with the same key in sequence, so that two writes never share a `.pending`. */
function createTurns(): <T>(key: string, work: () => Promise<T>) => Promise<T> {
  const last = new Map<string, Promise<unknown>>();
  return (key, work) => {
    const turn = (last.get(key) ?? Promise.resolve()).then(work);
    last.set(
      key,
      turn.catch(() => undefined),
    );
    return turn;
  };
}

/** The first directory of a path; empty for files of the work directory itself. */
function topDirectoryOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 1 ? (parts[0] ?? '') : '';
}

/** The cluster directory that contains all files; otherwise empty, for the work directory. */
function commonDirectory(files: readonly FileContent[]): string {
  const tops = new Set(files.map(({path}) => topDirectoryOf(path)));
  const [only = ''] = tops;
  return tops.size === 1 ? only : '';
}

async function writeSet(
  root: string,
  directory: string,
  files: readonly FileContent[],
  record: SetRecord,
  faults: Faults | undefined,
): Promise<void> {
  const [only] = files;
  if (files.length === 1 && only && only.isNew !== true) {
    // A committed set of a killed run would be read instead of this file, and overwrite it later.
    await recoverSet(join(root, directory), record, faults);
    return writeOne(join(root, only.path), only.content, faults);
  }
  const inDirectory = files.map((file) => ({
    ...file,
    path: directory === '' ? file.path : file.path.slice(directory.length + 1),
  }));
  return commitSet(join(root, directory), inDirectory, record, faults);
}

/** The sets of one directory. */
interface SetPlace {
  readonly root: string;
  /** Its name in the journal. */
  readonly name: string;
  /** Relative to `root`. */
  readonly place: string;
  readonly intent: ChainHead | undefined;
}

/** The records of the sets of one directory. A record with a path that the layout does not have is ignored. */
function createSetRecord(journal: JournalFile, {root, name, place, intent}: SetPlace): SetRecord {
  const open = async () => {
    const set = await journal.openSet(name);
    return set && Object.keys(set.files).every((path) => isSetPath(join(place, path))) ? set : undefined;
  };
  return {
    record: async (files) => {
      const unknown = Object.keys(files).find((path) => !isSetPath(join(place, path)));
      if (unknown !== undefined) throw new MeshError('INTERNAL', `${join(place, unknown)} is not a path of the layout`);
      await journal.recordSet({directory: name, files}, intent);
    },
    read: async () => (await open())?.files,
    recovered: async (result) => {
      const set = await open();
      if (set) await journal.recordRecovery(set, result);
    },
    checkLinks: (path, isKey) => (isKey ? refuseSymlinks : refuseLinksOut)(root, join(place, path)),
  };
}

async function writeOne(path: string, content: FileContent['content'], faults: Faults | undefined): Promise<void> {
  try {
    await makeDirectory(dirname(path), faults);
    // A declaration may be a symbolic link to another place: the link is kept. For keys, links were refused before.
    const target = content instanceof Sensitive ? path : await realpath(path).catch(() => path);
    await writeAtomic(target, content, path, {faults});
  } catch (error) {
    throw fileError(error, path, 'write');
  }
}

type RecordOf = (directory: string) => SetRecord;

async function readCommitted(root: string, path: string, recordOf: RecordOf): Promise<string | undefined> {
  const place = resolveInside(root, path);
  const top = topDirectoryOf(path);
  const inTop = join(root, top);
  const pending =
    (top === '' ? undefined : await committedPath(inTop, path.slice(top.length + 1), recordOf(inTop))) ??
    (await committedPath(root, path, recordOf(root)));
  const committed = pending === undefined ? undefined : await readIfExists(pending, readRegular(pending));
  return committed ?? readIfExists(place, readRegular(place));
}

async function factsOf(path: string, read: typeof lstat | typeof stat = lstat): Promise<FileFacts | undefined> {
  const facts = await readIfExists(path, read(path));
  if (!facts) return undefined;
  const kind = facts.isFile()
    ? 'file'
    : facts.isDirectory()
      ? 'directory'
      : facts.isSymbolicLink()
        ? 'symlink'
        : 'other';
  return {kind, mode: facts.mode & 0o777, size: facts.size};
}

async function namesIn(path: string): Promise<readonly string[]> {
  return ((await readIfExists(path, readdir(path))) ?? []).sort();
}

/** Removes a file of the work directory, and its subdirectory in a cluster's directory (`request`) if that is empty. */
async function removeWithEmptyDirectory(root: string, path: string): Promise<void> {
  await refuseLinksOut(root, path, false);
  await removeFile(resolveInside(root, path));
  if (path.split('/').length > 2) await rmdir(dirname(resolveInside(root, path))).catch(() => undefined);
}

async function removeFile(path: string): Promise<void> {
  const removed = unlink(path).then(() => syncDirectory(dirname(path)));
  await ifExists(removed).catch(throwFileError(path, 'write'));
}

/** Recovers from killed runs: in the work directory, and in directories that may be a cluster's. */
async function recoverFiles(root: string, recordOf: RecordOf, faults: Faults | undefined): Promise<readonly string[]> {
  const directories = [root];
  for (const name of await namesIn(root)) {
    if (isClusterName(name) && (await factsOf(join(root, name)))?.kind === 'directory')
      directories.push(join(root, name));
  }
  const messages: string[] = [];
  for (const directory of directories) {
    const result = await recoverSet(directory, recordOf(directory), faults);
    if (result === 'completed') messages.push(`completed an interrupted write of an earlier run in ${directory}`);
    if (result === 'discarded') messages.push(`removed an incomplete write of an earlier run in ${directory}`);
    // Left by a run that was killed between writing and renaming.
    const unfinished = (await namesIn(directory)).filter(
      (name) => name.startsWith('.') && name.endsWith(temporarySuffix),
    );
    for (const name of unfinished) await removeFile(join(directory, name));
  }
  return messages;
}

async function readOutside(path: string, signal: AbortSignal | undefined): Promise<Sensitive<Buffer>> {
  try {
    return new Sensitive(
      path === '-' ? await readStream(process.stdin, 'standard input', signal) : await readAny(path, signal),
    );
  } catch (error) {
    if (isMissing(error)) throw new MeshError('FILE_MISSING', `file ${path} not found`, {cause: error});
    // It may be a cluster's directory, given by mistake: do not suggest moving it.
    if (errno(error) === 'EISDIR') {
      throw new MeshError('WORKDIR_CONFLICT', `${path} is a directory, but a file is required`, {
        cause: error,
        hints: ['give the path of a file; if the command takes one cluster, run it once for each cluster'],
      });
    }
    throw fileError(error, path, 'read');
  }
}
