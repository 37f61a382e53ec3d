/** What a cluster remembers of the journal. */
import {headComparer, rememberedHeads} from '../../domain/journal/head.js';
import type {Derive} from '../fact-sources.js';
import {rememberingObjects} from '../remembering.js';

export const deriveJournalHeads: Derive<'journalHeads'> = async ({reads, mesh, deps, cacerts, journal}) => {
  const [secret, configMaps] = await Promise.all([cacerts(), reads.read('configMaps')]);
  const objects = rememberingObjects(mesh.istio.namespace, secret, configMaps);
  const heads = rememberedHeads(objects, headComparer(await journal()));
  if (heads.every(({result}) => result === 'agrees')) return heads;
  // A push of this moment may have written both since the journal was read: its entry comes first.
  return rememberedHeads(objects, headComparer(await deps.workspace.journal.read()));
};
