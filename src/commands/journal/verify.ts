import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {clustersArg, concurrencyFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {verifyJournal, type VerifyJournalResult} from '../../operations/journal/verify.js';
import {journalVerifyView} from '../../output/views/journal-verify.js';

export default class JournalVerify extends MeshCommand {
  static override summary = 'Check that the record of changes was not cut or rewritten';
  static override description = `Checks the hash chain of journal.jsonl, the newest entry that this copy of the work directory remembers, and then asks the clusters: each trust push, trust rollback and install apply leaves the place and the hash of its own entry there, as an annotation. Somebody who rewrites the whole file, hashes and all, would have to change the clusters, too.

An entry of another copy of the work directory that has not come here (git pull) is unknown, not a finding. A broken journal that was put aside (journal.broken-….jsonl) is read for what clusters remember, and is a finding itself until a person moves it out of the work directory. Exit code: 0 all agrees, 3 cut or rewritten, 4 something is unknown.`;
  static override examples = [
    example('The file, and every cluster of mesh.yaml'),
    example('With the rights of access role --role reader --no-secrets', '--no-secrets'),
    example('The file only, without any cluster', '--offline'),
    example('What the clusters remember, for a script', `-o json | jq '.clusters[].heads'`),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    offline: Flags.boolean({description: 'look at the files only'}),
    'no-secrets': Flags.boolean({
      description: 'read no Secret: compare only what ConfigMap kubectl-mesh-install remembers',
    }),
    ...targetFlags,
    ...concurrencyFlags,
    ...outputFlags(['text', 'json']),
  };

  async run(): Promise<VerifyJournalResult> {
    const {args, flags} = await this.parse(JournalVerify);
    const request = {
      ...meshRequest(flags, args.cluster),
      limits: {offline: flags.offline, noSecrets: flags['no-secrets']},
    };
    return this.perform(verifyJournal, request, journalVerifyView, flags);
  }
}
