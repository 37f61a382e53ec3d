/**
 * Sets of files in the journal: before a set is written to `.pending`, its paths and hashes are recorded. Only a set that
 * this copy of the work directory recorded is completed or discarded after a killed run: `.pending` may also come from a
 * git repository, an archive or another program. So may the journal, therefore each record has a keyed hash, whose secret
 * never leaves this copy.
 */
import {createHmac, timingSafeEqual} from 'node:crypto';
import {canonicalJson, type ChainHead, isContiguous} from './chain.js';
import {entryId, type JournalEntry} from './entry.js';

/** A set of files in one directory. */
export interface FileSet {
  /** Relative to the work directory, `.` for itself; absolute for the directory of a root key outside it. */
  readonly directory: string;
  /** The SHA-256 of each file's content in hex, by its path relative to `directory`. */
  readonly files: Readonly<Record<string, string>>;
}

/** A set that was recorded and may not be in its place yet. */
export interface RecordedSet extends FileSet {
  /** The id of its entry. */
  readonly id: string;
  /** The entry, for the subject of a recovery. */
  readonly entry: JournalEntry;
}

/** Where an entry is in its chain. `previous` depends on every entry before it. */
type Position = Pick<JournalEntry, 'chain' | 'previous'>;

/**
 * HMAC-SHA256 of a set in hex, at one position of the journal: the record of an earlier set cannot be repeated. `secret`: of
 * this copy, at least 32 bytes in hex.
 */
export function setHash({directory, files}: FileSet, {chain, previous}: Position, secret: string): string {
  return createHmac('sha256', Buffer.from(secret, 'hex'))
    .update(canonicalJson({directory, files, chain, previous}))
    .digest('hex');
}

/** What this copy of the work directory has recorded about its chain outside the journal. */
export interface OwnChain {
  readonly chain: string;
  readonly secret: string;
  /** Undefined before the first entry. */
  readonly head?: ChainHead;
}

/**
 * Returns the newest set that this copy recorded for a directory; undefined if there is none, or if its change is done, or
 * if it was recovered. Only this copy's chain counts, and it must be intact from the set up to the recorded head: otherwise
 * the outcome or the recovery may have been removed, for example by a git merge.
 */
export function openSet(
  journal: readonly JournalEntry[],
  directory: string,
  {chain, secret, head}: OwnChain,
): RecordedSet | undefined {
  const entries = journal.filter((entry) => entry.chain === chain);
  const index = entries.findLastIndex(({kind, detail}) => kind === 'set' && detail?.directory === directory);
  const since = index < 0 ? [] : entries.slice(index);
  const [entry] = since;
  const files = entry && filesOf(entry);
  if (!files || !isOwn(entry, {directory, files}, secret) || !isContiguous(since)) return undefined;
  // The head may be older than the journal after a crash, but never newer.
  if (head && head.seq >= entry.seq && !since.some(({hash}) => hash === head.hash)) return undefined;
  const id = entryId(entry);
  const isSettled = since.some(
    ({kind, intent, status, detail}) =>
      (kind === 'recovery' && detail?.set === id) ||
      (kind === 'outcome' && status === 'done' && intent !== undefined && intent === entry.intent),
  );
  return isSettled ? undefined : {id, directory, files, entry};
}

function isOwn(entry: JournalEntry, set: FileSet, secret: string): boolean {
  const [given, expected] = [Buffer.from(String(entry.detail?.own)), Buffer.from(setHash(set, entry, secret))];
  return given.length === expected.length && timingSafeEqual(given, expected);
}

function filesOf({detail}: JournalEntry): FileSet['files'] | undefined {
  const files = detail?.files;
  if (typeof files !== 'object' || files === null) return undefined;
  return Object.values(files).every((hash) => typeof hash === 'string') ? (files as FileSet['files']) : undefined;
}
