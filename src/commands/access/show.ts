import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {clustersArg, concurrencyFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {showAccess, type AccessResult} from '../../operations/access/show.js';
import {accessShowView} from '../../output/views/access.js';

export default class AccessShow extends MeshCommand {
  static override summary = "List the subjects that can reach each cluster's CA key";
  static override description = `Reads the RBAC objects and remote secrets of every cluster in the mesh, even if only some are given. Lists the subjects that can read the key, that can reach it through a workload, exec, another identity or another role, or that can replace it. A remote secret contains a token that can read another cluster's Secrets, so access paths across clusters are included.

Expected subjects are istiod, Kubernetes controllers and administrators, subjects with the operator role (see access role), and the subjects in access.expected in mesh.yaml. All others are findings, as in verify --access. Access through cloud IAM, nodes, etcd and backups is not visible: the list is a lower bound.

Exit codes: 0 regardless of findings, without --fail-on warning; 3 with --fail-on warning, if there are findings; 4 if some data cannot be read.`;
  static override examples = [
    example('List the subjects in every cluster in mesh.yaml'),
    example('List all access paths of all subjects in one cluster', 'cluster1 -o wide'),
    example('Fail a pipeline on unexpected subjects', '--fail-on warning'),
    example(
      'Print the unexpected subjects only',
      "-o json | jq -r '.clusters[] | .name as $c | .subjects[] | select(.expected | not) | [$c, .id] | @tsv'",
    ),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    'fail-on': Flags.option({options: ['error', 'warning'] as const})({
      helpValue: 'error|warning',
      default: 'error',
      description: 'lowest severity that results in exit code 3; all findings of this command are warnings',
    }),
    ...targetFlags,
    ...concurrencyFlags,
    ...outputFlags(['text', 'wide', 'json']),
  };

  async run(): Promise<AccessResult> {
    const {args, flags} = await this.parse(AccessShow);
    const request = {...meshRequest(flags, args.cluster), failOn: flags['fail-on']};
    return this.perform(showAccess, request, accessShowView, flags);
  }
}
