import type {ChainHead, JournalReading} from '../domain/journal/chain.js';
import type {JournalEntry, JournalRecord} from '../domain/journal/entry.js';
import type {ArchivedJournal} from '../domain/journal/head.js';
import type {Sensitive} from '../domain/sensitive.js';

/** One file of the work directory. */
export interface FileContent {
  /** Relative to the work directory, `/` as separator. */
  readonly path: string;
  /** Sensitive content is written 0600, in directories made 0700. */
  readonly content: string | Sensitive<string>;
}

/** What lstat says, as far as checks need it. */
export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Permission bits, 0o000 to 0o777. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
}

/** The record of changes (docs/architecture.md): `intent` before an effect, `outcome` after it, both synced to disk. */
export interface Journal {
  /**
   * Returns where the entry stands: the head of this copy's chain as it is now. Throws `WORKDIR_UNWRITABLE`, `DISK_FULL`:
   * then the effect must not start.
   */
  intent(
    entry: Pick<JournalRecord, 'command' | 'action' | 'cluster' | 'reason' | 'identity'> & {readonly title: string},
  ): Promise<ChainHead>;
  outcome(
    entry: Pick<JournalRecord, 'error' | 'detail'> & {
      readonly intent: ChainHead;
      readonly status: 'done' | 'failed' | 'cancelled';
    },
  ): Promise<void>;
  /** Every entry, and whether the record is whole. Takes no lock. */
  read(): Promise<JournalState>;
}

/** A journal as it lies in the work directory. */
export interface JournalState extends JournalReading {
  /** Whether there is a file. */
  readonly present: boolean;
  /** The chain that this copy of the work directory writes; undefined when it has not written yet. */
  readonly own: string | undefined;
  /** This machine, as entries name it. */
  readonly host: string;
  /** Journals that were put aside because they were broken, as MESH113's fix does. */
  readonly archived: readonly ArchivedJournal[];
  /** Of `open`: those whose process may still run. */
  readonly inProgress: readonly JournalEntry[];
}

/**
 * The work directory: the only memory between commands (docs/work-directory.md). Paths are relative to it. All methods throw
 * `WORKDIR_UNREADABLE` or `WORKDIR_UNWRITABLE` (`DISK_FULL` on ENOSPC) with the path in the message.
 */
export interface Workspace {
  /** Absolute path of the work directory. It need not exist before the first write. */
  readonly root: string;
  /** UTF-8 text; undefined when there is no such file. */
  readText(path: string): Promise<string | undefined>;
  /** Like readText, for keys. */
  readSecret(path: string): Promise<Sensitive<string> | undefined>;
  /** lstat; undefined when there is no such file. */
  stat(path: string): Promise<FileFacts | undefined>;
  /** Like stat, of what a link leads to; undefined, too, for a link that leads nowhere. */
  statTarget(path: string): Promise<FileFacts | undefined>;
  /** Names in a directory, sorted; empty when there is no such directory. */
  list(path: string): Promise<readonly string[]>;
  /**
   * Writes one file, or a set of files that belong together, so that a killed run leaves all or none (`.pending`,
   * docs/work-directory.md). Throws `SYMLINK` where a sensitive file or its directory is a symbolic link.
   */
  write(files: readonly FileContent[]): Promise<void>;
  /** Removes files that exist; missing ones are fine. A folder inside a cluster's that is empty then goes, too. */
  remove(paths: readonly string[]): Promise<void>;
  /**
   * Under the lock, before anything else: rolls marked `.pending` sets forward, drops unmarked ones, and records intents
   * without an outcome as unknown. Returns what it did, one line each.
   */
  recover(): Promise<readonly string[]>;
  /** Takes the one writer's lock, making the work directory if needed. Throws `WORKDIR_LOCKED`. */
  lock(command: string): Promise<{release(): Promise<void>}>;
  readonly journal: Journal;
  /** A file outside the work directory that the user named, or `-` for standard input: `certs inspect FILE`, `--passphrase-file`. Throws `FILE_MISSING`, `WORKDIR_UNREADABLE`. */
  readOutside(path: string): Promise<Sensitive<Buffer>>;
  /**
   * Writes a file outside the work directory that the user named (`--output-file`), all or nothing; 0644 where it is new, so
   * that others can read it. Throws `OUTPUT_FAILED`.
   */
  writeOutside(path: string, content: string): Promise<void>;
}
