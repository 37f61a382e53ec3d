/** What a cluster remembers of the journal. */
import {headComparer} from '../../domain/journal/head.js';
import {isInstallNote, rememberedHeads} from '../../domain/journal/remembered.js';
import type {Derive} from '../fact-sources.js';

export const deriveJournalHeads: Derive<'journalHeads'> = async ({reads, deps, journal}) => {
  const [secret, configMaps] = await Promise.all([reads.read('cacerts'), reads.read('configMaps')]);
  const objects = [...(secret ? [secret] : []), ...configMaps.filter(isInstallNote)];
  const heads = rememberedHeads(objects, headComparer(await journal()));
  if (heads.every(({result}) => result === 'agrees')) return heads;
  // A push of this moment may have written both since the journal was read: its entry comes first.
  return rememberedHeads(objects, headComparer(await deps.workspace.journal.read()));
};
