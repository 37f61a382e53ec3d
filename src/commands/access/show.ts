import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {clustersArg, concurrencyFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {showAccess, type AccessResult} from '../../operations/access/show.js';
import {accessShowView} from '../../output/views/access.js';

export default class AccessShow extends MeshCommand {
  static override summary = "Show who can reach each cluster's CA key";
  static override description = `Reads RBAC of every cluster of the mesh once, and its remote secrets: who may read the key, who reaches it by a workload, exec, another identity or another role, who may replace it, and who gets there from another cluster, since a remote secret is a token for that cluster's Secrets.

Expected are istiod, controllers of Kubernetes, its administrators, the operator role of access role, and whom access.expected of mesh.yaml names. Others are findings, the same as verify --access has. Cloud IAM, nodes, etcd and backups are not visible: a lower bound.

Exits with 3 for findings with --fail-on warning, with 4 when something may not be read.`;
  static override examples = [
    example('Every cluster of mesh.yaml'),
    example('Every way of everybody', 'cluster1 -o wide'),
    example('In a pipeline: fail when somebody new can', '--fail-on warning'),
    example(
      'Names of those who are not expected',
      "-o json | jq -r '.clusters[] | .name as $c | .subjects[] | select(.expected | not) | [$c, .id] | @tsv'",
    ),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    'fail-on': Flags.option({options: ['error', 'warning'] as const})({
      default: 'error',
      description: 'the least severity that makes the exit code 3; unexpected subjects are warnings',
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
