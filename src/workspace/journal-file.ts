/**
 * journal.jsonl: append-only, one canonical JSON entry per line, synced before and after each effect. Each copy of a
 * work directory writes its own chain, whose head is saved in a file that is not in git, so that two people who share
 * the directory through git do not fork one chain.
 */
import {randomBytes} from 'node:crypto';
import {sha256Hex} from '../domain/keys/keys.js';
import {constants} from 'node:fs';
import {open, readdir, stat} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {defined} from '../domain/defined.js';
import {MeshError} from '../domain/errors.js';
import {type ChainHead, entryLine, readJournal, seal, headsToReference, placeAfter} from '../domain/journal/chain.js';
import {type JournalEntry, type JournalRecord, entryId} from '../domain/journal/entry.js';
import {type FileSet, openSet, type RecordedSet, setHash} from '../domain/journal/file-sets.js';
import type {ArchivedJournal} from '../domain/journal/head.js';
import {archivedHeadName, archivedJournalName, layout, archivedAt} from '../domain/mesh/layout.js';
import {type Faults, makeDirectory, syncDirectory} from './atomic.js';
import {fileError, ifExists, throwFileError} from './fs-errors.js';
import {HeadFile, identityOf, readArchivedHead, type SavedHead} from './head-file.js';
import {isRunning} from './identity.js';
import {maxJournalBytes, readRegular} from './read.js';
import type {Journal, JournalState} from './workspace.js';

/** The author of entries. */
export interface Writer {
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  readonly now: () => Date;
}

/** A record without what every entry has. */
type NewRecord = Omit<JournalRecord, 'user' | 'host' | 'pid' | 'time'>;

interface State extends SavedHead {
  readonly secret: string;
  /** The heads of other chains that the next entry lists. */
  readonly unnamed: readonly string[];
}

/** The subject of an intent, repeated in its outcome so that each line can be read on its own. */
type ChangedPath = Pick<JournalRecord, 'command' | 'action' | 'cluster'>;

function subjectOf({command, action, cluster}: ChangedPath): ChangedPath {
  return defined({command, action, cluster});
}

/** The journal of one work directory. Entries are written in sequence. */
export class JournalFile implements Journal {
  readonly #subjects = new Map<string, ChangedPath>();
  #queue: Promise<unknown> = Promise.resolve();
  readonly #headFile: HeadFile;
  #state: State | undefined;

  constructor(
    private readonly root: string,
    private readonly writer: Writer,
    private readonly faults?: Faults,
  ) {
    this.#headFile = new HeadFile(root, faults);
  }

