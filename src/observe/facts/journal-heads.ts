/** The journal heads recorded in a cluster. */
import {headComparer, installRecords, compareHeads, type AnnotatedObject} from '../../domain/journal/head.js';
import {cacertsName} from '../../domain/istio/names.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import type {Derive} from '../fact-sources.js';

export const deriveJournalHeads: Derive<'journalHeads'> = async ({reads, mesh, deps, cacerts, journal}) => {
  const [secret, configMaps] = await Promise.all([cacerts(), reads.read('configMaps')]);
  const objects = objectsWithHeads(mesh.istio.namespace, secret, configMaps);
  const heads = compareHeads(objects, headComparer(await journal()));
  if (heads.every(({result}) => result === 'agrees')) return heads;
  // A concurrent push may have written both since the journal was read; it writes its journal entry first.
  return compareHeads(objects, headComparer(await deps.workspace.journal.read()));
};

/** The objects that may record a journal head: Secret cacerts, and the ConfigMaps of `install apply`. */
export function objectsWithHeads(
  istioNamespace: string,
  cacerts: CacertsSecret | 'absent',
  configMaps: readonly KubeObject[],
): readonly AnnotatedObject[] {
  const secret =
    cacerts === 'absent' ? [] : [{where: `Secret ${istioNamespace}/${cacertsName}`, annotations: cacerts.annotations}];
  return [...secret, ...installRecords(configMaps)];
}
