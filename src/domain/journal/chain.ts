/** The hash chain of journal.jsonl: seals entries, reads them back, and detects tampering. */
import {defined} from '../defined.js';
import {sha256Hex} from '../keys/keys.js';
import {type JournalEntry, type JournalRecord, entryId, entryKinds, genesis} from './entry.js';

/** The last entry of a chain. */
export type ChainHead = Pick<JournalEntry, 'chain' | 'seq' | 'hash'>;

/** Formats a head as `CHAIN/SEQ:HASH`. */
export function formatHead({chain, seq, hash}: ChainHead): string {
  return `${entryId({chain, seq})}:${hash}`;
}

/** A fault in a journal. */
export interface JournalFault {
  /** The line number, from 1. */
  readonly line: number;
  /**
   * - `unreadable`: the line is not an entry, and no repair entry closes it
   * - `torn`: the last line is truncated, for example after a crash or on a full disk; the next run closes it
   * - `changed`: the entry differs from what was sealed
   * - `out-of-place`: entries before it were removed, added or moved
   * - `cut-off`: an entry is missing that this work directory recorded as its newest, or that another chain references
   */
  readonly kind: 'unreadable' | 'torn' | 'changed' | 'out-of-place' | 'cut-off';
  readonly message: string;
}

/** A journal and its faults. */
export interface JournalReading {
  readonly entries: readonly JournalEntry[];
  readonly faults: readonly JournalFault[];
  /** The newest entry of each chain. */
  readonly heads: ReadonlyMap<string, ChainHead>;
  /** Intents without an outcome: their runs are in progress, or ended before they recorded one. */
  readonly open: readonly JournalEntry[];
  /** The text of a truncated last line, if there is one. */
  readonly torn?: string;
}

/** Formats JSON with sorted keys and without insignificant whitespace: the same value always gives the same bytes. */
export function canonicalJson(value: unknown): string {
  // One round trip removes or converts values that JSON cannot represent (undefined, dates, sensitive values).
  return JSON.stringify(sortKeys(JSON.parse(JSON.stringify(value)) as unknown));
}

function sortKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortKeys);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([key, item]) => [key, sortKeys(item)]),
  );
}

/** Returns the position of the entry after `head`; without a head, of the first entry in a chain. */
export function placeAfter(head: ChainHead | undefined): Pick<JournalEntry, 'seq' | 'previous'> {
  return head ? {seq: head.seq + 1, previous: head.hash} : {seq: 0, previous: genesis};
}

/** Appends a record after `head`; without a head, it becomes the first entry of its chain. */
export function seal(record: JournalRecord, chain: string, head: ChainHead | undefined): JournalEntry {
  const placed = {...record, chain, ...placeAfter(head)};
  return {...placed, hash: sha256Hex(canonicalJson(placed))};
}

/** Reports whether an entry's hash matches its content. */
export function isUnmodified({hash, ...rest}: JournalEntry): boolean {
  return sha256Hex(canonicalJson(rest)) === hash;
}

/** Reports whether entries of one chain follow each other without a gap, and none of them was modified. */
export function isContiguous(entries: readonly JournalEntry[]): boolean {
  return entries.every((entry, index) => {
    const {seq, previous} = placeAfter(entries[index - 1]);
    return isUnmodified(entry) && (index === 0 || (entry.seq === seq && entry.previous === previous));
  });
}

/** Reports whether a head's chain is intact from its first entry up to the head. Entries of other chains are ignored. */
export function isIntactUpTo(entries: readonly JournalEntry[], {chain, seq, hash}: ChainHead): boolean {
  let head: ChainHead | undefined;
  for (const entry of entries.filter((one) => one.chain === chain)) {
    const expected = placeAfter(head);
    if (!isUnmodified(entry) || entry.seq !== expected.seq || entry.previous !== expected.previous) return false;
    if (entry.seq === seq) return entry.hash === hash;
    head = entry;
  }
  return false;
}

/** Formats an entry as a line with a line feed. */
export function entryLine(entry: JournalEntry): string {
  return `${canonicalJson(entry)}\n`;
}

/**
 * Reads a journal and checks each of its chains separately: chains of several users may be interleaved, for example after a
 * git merge. `known` is the newest entry that this work directory has recorded.
 */
