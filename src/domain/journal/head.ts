/**
 * The journal against what clusters remember: each write of a Secret `cacerts` carries the place and the hash of its own
 * intent as an annotation. Whoever cuts or rewrites the journal would have to change the clusters, too.
 */
import {groupBy} from '../group-by.js';
import {recordName} from '../istio/names.js';
import type {KubeObject} from '../kube/object.js';
import {describeRef, fieldManager, refOf} from '../kube/paths.js';
import {printableLine} from '../printable.js';
import {type ChainHead, type JournalFault, isUnmodified, isIntactUpTo} from './chain.js';
import {type JournalEntry, entryId} from './entry.js';

/** The annotation: `CHAIN/SEQ:HASH` of the intent of the write that left it. */
export const journalHeadAnnotation = `${fieldManager}/journal-head`;

/** Reads an annotation; undefined for a text that no run writes. */
export function parseHead(text: string): ChainHead | undefined {
  const [, chain, seq, hash] = /^([0-9a-f]{1,64})\/(0|[1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? [];
  return chain === undefined || hash === undefined ? undefined : {chain, seq: Number(seq), hash};
}

/** A broken journal under the name that MESH113's fix gives it. */
export interface ArchivedJournal {
  /** Its name in the work directory. */
  readonly file: string;
  readonly entries: readonly JournalEntry[];
  /** What is wrong with it, a last line that was cut off included: nobody closes that any more. */
  readonly faults: readonly JournalFault[];
}

/** What is compared with a head: a journal as it lies in the work directory. */
export interface JournalContent {
  /** Whether there is a file. */
  readonly present: boolean;
  readonly entries: readonly JournalEntry[];
  /** The chain that this copy of the work directory writes. */
  readonly own: string | undefined;
  /** This machine, as entries name it. */
  readonly host: string;
  /** Journals that were put aside, evidence and all. */
  readonly aside: readonly ArchivedJournal[];
}

/**
 * - `agrees`: the entry is there as the cluster remembers it
 * - `rewritten`: another entry stands in its place
 * - `cut`: it was here once, and is gone
 * - `put-aside`: it is in a journal that was put aside, and what stands before it there is not as it was written
 * - `not-known-here`: it is of another copy of the work directory, as far as can be told from here; or it was put aside
 *   whole, and there is no journal now
 */
export type HeadResult = 'agrees' | 'rewritten' | 'cut' | 'put-aside' | 'not-known-here';

/** How a remembered head compares, in words that follow the name of who remembers it. */
export interface HeadVerdict {
  readonly result: HeadResult;
  readonly message: string;
}

/** Makes the comparison for one journal: it is gone through once, however many clusters remember something. */
export function headComparer({present, entries, own, host, aside}: JournalContent): (head: ChainHead) => HeadVerdict {
  const byId = groupBy(entries, entryId);
  const chains = groupBy(entries, ({chain}) => chain);
  return (head) => {
    const id = entryId(head);
    const verdict = (result: HeadResult, what: string): HeadVerdict => ({result, message: `entry ${id} ${what}`});
    const isIt = (entry: JournalEntry): boolean => entry.hash === head.hash && isUnmodified(entry);
    const found = byId.get(id);
    if (found?.some(isIt) === true) return verdict('agrees', 'is as it was written');
    if (found)
      return {result: 'rewritten', message: `another entry ${id} stands in the journal than the one that was written`};
    const inAside = ({file}: ArchivedJournal): string => `is as it was written, in ${file}, which was put aside`;
    const whole = aside.find(({entries}) => isIntactUpTo(entries, head));
    if (whole && present) return verdict('agrees', inAside(whole));
    // Else a file under that name would do for a journal.
    if (whole) return verdict('not-known-here', `${inAside(whole)}, and there is no journal now`);
    const part = aside.find((file) => file.entries.some((entry) => entryId(entry) === id && isIt(entry)));
    // Else it would do to keep one line, and to put that aside.
    if (part) {
      return verdict('put-aside', `${inAside(part)}. What stands before it there is not: nobody can rely on it`);
    }
    const cut = (why: string): HeadVerdict => verdict('cut', `is not in the journal: ${why}`);
    if (head.chain === own) return cut('this copy of the work directory wrote it');
    const chain = chains.get(head.chain) ?? [];
    if (chain.some(({seq}) => seq >= head.seq)) return cut('later entries of its chain are there');
    if (present && entries.length === 0) return cut('the file has no entries at all');
    // Without its memory a copy does not know its own chain any more; the machine's name in the entries remains.
    if (own === undefined && chain.some((entry) => isSameMachine(entry.host, host))) {
      return cut(
        'earlier entries of its chain are of this machine. If another copy on it has them, bring them (git pull)',
      );
    }
    return verdict(
      'not-known-here',
      'is of another copy of the work directory, and has not come here: bring its journal (git pull, or from the other directory). If no copy has it, it was removed. The next push from here that changes something leaves its own',
    );
  };
}

/** Hosts are `NAME/MACHINE/NAMESPACE`; the namespace differs between containers of one machine. */
function isSameMachine(one: unknown, other: string): boolean {
  const machine = (host: string): string => host.split('/').slice(0, -1).join('/');
  return typeof one === 'string' && machine(one) === machine(other);
}

/** One object's memory, compared with the journal. */
export interface RecordedHead {
  /** `Secret istio-system/cacerts` */
  readonly where: string;
  /** `CHAIN/SEQ`; absent where the annotation is none that a run writes. */
  readonly entry?: string;
  readonly result: HeadResult | 'unreadable';
  /** In words that follow `where`. */
  readonly message: string;
}

/** An object that may remember a journal. */
export interface HeadCarrier {
  /** `Secret istio-system/cacerts` */
  readonly where: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The notes of `install apply` among ConfigMaps, of any revision. */
export function installRecordCarriers(configMaps: readonly KubeObject[]): readonly HeadCarrier[] {
  return configMaps
    .filter(({metadata: {name}}) => name === recordName(undefined) || name.startsWith(recordName('')))
    .map((object) => ({where: describeRef(refOf(object)), annotations: object.metadata.annotations ?? {}}));
}

/** Compares what these objects remember; those that remember nothing are left out. */
export function compareRecordedHeads(
  objects: readonly HeadCarrier[],
  compare: ReturnType<typeof headComparer>,
): readonly RecordedHead[] {
  return objects.flatMap(({where, annotations}): readonly RecordedHead[] => {
    const text = annotations[journalHeadAnnotation];
    if (text === undefined) return [];
    const head = parseHead(text);
    if (!head) {
      const message = `its annotation ${journalHeadAnnotation} is not one that was written: ${printableLine(text).slice(0, 100)}`;
      return [{where, result: 'unreadable', message}];
    }
    return [{where, entry: entryId(head), ...compare(head)}];
  });
}
