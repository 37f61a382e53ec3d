/** Facts of journal.jsonl. */
import type {JournalFault} from '../../journal/chain.js';
import type {RememberedHead} from '../../journal/head.js';

export type {RememberedHead};

/** A change whose run ended before it could say what became of it. */
export interface OpenChange {
  /** As typed: `trust push`. */
  readonly command: string;
  readonly cluster?: string;
  /** The change in words. */
  readonly title: string;
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** The record of changes, read. */
export interface JournalFacts {
  readonly present: boolean;
  readonly entries: number;
  /** One for each copy of the work directory that has written. */
  readonly chains: number;
  readonly faults: readonly JournalFault[];
  /** Changes of this copy that no running process is busy with. */
  readonly open: readonly OpenChange[];
  /** How many changes of other copies have no outcome: only those copies can tell, and close them. */
  readonly openElsewhere: number;
  /** Broken journals that were put aside and still lie here, and what is wrong with each. */
  readonly brokenAside: readonly {readonly file: string; readonly message: string}[];
}
