import {Args, Flags} from '@oclif/core';
import {example, MeshCommand} from '../cli/base-command.js';
import {outputFlags} from '../cli/flags/output.js';
import {dryRunFlags} from '../cli/flags/safety.js';
import {workDirFlags} from '../cli/flags/target.js';
import {init, type InitResult} from '../operations/init.js';
import {initView} from '../output/views/init.js';

export default class Init extends MeshCommand {
  static override summary = 'Make the work directory and mesh.yaml, or add clusters to it';
  static override description = `mesh.yaml declares the mesh: its clusters, their kubeconfig contexts and networks. What it declares stays as it is, comments and layout too; running init again with the same words changes nothing.

A context that differs from the one in mesh.yaml is taken as your own name for that cluster and goes to contexts.yaml, which is not for git. A directory made by Istio's own Makefiles is taken over as it is: nothing in it is changed, and what a Makefile got wrong is said.`;
  static override examples = [
    example('Two clusters, by the names of their kubeconfig contexts', 'cluster1=kind-cluster1 cluster2=kind-cluster2'),
    example("The variables of Istio's guide: WORK_DIR, MESH, CLUSTER_1, CTX_1, NETWORK_1, ...", '--from-env'),
    example("A directory that Istio's Makefile made: its clusters are found", '--work-dir ~/certs --dry-run'),
  ];
  static override args = {
    cluster: Args.string({
      multiple: true,
      description: 'NAME or NAME=CONTEXT of clusters to declare; in a new work directory, none means the folders found',
    }),
  };
  static override flags = {
    'mesh-id': Flags.string({helpValue: 'ID', description: "Istio's mesh ID (mesh1 in a new mesh.yaml)"}),
    network: Flags.string({
      helpValue: 'NETWORK',
      description: "Istio's network of these clusters (network1 for new clusters)",
    }),
    'from-env': Flags.boolean({description: "read the variables of Istio's guide: MESH, CLUSTER_n, CTX_n, NETWORK_n"}),
    ...dryRunFlags,
    ...outputFlags(['text', 'name', 'json']),
    ...workDirFlags,
  };

  async run(): Promise<InitResult> {
    const {args, flags} = await this.parse(Init);
    const request = {
      clusters: args.cluster ?? [],
      meshId: flags['mesh-id'],
      network: flags.network,
      fromEnv: flags['from-env'],
    };
    // The result shows what was done: progress would repeat it.
    return this.perform(init, request, initView, {...flags, quiet: true});
  }
}
