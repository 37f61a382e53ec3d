import {Args, Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {meshRequest, targetFlags} from '../../cli/flags/target.js';
import {trustFlags, trustRules} from '../../cli/flags/trust.js';
import {rollbackTrust, type RollbackResult} from '../../operations/trust/rollback.js';
import {trustRollbackView} from '../../output/views/trust.js';

export default class TrustRollback extends MeshCommand {
  static override summary = "Restore a cluster's previous CA";
  static override description = `Swaps the content of Secrets cacerts and cacerts-previous, so a second rollback undoes the first. If istiod has not loaded the restored CA yet, running the command again completes the rollback instead. CAs in the work directory are not changed. The safety rules of trust push apply.`;
  static override examples = [
    example('Restore the CA from before the last push', 'cluster1'),
    example('Delete the previous CA', 'cluster1 --forget'),
  ];
  static override args = {
    // Otherwise oclif reads a missing name from standard input: a loop's list, or the answer to a prompt.
    cluster: Args.string({required: true, ignoreStdin: true, description: 'name of the cluster'}),
  };
  static override flags = {
    forget: Flags.boolean({
      description: 'delete the previous CA instead of restoring it',
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
