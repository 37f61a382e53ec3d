/** What a cluster remembers of the journal. */
import {headComparer, installRecords, compareHeads, type AnnotatedObject} from '../../domain/journal/head.js';
import {cacertsName} from '../../domain/istio/names.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {CacertsSecret} from '../../domain/trust/cacerts.js';
import type {Derive} from '../fact-sources.js';

export const deriveJournalHeads: Derive<'journalHeads'> = async ({reads, mesh, deps, cacerts, journal}) => {
  const [secret, configMaps] = await Promise.all([cacerts(), reads.read('configMaps')]);
  const objects = rememberingObjects(mesh.istio.namespace, secret, configMaps);
  const heads = compareHeads(objects, headComparer(await journal()));
  if (heads.every(({result}) => result === 'agrees')) return heads;
  // A push of this moment may have written both since the journal was read: its entry comes first.
  return compareHeads(objects, headComparer(await deps.workspace.journal.read()));
};

/** The objects of a cluster that may remember a journal: Secret cacerts, and the notes of `install apply` among ConfigMaps. */
export function rememberingObjects(
  istioNamespace: string,
  cacerts: CacertsSecret | 'absent',
  configMaps: readonly KubeObject[],
): readonly AnnotatedObject[] {
  const secret =
    cacerts === 'absent' ? [] : [{where: `Secret ${istioNamespace}/${cacertsName}`, annotations: cacerts.annotations}];
  return [...secret, ...installRecords(configMaps)];
}
