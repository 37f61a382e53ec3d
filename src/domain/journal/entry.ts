/** One line of journal.jsonl: the intent of an action, or its outcome. */

/** The user as the API server identifies it (`kubectl auth whoami`); with `--as`, the impersonated user. */
export interface ApiIdentity {
  readonly username: string;
  /** Present for service accounts, and for users of authentication providers with UIDs. */
  readonly uid?: string;
}

/** The kinds of entries. */
export const entryKinds = ['intent', 'outcome', 'set', 'recovery', 'repair'] as const;

/** The content of an entry without its position in the chain. It never contains a key or a passphrase. */
export interface JournalRecord {
  /**
   * `intent` before an effect, `outcome` after it, `set` before a set of files is written, `recovery` after such a set of a
   * killed run was completed or discarded, `repair` after a truncated line was closed.
   */
  readonly kind: (typeof entryKinds)[number];
  /** ISO 8601, UTC. */
  readonly time: string;
  readonly user: string;
  readonly host: string;
  readonly pid: number;
  /** As typed: `trust push`. */
  readonly command: string;
  /** The action's id: `cluster1/cacerts`. */
  readonly action: string;
  readonly cluster?: string;
  /** Intents only: a description of the action. */
  readonly title?: string;
  /** Intents only: the value of `--reason`. */
  readonly reason?: string;
  /** Intents that concern a cluster only: the user as its API server identifies it. */
  readonly identity?: ApiIdentity;
  /** The id of the intent: of outcomes, and of sets and their recoveries. */
  readonly intent?: string;
  /** Outcomes only. `unknown`: the run ended before it recorded an outcome. */
  readonly status?: 'done' | 'failed' | 'cancelled' | 'unknown';
  readonly error?: {readonly code: string; readonly message: string};
  /**
   * First entry of a run only: `CHAIN/SEQ:HASH` of the newest entries of other chains in the file, except for those that an
   * earlier entry references. In this way the chain of one copy protects those of the others.
   */
  readonly seen?: readonly string[];
  /** Details that the effect reports: fingerprints, names, dates. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** An entry with its position in a chain. */
export interface JournalEntry extends JournalRecord {
  /** The chain: one for each copy of a work directory, so that two users do not fork a chain. */
  readonly chain: string;
  /** The position in the chain, from 0. */
  readonly seq: number;
  /** Hash of the previous entry in the chain; {@link genesis} for the first. */
  readonly previous: string;
  /** SHA-256 of everything else in this entry, as canonical JSON. */
  readonly hash: string;
}

/** The value of `previous` in the first entry of a chain. */
export const genesis = '0'.repeat(64);

/** Returns an entry's id, by which an outcome references its intent. */
export function entryId(entry: {readonly chain: string; readonly seq: number}): string {
  return `${entry.chain}/${String(entry.seq)}`;
}
