import type {ChainHead, JournalReading} from '../domain/journal/chain.js';
import type {JournalEntry, JournalRecord} from '../domain/journal/entry.js';
import type {ArchivedJournal} from '../domain/journal/head.js';
import type {Sensitive} from '../domain/sensitive.js';

/** One file of the work directory. */
export interface FileContent {
  /** Relative to the work directory, `/` as separator. */
  readonly path: string;
  /** Sensitive content is written with mode 0600, and its directories are created with 0700. */
  readonly content: string | Sensitive<string>;
  /** Throws `WORKDIR_CONFLICT` instead of replacing a file, also one that another program creates meanwhile. */
  readonly isNew?: boolean;
}

/** The result of lstat that checks need. */
export interface FileFacts {
  readonly kind: 'file' | 'directory' | 'symlink' | 'other';
  /** Permission bits, 0o000 to 0o777. */
  readonly mode: number;
  /** Bytes. */
  readonly size: number;
}

/** The journal of changes (docs/architecture.md): `intent` before an effect, `outcome` after it, both synced to disk. */
export interface Journal {
  /**
   * Records an intent and returns its position, the new head of this copy's chain. If it throws (`WORKDIR_UNWRITABLE`,
   * `DISK_FULL`), the effect must not start.
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
  /** Returns every entry, and whether the journal is intact. Takes no lock. */
  read(): Promise<JournalState>;
}

/** The journal in the work directory. */
export interface JournalState extends JournalReading {
  /** Whether the file exists. */
  readonly present: boolean;
  /** The chain that this copy of the work directory writes; undefined if it has not written any entry. */
  readonly own: string | undefined;
  /** This machine's name in entries. */
  readonly host: string;
  /** Broken journals that were set aside, as MESH113's fix does. */
  readonly archived: readonly ArchivedJournal[];
  /** The entries of `open` whose process may still be running. */
  readonly inProgress: readonly JournalEntry[];
}

/**
 * The work directory: the only state between commands (docs/work-directory.md). Paths are relative to it. All methods
 * throw `WORKDIR_UNREADABLE` or `WORKDIR_UNWRITABLE` (`DISK_FULL` on ENOSPC) with the path in the message.
 */
export interface Workspace {
  /** Absolute path of the work directory. It need not exist before the first write. */
  readonly root: string;
  /** Reads UTF-8 text; undefined if the file does not exist. */
  readText(path: string): Promise<string | undefined>;
  /** Like readText, for a file that this program writes and shows. Throws `SYMLINK` if {@link write} would. */
  readGenerated(path: string): Promise<string | undefined>;
  /** Like readText, for keys. */
  readSecret(path: string): Promise<Sensitive<string> | undefined>;
  /** lstat; undefined if the file does not exist. */
  stat(path: string): Promise<FileFacts | undefined>;
  /** Like stat, for the target of a link; also undefined for a broken link. */
  statTarget(path: string): Promise<FileFacts | undefined>;
  /** Returns the sorted names in a directory; empty if the directory does not exist. */
  list(path: string): Promise<readonly string[]>;
  /**
   * Writes one file, or a set of files so that a killed run leaves all or none (`.pending`, docs/work-directory.md).
   * `intent`: the journal entry of the change. Throws `SYMLINK` if a sensitive file or its directory is a symbolic link, or
   * any file's link leads out of the work directory or to another of its files, and `WORKDIR_CONFLICT` if there is a
   * `.pending` of other origin.
   */
  write(files: readonly FileContent[], intent?: ChainHead): Promise<void>;
  /**
   * Removes files; missing ones are ignored. Also removes a subdirectory of a cluster's directory that is then empty. Throws
   * `SYMLINK` if a directory's link leads elsewhere.
   */
  remove(paths: readonly string[]): Promise<void>;
  /**
   * Called first under the lock: completes committed `.pending` sets of this copy, discards uncommitted ones, and records
   * both, and intents without an outcome as unknown. Returns one line for each of these changes. Throws `WORKDIR_CONFLICT`
   * for sets of other origin.
   */
  recover(): Promise<readonly string[]>;
  /** Takes the writer's lock, creating the work directory if needed. Throws `WORKDIR_LOCKED`. */
  lock(command: string): Promise<{release(): Promise<void>}>;
  readonly journal: Journal;
  /** Accesses another directory, such as that of the root key, whose changes this work directory's journal records. */
  directory(root: string): Workspace;
  /** Whether an absolute path leads into the work directory, after following links. */
  isBelow(path: string): Promise<boolean>;
  /** Reads a file that the user named, or `-` for standard input: `certs inspect FILE`, `--passphrase-file`. Throws `FILE_MISSING`, `WORKDIR_UNREADABLE`. */
  readOutside(path: string): Promise<Sensitive<Buffer>>;
  /**
   * Atomically writes a file outside the work directory that the user named (`--output-file`); a new file gets mode
   * 0644, so that others can read it. `createsDirectory`: with the directories above it. Throws `OUTPUT_FAILED`.
   */
  writeOutside(path: string, content: string, options?: {readonly createsDirectory?: boolean}): Promise<void>;
}
