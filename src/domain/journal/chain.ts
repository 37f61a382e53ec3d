/** The hash chain of journal.jsonl: sealing entries, reading them back, and finding what was changed behind its back. */
import {defined} from '../defined.js';
import {sha256Hex} from '../keys/keys.js';
import {type JournalEntry, type JournalRecord, entryId, genesis} from './entry.js';

/** Where a chain continues. */
export type ChainHead = Pick<JournalEntry, 'chain' | 'seq' | 'hash'>;

/** `CHAIN/SEQ:HASH` */
export function formatHead({chain, seq, hash}: ChainHead): string {
  return `${entryId({chain, seq})}:${hash}`;
}

/** One thing wrong with a journal. */
export interface JournalFault {
  /** From 1. */
  readonly line: number;
  /**
   * - `unreadable`: not an entry, and no repair closes it
   * - `torn`: the last line was cut off, as by a full disk or a crash; the next run closes it
   * - `changed`: the entry is not what was sealed
   * - `out-of-place`: entries before it were removed, added or moved
   * - `cut-off`: the newest entry this work directory knows of is not there, or one that an entry of another chain saw
   */
  readonly kind: 'unreadable' | 'torn' | 'changed' | 'out-of-place' | 'cut-off';
  readonly message: string;
}

/** A journal, read. */
export interface JournalReading {
  readonly entries: readonly JournalEntry[];
  readonly faults: readonly JournalFault[];
  /** The newest entry of each chain. */
  readonly heads: ReadonlyMap<string, ChainHead>;
  /** Intents without an outcome: their runs are under way, or ended before they could say. */
  readonly open: readonly JournalEntry[];
  /** The text of a last line that was cut off, if there is one. */
  readonly torn?: string;
}

/** JSON with sorted keys and without insignificant characters: the same value always gives the same bytes. */
export function canonicalJson(value: unknown): string {
  // What JSON leaves out or turns into text (undefined, dates, sensitive values) is gone after one round.
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

/** What an entry behind `head` has; without a head it is the first of its chain. */
function placeAfter(head: ChainHead | undefined): Pick<JournalEntry, 'seq' | 'previous'> {
  return head ? {seq: head.seq + 1, previous: head.hash} : {seq: 0, previous: genesis};
}

/** Gives a record its place behind `head`; without a head it is the first of its chain. */
export function seal(record: JournalRecord, chain: string, head: ChainHead | undefined): JournalEntry {
  const placed = {...record, chain, ...placeAfter(head)};
  return {...placed, hash: sha256Hex(canonicalJson(placed))};
}

/** Whether an entry's hash is that of its content. */
export function isUnmodified({hash, ...rest}: JournalEntry): boolean {
  return sha256Hex(canonicalJson(rest)) === hash;
}

/** Whether the chain of a head is unbroken from its first entry on to that one. Entries of other chains may stand between. */
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

/** The line of an entry, with its line feed. */
export function entryLine(entry: JournalEntry): string {
  return `${canonicalJson(entry)}\n`;
}

/**
 * Reads a journal and checks each chain in it. Chains of several people may be mixed, as after a merge in git: each is
 * judged alone. `known` is the newest entry that this work directory remembers.
 */
export function readJournal(text: string, known?: ChainHead): JournalReading {
  const lines = text.split('\n');
  // What stands behind the last line feed is nothing, or a line that was cut off.
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
      faults.push({line, kind: 'torn', message: 'the last line is cut off'});
    } else broken.push({line, hash: sha256Hex(text)});
  }
  const entries = placed.map(({entry}) => entry);
  const repaired = new Set(entries.filter(({kind}) => kind === 'repair').map(({detail}) => detail?.torn));
  // Not all at once: a file that is no journal may have more lines than a function takes arguments.
  for (const {line, hash} of broken) {
    if (!repaired.has(hash)) faults.push({line, kind: 'unreadable', message: 'the line is not an entry'});
  }
  const there = new Set(entries.map(formatHead));
  if (known && !there.has(formatHead(known))) {
    const message = `entry ${entryId(known)} was written here and is not in the journal`;
    faults.push({line: lines.length, kind: 'cut-off', message});
  }
  faults.push(...missingSeenEntries(placed, there));
  faults.sort((a, b) => a.line - b.line);
  const closed = new Set(entries.map(({intent}) => intent));
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
  // A field that stands there twice is one to the hash, and another to whoever reads the file by other means. Line ends
  // are git's to choose.
  if (!isUnmodified(entry) || text.replace(/\r$/, '') !== canonicalJson(entry)) {
    return [{line, kind: 'changed', message: `entry ${id} is not what was written`}];
  }
  const {seq, previous} = placeAfter(head);
  if (entry.seq === seq && entry.previous === previous) return [];
  const message =
    entry.seq === seq
      ? `entry ${id} does not follow the one before it`
      : `entry ${String(entry.seq)} of chain ${entry.chain} stands where entry ${String(seq)} belongs`;
  return [{line, kind: 'out-of-place', message}];
}

/** Entries that others saw and that are missing or different now. `there`: the heads of all present entries. */
function missingSeenEntries(placed: readonly Placed[], there: ReadonlySet<string>): readonly JournalFault[] {
  return placed.flatMap(({line, entry}) =>
    seenHeads(entry)
      .filter((head) => !there.has(head))
      .map((head): JournalFault => {
        const id = head.replace(/:.*$/s, '').slice(0, 100);
        const message = `entry ${id}, which stood here when this was written, is not in the journal as it was`;
        return {line, kind: 'cut-off', message};
      }),
  );
}

function seenHeads({seen}: JournalEntry): readonly string[] {
  return Array.isArray(seen) ? (seen as readonly unknown[]).filter((head) => typeof head === 'string') : [];
}

/**
 * What the next entry of a chain is to name: the newest entries of other chains that no entry named yet. Those of broken
 * chains are left out: who puts the true lines back must not be told that the wrong ones are gone.
 */
export function headsToReference({entries, heads}: JournalReading, chain: string): readonly string[] {
  const named = new Set(entries.flatMap(seenHeads));
  return [...heads.values()]
    .filter((head) => head.chain !== chain && !named.has(formatHead(head)) && isIntactUpTo(entries, head))
    .map(formatHead);
}

function parseEntry(line: string): JournalEntry | undefined {
  // Thousands of exceptions take seconds.
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
    ['intent', 'outcome', 'repair'].includes(String(kind)) &&
    Number.isSafeInteger(seq) &&
    [chain, previous, hash].every((one) => typeof one === 'string')
  );
}
