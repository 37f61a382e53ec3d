/** The work directory on a real disk: {@link Workspace} from the parts beside this file. */
import {lstat, readdir, realpath, rmdir, stat, unlink} from 'node:fs/promises';
import {hostname} from 'node:os';
import {dirname, join} from 'node:path';
import {MeshError} from '../domain/errors.js';
import {layout} from '../domain/mesh/layout.js';
import {isClusterName} from '../domain/mesh/names.js';
import {Sensitive} from '../domain/sensitive.js';
import {type Faults, makeDirectory, syncDirectory, temporarySuffix, writeAtomic} from './atomic.js';
import {commitSet, committedPath, recoverSet} from './commit.js';
import {errno, fileError, ifExists, isMissing, readIfExists, throwFileError} from './fs-errors.js';
import {refuseSymlinks, resolveInside} from './guard.js';
import {hostIdentity, startTimeOf, userName} from './identity.js';
import {JournalFile} from './journal-file.js';
import {takeLock} from './lock.js';
import {writeOutputFile} from './output-file.js';
import {readAny, readRegular, readStream} from './read.js';
import type {FileFacts, FileContent, Workspace} from './workspace.js';

/** What a workspace is made with. */
export interface WorkspaceOptions {
  /** Absolute path. */
  readonly root: string;
  readonly now: () => Date;
  /** Ends the reading of what the user named: a pipe or standard input may never say anything. */
  readonly signal?: AbortSignal;
  /** Tests only: see {@link Faults}. */
  readonly faults?: Faults;
}

/** The work directory at `root`. Nothing is touched until a method is called. */
export function createWorkspace(options: WorkspaceOptions): Workspace {
  const {root, now, faults} = options;
  const host = hostIdentity();
  const journal = new JournalFile(root, {user: userName(), host: hostname(), pid: process.pid, now}, faults);
  const inTurn = createTurns();

  const write = async (files: readonly FileContent[]): Promise<void> => {
    if (files.length === 0) return;
    const folder = commonDirectory(files);
    // Checked in its turn, too: writes of one folder keep the order in which they were asked for.
    await inTurn(folder, async () => {
      const holdsSecret = files.some(({content}) => content instanceof Sensitive);
      for (const {path} of files) {
        resolveInside(root, path);
        if (holdsSecret) await refuseSymlinks(root, path);
      }
      await writeSet(root, folder, files, faults);
    });
  };

  return {
    root,
    journal,
    readText: (path) => readCommitted(root, path),
    readSecret: async (path) => {
      const text = await readCommitted(root, path);
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
      const files = await recoverFiles(root, faults);
      const intents = (await journal.closeOpen()).map(
        ({command, title, action, cluster}) =>
          `an earlier ${command} ended during "${title ?? action}"${cluster === undefined ? '' : ` of ${cluster}`}: recorded as unknown`,
      );
      return [...files, ...intents];
    },
    lock: async (command) => {
      const isNew = (await factsOf(root)) === undefined;
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
          // A run that failed before it wrote anything leaves no folder behind; one with content stays.
          if (isNew) await rmdir(root).catch(() => undefined);
        },
      };
    },
    readOutside: (path) => readOutside(path, options.signal),
    writeOutside: (path, content) => writeOutputFile(path, content, faults),
  };
}

/** Work on one folder happens one after the other: lanes of one cluster do not meet in its `.pending`. */
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

/** First folder of a path; empty for files of the work directory itself. */
function topDirectoryOf(path: string): string {
  const parts = path.split('/');
  return parts.length > 1 ? (parts[0] ?? '') : '';
}

/** The cluster folder that all files are in, or the work directory. */
function commonDirectory(files: readonly FileContent[]): string {
  const tops = new Set(files.map(({path}) => topDirectoryOf(path)));
  const [only = ''] = tops;
  return tops.size === 1 ? only : '';
}

