import {Args, Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {meshRequest, targetFlags} from '../../cli/flags/target.js';
import {trustFlags, trustRules} from '../../cli/flags/trust.js';
import {rollbackTrust, type RollbackResult} from '../../operations/trust/rollback.js';
import {trustRollbackView} from '../../output/views/trust.js';

export default class TrustRollback extends MeshCommand {
  static override summary = "Put a cluster's previous CA back";
  static override description = `Writes what Secret cacerts-previous holds into Secret cacerts, and keeps the present content in its place: a second rollback undoes the first, or finishes it where istiod has not taken the CA over yet. The work directory is not changed. The same rules as for trust push apply.`;
  static override examples = [
    example('Back to the CA before the last push', 'cluster1'),
    example('Delete the kept CA', 'cluster1 --forget'),
  ];
  static override args = {
    // Without it oclif takes a missing name from standard input: a loop's list, or an answer meant for something else.
    cluster: Args.string({required: true, ignoreStdin: true, description: 'the cluster, by name'}),
  };
  static override flags = {
    forget: Flags.boolean({
      description: 'delete the kept CA instead of putting it back',
      exclusive: ['allow-root-change', 'restart-istiod', 'allow-invalid-bundle'],
    }),
    ...trustFlags,
    ...targetFlags,
    ...outputFlags(['text', 'wide', 'json']),
    ...safetyFlags,
  };

  async run(): Promise<RollbackResult> {
    const {args, flags} = await this.parse(TrustRollback);
    const request = {...meshRequest(flags, [args.cluster]), ...trustRules(flags), forget: flags.forget};
    return this.perform(rollbackTrust, request, trustRollbackView, flags);
  }
}
