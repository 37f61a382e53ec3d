/** What a cluster remembers of the journal. */
import {headComparer, installNotes, rememberedHeads, type Remembering} from '../../domain/journal/head.js';
import {cacertsName} from '../../domain/istio/names.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import type {Derive} from '../fact-sources.js';

export const deriveJournalHeads: Derive<'journalHeads'> = async ({reads, mesh, deps, cacerts, journal}) => {
  const [secret, configMaps] = await Promise.all([cacerts(), reads.read('configMaps')]);
  const objects = objectsWithHeads(mesh.istio.namespace, secret, configMaps);
  const heads = rememberedHeads(objects, headComparer(await journal()));
  if (heads.every(({result}) => result === 'agrees')) return heads;
  // A push of this moment may have written both since the journal was read: its entry comes first.
  return rememberedHeads(objects, headComparer(await deps.workspace.journal.read()));
};

/** The objects of a cluster that may remember a journal: Secret cacerts, and the notes of `install apply` among ConfigMaps. */
export function objectsWithHeads(
  istioNamespace: string,
  cacerts: CacertsSecret | 'absent',
  configMaps: readonly KubeObject[],
): readonly Remembering[] {
  const secret =
    cacerts === 'absent' ? [] : [{where: `Secret ${istioNamespace}/${cacertsName}`, annotations: cacerts.annotations}];
  return [...secret, ...installNotes(configMaps)];
}