export function readJournal(text: string, known?: ChainHead): JournalReading {
  const lines = text.split('\n');
  // The text after the last line feed is empty or a truncated line.
  const rest = lines.pop() ?? '';
  if (rest !== '') lines.push(rest);
  const placed: Placed[] = [];
  const faults: JournalFault[] = [];
  const heads = new Map<string, ChainHead>();
  const broken: {readonly line: number; readonly hash: string}[] = [];
  let torn: string | undefined;
  for (const [index, text] of lines.entries()) {
    const line = index + 1;
    const entry = parseEntry(text);
    if (entry) {
      const {chain, seq, hash} = entry;
      faults.push(...checkEntry(entry, {line, text}, heads.get(chain)));
      heads.set(chain, {chain, seq, hash});
      placed.push({line, entry});
    } else if (line === lines.length && rest !== '') {
      torn = text;
      faults.push({line, kind: 'torn', message: 'the last line is truncated'});
    } else broken.push({line, hash: sha256Hex(text)});
  }
  const entries = placed.map(({entry}) => entry);
  const repaired = new Set(entries.filter(({kind}) => kind === 'repair').map(({detail}) => detail?.torn));
  // One push per line: a file that is not a journal may have more lines than a function accepts arguments.
  for (const {line, hash} of broken) {
    if (!repaired.has(hash)) faults.push({line, kind: 'unreadable', message: 'the line is not an entry'});
  }
  const present = new Set(entries.map(formatHead));
  if (known && !present.has(formatHead(known))) {
    const how =
      torn === undefined ? 'is missing' : 'is missing or truncated: a crash truncates only an unrecorded line';
    const message = `entry ${entryId(known)}, which this work directory recorded, ${how}`;
    faults.push({line: lines.length, kind: 'cut-off', message});
  }
  faults.push(...missingSeenEntries(placed, present));
  faults.sort((a, b) => a.line - b.line);
  const closed = new Set(entries.filter(({kind}) => kind === 'outcome').map(({intent}) => intent));
  const open = entries.filter((entry) => entry.kind === 'intent' && !closed.has(entryId(entry)));
  return defined({entries, faults, heads, open, torn});
}

/** An entry and its line number. */
interface Placed {
  readonly line: number;
  readonly entry: JournalEntry;
}

function checkEntry(
  entry: JournalEntry,
  {line, text}: {readonly line: number; readonly text: string},
  head: ChainHead | undefined,
): readonly JournalFault[] {
  const id = entryId(entry);
  // The line must be canonical: the hash covers only one value of a duplicate field, and other tools may read the other
  // one. git may change line endings.
  if (!isUnmodified(entry) || text.replace(/\r$/, '') !== canonicalJson(entry)) {
    return [{line, kind: 'changed', message: `entry ${id} was modified`}];
  }
  const {seq, previous} = placeAfter(head);
  if (entry.seq === seq && entry.previous === previous) return [];
  const message =
    entry.seq === seq
      ? `entry ${id} does not link to the previous entry`
      : `expected entry ${String(seq)} of chain ${entry.chain}, found entry ${String(entry.seq)}`;
  return [{line, kind: 'out-of-place', message}];
}

/** Returns faults for entries that others reference and that are missing or modified. `present`: the heads of all entries. */
function missingSeenEntries(placed: readonly Placed[], present: ReadonlySet<string>): readonly JournalFault[] {
  return placed.flatMap(({line, entry}) =>
    seenHeads(entry)
      .filter((head) => !present.has(head))
      .map((head): JournalFault => {
        const id = head.replace(/:.*$/s, '').slice(0, 100);
        const message = `entry ${id}, which this entry references, is missing or modified`;
        return {line, kind: 'cut-off', message};
      }),
  );
}

function seenHeads({seen}: JournalEntry): readonly string[] {
  return Array.isArray(seen) ? (seen as readonly unknown[]).filter((head) => typeof head === 'string') : [];
}

/**
 * Returns the heads that the next entry of a chain references: the newest entries of other chains that no entry references
 * yet. Broken chains are left out, so that restoring their original lines does not cause new faults.
 */
export function headsToReference({entries, heads}: JournalReading, chain: string): readonly string[] {
  const referenced = new Set(entries.flatMap(seenHeads));
  return [...heads.values()]
    .filter((head) => head.chain !== chain && !referenced.has(formatHead(head)) && isIntactUpTo(entries, head))
    .map(formatHead);
}

function parseEntry(line: string): JournalEntry | undefined {
  // Avoids exceptions: thousands of them take seconds.
  if (!line.trimStart().startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(line);
    return isEntry(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isEntry(value: unknown): value is JournalEntry {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const {kind, chain, seq, previous, hash} = value as Partial<Record<keyof JournalEntry, unknown>>;
  return (
    entryKinds.some((one) => one === kind) &&
    Number.isSafeInteger(seq) &&
    [chain, previous, hash].every((one) => typeof one === 'string')
  );
}
