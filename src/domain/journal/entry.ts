/** One line of journal.jsonl: what was about to be done, or what became of it. */

/** The API server's own name for whoever asks it (`kubectl auth whoami`); the impersonated one with `--as`. */
export interface ApiIdentity {
  readonly username: string;
  /** Of a service account, and of users of providers that have such a thing. */
  readonly uid?: string;
}

/** What an entry records, before it has its place in the chain. Never a key, never a passphrase. */
export interface JournalRecord {
  /** `intent` before an effect, `outcome` after it, `repair` where a torn line was closed. */
  readonly kind: 'intent' | 'outcome' | 'repair';
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
  /** Of an intent: the action in words. */
  readonly title?: string;
  /** Of an intent: why, as said with `--reason`. */
  readonly reason?: string;
  /** Of an intent about a cluster: who its API server says that we are. */
  readonly identity?: ApiIdentity;
  /** Of an outcome: the id of its intent. */
  readonly intent?: string;
  /** Of an outcome. `unknown`: the run ended before it could say. */
  readonly status?: 'done' | 'failed' | 'cancelled' | 'unknown';
  readonly error?: {readonly code: string; readonly message: string};
  /**
   * Of the first entry of a run: `CHAIN/SEQ:HASH` of the newest entries of other chains that stood in the file, as far as no
   * entry had named them before. So a chain of one copy vouches for those of the others.
   */
  readonly seen?: readonly string[];
  /** What the effect told: fingerprints, names, dates. */
  readonly detail?: Readonly<Record<string, unknown>>;
}

/** An entry with its place in a chain. */
export interface JournalEntry extends JournalRecord {
  /** The chain: one for each copy of a work directory, so that two people do not fork one chain. */
  readonly chain: string;
  /** From 0, within the chain. */
  readonly seq: number;
  /** Hash of the entry before it in the chain; {@link genesis} for the first. */
  readonly previous: string;
  /** SHA-256 of everything else in this entry, as canonical JSON. */
  readonly hash: string;
}

/** What the first entry of a chain has as `previous`. */
export const genesis = '0'.repeat(64);

/** The id by which an outcome names its intent. */
export function entryId(entry: {readonly chain: string; readonly seq: number}): string {
  return `${entry.chain}/${String(entry.seq)}`;
}
