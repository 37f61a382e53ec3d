import {Args, Flags} from '@oclif/core';
import {example, MeshCommand} from '../cli/base-command.js';
import {outputFlags} from '../cli/flags/output.js';
import {dryRunFlags} from '../cli/flags/safety.js';
import {workDirFlags} from '../cli/flags/target.js';
import {init, type InitResult} from '../operations/init.js';
import {initView} from '../output/views/init.js';

export default class Init extends MeshCommand {
  static override summary = 'Create a work directory with mesh.yaml, or add clusters to it';
  static override description = `mesh.yaml declares the mesh: its clusters, their kubeconfig contexts and networks. Existing content, comments and layout are preserved; running init again with the same arguments changes nothing.

A context that differs from the one in mesh.yaml is written to contexts.yaml, as your local name for that cluster; do not commit that file to Git. A directory created with Istio's Makefiles is imported without changes to its files; problems in it are reported.`;
  static override examples = [
    example('Declare two clusters and their kubeconfig contexts', 'cluster1=kind-cluster1 cluster2=kind-cluster2'),
    example(
      "Add a cluster whose istiod runs under Istio's default name, Kubernetes",
      'west=gke-west --istio-name west=Kubernetes',
    ),
    example("Use the variables of Istio's guide: WORK_DIR, MESH, CLUSTER_1, CTX_1, NETWORK_1, ...", '--from-env'),
    example("Preview the import of a directory that Istio's Makefile created", '--work-dir ~/certs --dry-run'),
  ];
  static override args = {
    cluster: Args.string({
      multiple: true,
      description:
        'clusters to declare, as NAME or NAME=CONTEXT (default in a new work directory: one for each subdirectory)',
    }),
  };
  static override flags = {
    'mesh-id': Flags.string({helpValue: 'ID', description: 'Istio mesh ID (default in a new mesh.yaml: mesh1)'}),
    network: Flags.string({
      helpValue: 'NETWORK',
      description: 'Istio network of the given clusters (default for new clusters: network1)',
    }),
    'istio-name': Flags.string({
      multiple: true,
      multipleNonGreedy: true,
      helpValue: 'NAME=ISTIO_NAME',
      description:
        "Istio's clusterName of a cluster, where it is not NAME: the name under which it runs; may be repeated",
    }),
    'from-env': Flags.boolean({
      description: "read the variables of Istio's multicluster guide: MESH, CLUSTER_n, CTX_n, NETWORK_n",
    }),
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
      istioNames: flags['istio-name'] ?? [],
      fromEnv: flags['from-env'],
    };
    // The result lists all changes: progress would repeat them.
    return this.perform(init, request, initView, {...flags, quiet: true});
  }
}
