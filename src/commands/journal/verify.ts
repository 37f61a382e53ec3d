import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {clustersArg, concurrencyFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {verifyJournal, type VerifyJournalResult} from '../../operations/journal/verify.js';
import {journalVerifyView} from '../../output/views/journal-verify.js';

export default class JournalVerify extends MeshCommand {
  static override summary = 'Check that the journal is intact, and compare it with the clusters';
  static override description = `Checks the hash chain of journal.jsonl against the head that this copy of the work directory recorded, and against the clusters: each trust push, trust rollback and install apply stores the position and the hash of its journal entry in an annotation in the cluster. To rewrite the whole file without being detected, an attacker must also change the clusters.

An entry that another copy of the work directory wrote, and that is missing here, is unknown, not a finding: get it with git pull. A damaged journal that was set aside (journal.broken-….jsonl) is still compared with the clusters, and is a finding until it is moved out of the work directory.

Exit codes: 0 intact, 3 damaged, truncated or rewritten, 4 unknown results.`;
  static override examples = [
    example('Check the journal against every cluster in mesh.yaml'),
    example('Check with the permissions of access role --role reader --no-secrets', '--no-secrets'),
    example('Check the files only, without accessing a cluster', '--offline'),
    example('Print the journal heads stored in the clusters', `-o json | jq '.clusters[].heads'`),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    offline: Flags.boolean({description: 'check only the files; do not access clusters'}),
    'no-secrets': Flags.boolean({
      description: 'do not read Secrets; compare only with ConfigMap kubectl-mesh-install',
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
