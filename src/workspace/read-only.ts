/**
 * A work directory that is only read, such as a ConfigMap mounted in a pod: nothing is written into it, not even a lock, and the
 * journal's entries go to a stream. They form a chain of their own for each run, so that entries that were collected from
 * several runs and appended to each other are an intact journal.
 */
import {randomBytes} from 'node:crypto';
import {hostname} from 'node:os';
import {defined} from '../domain/defined.js';
import {MeshError} from '../domain/errors.js';
import {type ChainHead, entryLine, seal} from '../domain/journal/chain.js';
import {entryId, type JournalEntry, type JournalRecord} from '../domain/journal/entry.js';
import {createWorkspace, type WorkspaceOptions} from './create.js';
import {userName} from './identity.js';
import type {Journal, Workspace} from './workspace.js';

/** Writes one line, with its line feed, and resolves when the stream has accepted it. Throws if it is lost. */
export type WriteLine = (line: string) => Promise<void>;

/**
 * Creates access to a work directory without ever writing into it. Its lock excludes no other run: the caller must ensure
 * that only one runs (a CronJob with `concurrencyPolicy: Forbid`). `write` and `remove` throw `WORKDIR_UNWRITABLE`.
 */
export function createReadOnlyWorkspace(options: WorkspaceOptions, writeLine: WriteLine): Workspace {
  const files = createWorkspace(options);
  return readOnly(files, new StreamJournal(files.journal, options.now, writeLine));
}

function readOnly(files: Workspace, journal: Journal): Workspace {
  const refuse = (paths: readonly string[]): Promise<never> => {
    const what = `cannot write ${paths.join(', ')}: the work directory is read-only, because the journal is a stream`;
    return Promise.reject(
      new MeshError('WORKDIR_UNWRITABLE', what, {
        hints: ['run the command once without --journal where the work directory is writable, and copy its files'],
      }),
    );
  };
  return {
    ...files,
    journal,
    write: (contents) => (contents.length === 0 ? Promise.resolve() : refuse(contents.map(({path}) => path))),
    remove: refuse,
    recover: () => Promise.resolve([]),
    lock: () => Promise.resolve({release: () => Promise.resolve()}),
    directory: (root) => readOnly(files.directory(root), journal),
  };
}

/** A record without what every entry has. */
type NewRecord = Omit<JournalRecord, 'user' | 'host' | 'pid' | 'time'>;

/** The subject of an intent, repeated in its outcome so that each line can be read on its own. */
type Subject = Pick<JournalRecord, 'command' | 'action' | 'cluster'>;

/** Writes entries to a stream, in sequence. */
class StreamJournal implements Journal {
  readonly #chain = randomBytes(8).toString('hex');
  readonly #subjects = new Map<string, Subject>();
  #queue: Promise<unknown> = Promise.resolve();
  #head: ChainHead | undefined;

  constructor(
    private readonly file: Journal,
    private readonly now: () => Date,
    private readonly writeLine: WriteLine,
  ) {}

  async intent(entry: Parameters<Journal['intent']>[0]): Promise<ChainHead> {
    const {chain, seq, hash} = await this.#append({kind: 'intent', ...entry});
    const {command, action, cluster} = entry;
    this.#subjects.set(entryId({chain, seq}), defined({command, action, cluster}));
    return {chain, seq, hash};
  }

  async outcome({intent: head, ...rest}: Parameters<Journal['outcome']>[0]): Promise<void> {
    const intent = entryId(head);
    const subject = this.#subjects.get(intent) ?? {command: '', action: ''};
    await this.#append({kind: 'outcome', ...subject, intent, ...rest});
  }

  /** Reads the journal in the work directory, if it contains one: this run's entries are not in it. */
  read(): ReturnType<Journal['read']> {
    return this.file.read();
  }

  #append(record: NewRecord): Promise<JournalEntry> {
    const turn = this.#queue.then(() => this.#write(record));
    this.#queue = turn.catch(() => undefined);
    return turn;
  }

  async #write(record: NewRecord): Promise<JournalEntry> {
    const author = {user: userName(), host: hostname(), pid: process.pid};
    const entry = seal({...record, time: this.now().toISOString(), ...author}, this.#chain, this.#head);
    try {
      await this.writeLine(entryLine(entry));
    } catch (thrown) {
      throw new MeshError('WORKDIR_UNWRITABLE', `cannot write the journal: ${(thrown as Error).message}`, {
        cause: thrown,
        hints: ['changes must be recorded before they are made: check where standard output leads'],
      });
    }
    this.#head = {chain: entry.chain, seq: entry.seq, hash: entry.hash};
    return entry;
  }
}
