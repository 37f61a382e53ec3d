/** What a cluster remembers of the journal. */
import type {ClusterFactValues} from '../../../domain/checks/facts.js';
import {headComparer} from '../../../domain/journal/head.js';
import {isInstallNote, rememberedHeads} from '../../../domain/journal/remembered.js';
import {cacertsName} from '../../../domain/trust/cacerts.js';
import type {Questions} from '../questions.js';
import type {ClusterQuestionOptions} from './cluster.js';

/** The question whether the journal has what the cluster remembers. */
export function journalQuestions({
  reads,
  deps,
  journal,
}: ClusterQuestionOptions): Questions<Pick<ClusterFactValues, 'journalHeads'>> {
  return {
    journalHeads: async () => {
      const [secret, configMaps] = await Promise.all([reads.secret(cacertsName), reads.configMaps()]);
      const objects = [...(secret ? [secret] : []), ...configMaps.filter(isInstallNote)];
      const heads = rememberedHeads(objects, headComparer(await journal()));
      if (heads.every(({result}) => result === 'agrees')) return heads;
      // A push of this moment may have written both since the journal was read: its entry comes first.
      return rememberedHeads(objects, headComparer(await deps.workspace.journal.read()));
    },
  };
}
