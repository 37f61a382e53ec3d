/** What a cluster remembers of journals, found on the objects that this program writes there. */
import {recordName} from '../install/live.js';
import type {KubeObject} from '../kube/object.js';
import {describeRef, refOf} from '../kube/paths.js';
import {printableLine} from '../printable.js';
import {entryId} from './entry.js';
import type {HeadResult, headComparer} from './head.js';
import {journalHeadAnnotation, parseHead} from './head.js';

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

/** Whether a ConfigMap is a note of `install apply`, of whatever revision. */
export function isInstallNote({metadata: {name}}: Pick<KubeObject, 'metadata'>): boolean {
  return name === recordName(undefined) || name.startsWith(recordName(''));
}

/** Compares what these objects remember; those that remember nothing are left out. */
export function rememberedHeads(
  objects: readonly KubeObject[],
  compare: ReturnType<typeof headComparer>,
): readonly RememberedHead[] {
  return objects.flatMap((object): readonly RememberedHead[] => {
    const text = object.metadata.annotations?.[journalHeadAnnotation];
    if (text === undefined) return [];
    const where = describeRef(refOf(object));
    const head = parseHead(text);
    if (!head) {
      const message = `its annotation ${journalHeadAnnotation} is not one that was written: ${printableLine(text).slice(0, 100)}`;
      return [{where, result: 'unreadable', message}];
    }
    return [{where, entry: entryId(head), ...compare(head)}];
  });
}