async function writeSet(
  root: string,
  folder: string,
  files: readonly FileContent[],
  faults: Faults | undefined,
): Promise<void> {
  const [only] = files;
  if (files.length === 1 && only) {
    // A set that a killed run left committed would be read instead of this, and later take its place.
    await recoverSet(join(root, folder), faults);
    return writeOne(join(root, only.path), only.content, faults);
  }
  const inFolder = files.map(({path, content}) => ({
    path: folder === '' ? path : path.slice(folder.length + 1),
    content,
  }));
  return commitSet(join(root, folder), inFolder, faults);
}

async function writeOne(path: string, content: FileContent['content'], faults: Faults | undefined): Promise<void> {
  try {
    await makeDirectory(dirname(path), faults);
    // A declaration may live elsewhere, behind a link: the link stays. Keys were refused before.
    const target = content instanceof Sensitive ? path : await realpath(path).catch(() => path);
    await writeAtomic(target, content, path, faults);
  } catch (error) {
    throw fileError(error, path, 'write');
  }
}

async function readCommitted(root: string, path: string): Promise<string | undefined> {
  const place = resolveInside(root, path);
  const top = topDirectoryOf(path);
  const waiting =
    (top === '' ? undefined : await committedPath(join(root, top), path.slice(top.length + 1))) ??
    (await committedPath(root, path));
  const committed = waiting === undefined ? undefined : await readIfExists(waiting, readRegular(waiting));
  return committed ?? readIfExists(place, readRegular(place));
}

async function factsOf(path: string, look: typeof lstat | typeof stat = lstat): Promise<FileFacts | undefined> {
  const facts = await readIfExists(path, look(path));
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

/** Removes a file of the work directory, and a folder inside a cluster's (`request`) that is empty then. */
async function removeWithEmptyDirectory(root: string, path: string): Promise<void> {
  await removeFile(resolveInside(root, path));
  if (path.split('/').length > 2) await rmdir(dirname(resolveInside(root, path))).catch(() => undefined);
}

async function removeFile(path: string): Promise<void> {
  const removed = unlink(path).then(() => syncDirectory(dirname(path)));
  await ifExists(removed).catch(throwFileError(path, 'write'));
}

/** Deals with what killed runs left: in the work directory, and in folders that may be a cluster's. */
async function recoverFiles(root: string, faults: Faults | undefined): Promise<readonly string[]> {
  const folders = [root];
  for (const name of await namesIn(root)) {
    if (isClusterName(name) && (await factsOf(join(root, name)))?.kind === 'directory') folders.push(join(root, name));
  }
  const news: string[] = [];
  for (const folder of folders) {
    const done = await recoverSet(folder, faults);
    if (done === 'forward') news.push(`finished what an earlier run had begun to write in ${folder}`);
    if (done === 'dropped') news.push(`removed what an earlier run had left unfinished in ${folder}`);
    // Of a run that was killed between writing and renaming.
    const unfinished = (await namesIn(folder)).filter((name) => name.startsWith('.') && name.endsWith(temporarySuffix));
    for (const name of unfinished) await removeFile(join(folder, name));
  }
  return news;
}

async function readOutside(path: string, signal: AbortSignal | undefined): Promise<Sensitive<Buffer>> {
  try {
    return new Sensitive(
      path === '-' ? await readStream(process.stdin, 'standard input', signal) : await readAny(path, signal),
    );
  } catch (error) {
    if (isMissing(error)) throw new MeshError('FILE_MISSING', `there is no file ${path}`, {cause: error});
    // What lies there may be a cluster's directory, named where a file was meant: it stays where it is.
    if (errno(error) === 'EISDIR') {
      throw new MeshError('WORKDIR_CONFLICT', `${path} is a directory, a file is to be read`, {
        cause: error,
        hints: ['name the file itself; a command that takes one cluster is run once for each'],
      });
    }
    throw fileError(error, path, 'read');
  }
}
