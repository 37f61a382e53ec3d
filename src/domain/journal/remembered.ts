/** What a cluster remembers of journals, found on the objects that this program writes there. */
import {recordName} from '../istio/names.js';
import type {KubeObject} from '../kube/object.js';
import {describeRef, refOf} from '../kube/paths.js';
import {printableLine} from '../printable.js';
import {entryId} from './entry.js';
import {type HeadResult, type headComparer, journalHeadAnnotation, parseHead} from './head.js';

/** One object's memory, compared with the journal. */
export interface RememberedHead {
  /** `Secret istio-system/cacerts` */
  readonly where: string;
  /** `CHAIN/SEQ`; absent where the annotation is none that a run writes. */
  readonly entry?: string;
  readonly result: HeadResult | 'unreadable';
  /** In words that follow `where`. */
  readonly message: string;
}

/** An object that may remember a journal. */
export interface Remembering {
  /** `Secret istio-system/cacerts` */
  readonly where: string;
  readonly annotations: Readonly<Record<string, string>>;
}

/** The notes of `install apply` among ConfigMaps, of whatever revision. */
export function installNotes(configMaps: readonly KubeObject[]): readonly Remembering[] {
  return configMaps
    .filter(({metadata: {name}}) => name === recordName(undefined) || name.startsWith(recordName('')))
    .map((object) => ({where: describeRef(refOf(object)), annotations: object.metadata.annotations ?? {}}));
}

/** Compares what these objects remember; those that remember nothing are left out. */
export function rememberedHeads(
  objects: readonly Remembering[],
  compare: ReturnType<typeof headComparer>,
): readonly RememberedHead[] {
  return objects.flatMap(({where, annotations}): readonly RememberedHead[] => {
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
