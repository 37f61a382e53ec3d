import {Args, Flags} from '@oclif/core';
import {example, MeshCommand} from '../cli/base-command.js';
import {outputFlags} from '../cli/flags/output.js';
import {safetyFlags} from '../cli/flags/safety.js';
import {concurrencyFlags, keepGoingFlags, targetFlags} from '../cli/flags/target.js';
import {unlink, type UnlinkResult} from '../operations/discovery/unlink.js';
import {unlinkView} from '../output/views/unlink.js';

export default class Unlink extends MeshCommand {
  static override summary = 'Remove endpoint discovery between a cluster and the others';
  static override description = `Deletes the remote secrets for the cluster in the other clusters and its own remote secrets, waits until istiod has forgotten them, and then deletes the Secrets kubectl-mesh-reader-* and kubectl-mesh-token-*, which revokes the tokens. Where you may list Secrets, it also finds those that have other names; elsewhere it reports that it did not search for them. Beforehand, it shows which services lose endpoints; afterwards, that the remaining clusters kept theirs. One cluster is changed first. If an istiod does not confirm, the tokens are revoked all the same, and the command fails.

New requests with a revoked token fail within about 10 seconds; a watch that is already open continues until its own timeout, up to 10 minutes. Remote secrets that istioctl created are removed, too, but their tokens stay valid: the command prints how to revoke them. If the cluster itself is unreachable, the other clusters are changed anyway (exit code 4).

The name may also be Istio's name of a cluster that is no longer in mesh.yaml.`;
  static override examples = [
    example('Show which services lose endpoints', 'cluster3 --dry-run'),
    example('Unlink a cluster', 'cluster3'),
  ];
  static override args = {
    // Otherwise oclif reads a missing name from standard input: a loop's list, or the answer to a prompt.
    cluster: Args.string({required: true, ignoreStdin: true, description: 'name of the cluster'}),
  };
  static override flags = {
    'accept-uid': Flags.boolean({
      description: 'accept a cluster whose UID differs from the one in mesh.yaml, and record its UID',
      helpGroup: 'SAFETY',
    }),
    ...targetFlags,
    ...concurrencyFlags,
    ...keepGoingFlags,
    ...outputFlags(['text', 'name', 'json']),
    ...safetyFlags,
  };

  async run(): Promise<UnlinkResult> {
    const {args, flags} = await this.parse(Unlink);
    const request = {
      target: args.cluster,
      context: flags.context,
      istioNamespace: flags['istio-namespace'],
      acceptUid: flags['accept-uid'],
    };
    return this.perform(unlink, request, unlinkView, flags);
  }
}