  intent(entry: Parameters<Journal['intent']>[0]): Promise<ChainHead> {
    return this.#inTurn(async () => {
      const {chain, seq, hash} = await this.#append({kind: 'intent', ...entry});
      const head = {chain, seq, hash};
      this.#subjects.set(entryId(head), subjectOf(entry));
      return head;
    });
  }

  outcome({intent: head, ...rest}: Parameters<Journal['outcome']>[0]): Promise<void> {
    return this.#inTurn(async () => {
      const intent = entryId(head);
      const subject = this.#subjects.get(intent) ?? {command: '', action: ''};
      await this.#append({kind: 'outcome', ...subject, intent, ...rest});
    });
  }

  /** Records a set of files before it is written. */
  recordSet(set: FileSet, intent: ChainHead | undefined): Promise<void> {
    return this.#inTurn(async () => {
      const id = intent && entryId(intent);
      const subject = (id === undefined ? undefined : this.#subjects.get(id)) ?? {command: '', action: ''};
      const {secret, chain, head} = (this.#state ??= await this.#load());
      const detail = {...set, own: setHash(set, {chain, ...placeAfter(head)}, secret)};
      await this.#append(defined<NewRecord>({kind: 'set', ...subject, intent: id, detail}));
    });
  }

  /** Records that a set of a killed run was completed or discarded. */
  recordRecovery({id, directory, files, entry}: RecordedSet, result: 'completed' | 'discarded'): Promise<void> {
    const detail = {set: id, directory, files: Object.keys(files), result};
    const record = defined<NewRecord>({kind: 'recovery', ...subjectOf(entry), intent: entry.intent, detail});
    return this.#inTurn(async () => {
      await this.#append(record);
    });
  }

  /** Returns the set in a directory that this copy recorded and that may not be in its place yet. */
  async openSet(directory: string): Promise<RecordedSet | undefined> {
    const saved = await this.#headFile.read();
    // A clone may contain a head file, but cannot know this directory's inode and time of creation.
    if (saved?.born === undefined || saved.secret === undefined) return undefined;
    const {chain, secret, head} = saved;
    return openSet(readJournal((await this.#text()) ?? '').entries, directory, defined({chain, secret, head}));
  }

  async read(): Promise<JournalState> {
    const saved = await this.#headFile.read();
    const text = await this.#text();
    const reading = readJournal(text ?? '', saved?.head);
    const isLocked = (await stat(join(this.root, layout.lock)).catch(() => undefined)) !== undefined;
    // Whether another host's process runs cannot be checked; if it does, it holds the lock.
    const mayRun = ({host, pid}: JournalEntry): boolean =>
      host === this.writer.host ? pid === this.writer.pid || isRunning(pid) : isLocked;
    return {
      ...reading,
      present: text !== undefined,
      own: saved?.chain,
      host: this.writer.host,
      archived: await this.#aside(),
      inProgress: isLocked ? reading.open.filter(mayRun) : [],
    };
  }

  /**
   * Closes intents of this copy whose runs ended without recording an outcome, and a truncated last line. Requires the
   * lock.
   */
  closeOpen(): Promise<readonly JournalEntry[]> {
    return this.#inTurn(async () => {
      const text = await this.#text();
      if (text === undefined) return [];
      if (readJournal(text).torn !== undefined) this.#state ??= await this.#load();
      const saved = await this.#headFile.read();
      const open = readJournal(text).open.filter(({chain}) => chain === saved?.chain);
      for (const entry of open) {
        await this.#append({kind: 'outcome', ...subjectOf(entry), intent: entryId(entry), status: 'unknown'});
      }
      return open;
    });
  }

  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(work);
    this.#queue = turn.catch(() => undefined);
    try {
      return await turn;
    } catch (error) {
      // The state on disk is unknown and must be read again.
      this.#state = undefined;
      throw unwritableError(error, this.#path);
    }
  }

  get #path(): string {
    return join(this.root, layout.journal);
  }

  async #append(record: NewRecord): Promise<JournalEntry> {
    this.#state ??= await this.#load();
    return this.#write(this.#state, record);
  }

  async #write(state: State, record: NewRecord): Promise<JournalEntry> {
    const {user, host, pid, now} = this.writer;
    const seen = state.unnamed.length > 0 ? {seen: state.unnamed} : {};
    const entry = seal({...record, ...seen, time: now().toISOString(), user, host, pid}, state.chain, state.head);
    await this.#appendText(entryLine(entry));
    const head = {chain: entry.chain, seq: entry.seq, hash: entry.hash};
    this.#state = {...state, head, unnamed: []};
    const {chain, directory, born, secret} = state;
    // Not synced: after a crash it may be older than the journal, but never newer.
    await this.#headFile.save(defined({chain, directory, born, secret, head}));
    return entry;
  }

  async #appendText(text: string): Promise<void> {
    // With O_NONBLOCK, a pipe in the journal's place does not block.
    const flags =
      constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_NOFOLLOW | constants.O_NONBLOCK;
    const file = await open(this.#path, flags, 0o644);
    try {
      const isNew = (await file.stat()).size === 0;
      await this.faults?.('journal-write', this.#path);
      await file.writeFile(text, 'utf8');
      await this.faults?.('journal-sync', this.#path);
      await file.sync();
      if (isNew) {
        await file.chmod(0o644);
        await syncDirectory(dirname(this.#path));
      }
    } finally {
      await file.close();
    }
  }

  /** Finds the head of this copy's chain, and closes a truncated last line. */
  async #load(): Promise<State> {
    await makeDirectory(this.root, this.faults);
    const {directory, born} = await identityOf(this.root);
    const saved = await this.#headFile.read();
    const text = (await this.#text()) ?? '';
    const reading = readJournal(text);
    const chain = saved?.chain ?? randomBytes(8).toString('hex');
    // Saved before the chain's first entry, so that the next run finds this intent if the run is killed right after it.
    const secret = saved?.secret ?? randomBytes(32).toString('hex');
    if (saved?.secret === undefined)
      await this.#headFile.save(defined({...saved, chain, directory, born, secret}), true);
    const written = reading.heads.get(chain);
    const known = saved?.head;
    // If entries were removed, continue after the saved head: the gap stays detectable.
    const head = known && (!written || known.seq > written.seq) ? known : written;
    const state: State = defined({chain, directory, born, secret, head, unnamed: headsToReference(reading, chain)});
    if (text !== '' && !text.endsWith('\n')) await this.#appendText('\n');
    if (reading.torn === undefined) return state;
    await this.#write(state, {kind: 'repair', command: '', action: '', detail: {torn: sha256Hex(reading.torn)}});
    return this.#state ?? state;
  }

  /** Reads the journals that were set aside, each checked against the head that was set aside with it. */
  async #aside(): Promise<JournalState['archived']> {
    const names: readonly string[] = await readdir(this.root).catch(() => []);
    const moments = [...new Set(names.flatMap((name) => archivedAt(name) ?? []))].sort();
    return Promise.all(
      moments.map(async (when): Promise<ArchivedJournal> => {
        const [file, headFile] = [archivedJournalName(when), archivedHeadName(when)];
        const known = names.includes(headFile) ? await readArchivedHead(join(this.root, headFile)) : undefined;
        // A head without its journal is what remains of a deleted journal.
        if (!names.includes(file)) return {file: headFile, ...readJournal('', known)};
        try {
          return {file, ...readJournal(await readRegular(join(this.root, file), maxJournalBytes), known)};
        } catch {
          return {file, entries: [], faults: [{line: 0, kind: 'unreadable', message: 'the file cannot be read'}]};
        }
      }),
    );
  }

  async #text(): Promise<string | undefined> {
    return ifExists(readRegular(this.#path, maxJournalBytes)).catch(throwFileError(this.#path, 'read'));
  }
}

/** The error if an entry cannot be written, whatever is in the journal's place; it stops the run. */
function unwritableError(thrown: unknown, path: string): MeshError {
  const error = fileError(thrown, path, 'write');
  const why = {SYMLINK: 'it is a symbolic link', WORKDIR_CONFLICT: 'it is not a regular file'}[error.code as string];
  // Errors of the head file contain its own path.
  if (why === undefined || !error.message.startsWith(`${path} `)) return error;
  return new MeshError('WORKDIR_UNWRITABLE', `cannot write ${path}: ${why}`, {
    cause: error,
    hints: ['changes must be recorded before they are made: move it away, or replace it with a regular file'],
  });
}
