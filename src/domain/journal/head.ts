/**
 * Compares the journal with the heads recorded in clusters: each write of a Secret `cacerts` adds an annotation with the
 * position and hash of its intent. Tampering with the journal therefore requires changing the clusters too.
 */
import {groupBy} from '../group-by.js';
import {recordName} from '../istio/names.js';
import type {KubeObject} from '../kube/object.js';
import {describeRef, fieldManager, refOf} from '../kube/paths.js';
import {printableLine} from '../printable.js';
import {type ChainHead, type JournalFault, isUnmodified, isIntactUpTo} from './chain.js';
import {type JournalEntry, entryId} from './entry.js';

/** The annotation with `CHAIN/SEQ:HASH` of the intent of the write that set it. */
export const journalHeadAnnotation = `${fieldManager}/journal-head`;

/** Parses an annotation; undefined if it is not valid. */
export function parseHead(text: string): ChainHead | undefined {
  const [, chain, seq, hash] = /^([0-9a-f]{1,64})\/(0|[1-9]\d{0,14}):([0-9a-f]{64})$/.exec(text) ?? [];
  return chain === undefined || hash === undefined ? undefined : {chain, seq: Number(seq), hash};
}

/** A broken journal that MESH113's fix renamed. */
export interface ArchivedJournal {
  /** Its name in the work directory. */
  readonly file: string;
  readonly entries: readonly JournalEntry[];
  /** Its faults, including a truncated last line, which no run closes any more. */
  readonly faults: readonly JournalFault[];
}

/** The journal of a work directory, with which recorded heads are compared. */
export interface JournalContent {
  /** Whether the file exists. */
  readonly present: boolean;
  readonly entries: readonly JournalEntry[];
  /** The chain that this copy of the work directory writes. */
  readonly own: string | undefined;
  /** The name of this machine in entries. */
  readonly host: string;
  /** Archived journals. */
  readonly archived: readonly ArchivedJournal[];
}

/**
 * - `agrees`: the journal contains the entry that the cluster recorded
 * - `rewritten`: a different entry has its position
 * - `cut`: the journal contained the entry, but it was removed
 * - `put-aside`: the entry is in an archived journal, whose earlier entries are not intact
 * - `not-known-here`: the entry appears to be from another copy of the work directory; or it is in an intact archived
 *   journal, and there is no current journal
 */
export type HeadResult = 'agrees' | 'rewritten' | 'cut' | 'put-aside' | 'not-known-here';

/** The result of comparing a recorded head, with a message that follows the name of the object that records it. */
export interface HeadVerdict {
  readonly result: HeadResult;
  readonly message: string;
}

/** Returns the comparison for one journal, which is indexed once for any number of heads. */
export function headComparer(journal: JournalContent): (head: ChainHead) => HeadVerdict {
  const {present, entries, own, host, archived} = journal;
  const byId = groupBy(entries, entryId);
  const chains = groupBy(entries, ({chain}) => chain);
  return (head) => {
    const id = entryId(head);
    const verdict = (result: HeadResult, what: string): HeadVerdict => ({result, message: `entry ${id} ${what}`});
    const isRecorded = (entry: JournalEntry): boolean => entry.hash === head.hash && isUnmodified(entry);
    const found = byId.get(id);
    if (found?.some(isRecorded) === true) return verdict('agrees', 'is intact');
    if (found) return verdict('rewritten', 'in the journal differs from the recorded entry');
    const inArchive = ({file}: ArchivedJournal): string => `is intact in ${file}, which was set aside`;
    const intact = archived.find(({entries}) => isIntactUpTo(entries, head));
    if (intact && present) return verdict('agrees', inArchive(intact));
    // Otherwise a file with that name could replace the journal.
    if (intact) return verdict('not-known-here', `${inArchive(intact)}, but there is no current journal`);
    const damaged = archived.find((file) => file.entries.some((entry) => entryId(entry) === id && isRecorded(entry)));
    // Otherwise an archive with only this line would be sufficient.
    if (damaged) {
      return verdict('put-aside', `${inArchive(damaged)}, but earlier entries there are not: it is not reliable`);
    }
    const cut = (why: string): HeadVerdict => verdict('cut', `is not in the journal: ${why}`);
    if (head.chain === own) return cut('this copy of the work directory wrote it');
    const chain = chains.get(head.chain) ?? [];
    if (chain.some(({seq}) => seq >= head.seq)) return cut('the journal has later entries of its chain');
    if (present && entries.length === 0) return cut('the file has no entries');
    // Without .journal-head.json a copy cannot identify its own chain; only the machine's name in the entries remains.
    if (own === undefined && chain.some((entry) => isSameMachine(entry.host, host))) {
      return cut(
        'this machine wrote earlier entries of its chain. If another copy on this machine has it, merge that journal (git pull)',
      );
    }
    return verdict(
      'not-known-here',
      'is from another copy of the work directory and not in this journal: merge that journal (git pull, or copy it from the other directory). If no copy has the entry, it was removed. The next push from here that changes the Secret replaces the recorded entry with one of this journal',
    );
  };
}

/** Hosts are `NAME/MACHINE/NAMESPACE`; the namespace differs between containers on one machine. */
function isSameMachine(one: unknown, other: string): boolean {
  const machine = (host: string): string => host.split('/').slice(0, -1).join('/');
  return typeof one === 'string' && machine(one) === machine(other);
}

/** The head that an object records, compared with the journal. */
export interface RecordedHead {
  /** `Secret istio-system/cacerts` */
  readonly where: string;
  /** `CHAIN/SEQ`; absent if the annotation is not valid. */
  readonly entry?: string;
  readonly result: HeadResult | 'unreadable';
  /** Text that follows `where`. */
  readonly message: string;
}

/** An object that may record a journal head. */
export interface AnnotatedObject {
  /** `Secret istio-system/cacerts` */
  readonly where: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Returns the install records among ConfigMaps, for all revisions. */
export function installRecords(configMaps: readonly KubeObject[]): readonly AnnotatedObject[] {
  return configMaps
    .filter(({metadata: {name}}) => name === recordName(undefined) || name.startsWith(recordName('')))
    .map((object) => ({where: describeRef(refOf(object)), annotations: object.metadata.annotations ?? {}}));
}

/** Compares the heads that these objects record. Objects without one are left out. */
export function compareHeads(
  objects: readonly AnnotatedObject[],
  compare: ReturnType<typeof headComparer>,
): readonly RecordedHead[] {
  return objects.flatMap(({where, annotations}): readonly RecordedHead[] => {
    const text = annotations[journalHeadAnnotation];
    if (text === undefined) return [];
    const head = parseHead(text);
    if (!head) {
      const message = `invalid annotation ${journalHeadAnnotation}: ${printableLine(text).slice(0, 100)}`;
      return [{where, result: 'unreadable', message}];
    }
    return [{where, entry: entryId(head), ...compare(head)}];
  });
}
