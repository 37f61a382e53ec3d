import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {renderFlags} from '../../cli/flags/install.js';
import {outputFlags} from '../../cli/flags/output.js';
import {dryRunFlags} from '../../cli/flags/safety.js';
import {clusterFlags, clustersArg, keepGoingFlags, workDirFlags} from '../../cli/flags/target.js';
import {printInstall, type PrintResult, renderInstalls, type RenderResult} from '../../operations/install/render.js';
import {printView, renderView} from '../../output/views/install.js';

export default class InstallRender extends MeshCommand {
  static override summary = "Write each cluster's install.yaml";
  static override description = `Writes CLUSTER/install.yaml, an IstioOperator document in the schema version for the given Istio version: that of --istio-version or mesh.yaml, otherwise that of the istioctl in PATH. The mesh ID and the network are recorded in mesh.yaml. If install.yaml was edited, the edited file is kept beside the new one and the difference is printed.`;
  static override examples = [
    example("Render install.yaml of the guide's first cluster", 'cluster1 --mesh-id mesh1 --network network1'),
    example(
      'Print the document and pass it to istioctl instead of writing it',
      'cluster1 --output-file - | istioctl manifest generate -f -',
    ),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    ...renderFlags,
    'output-file': Flags.option({options: ['-'] as const})({
      helpValue: '-',
      description: 'print the document of one cluster to standard output, without writing files',
    }),
    ...workDirFlags,
    ...keepGoingFlags,
    context: clusterFlags.context,
    'istio-namespace': clusterFlags['istio-namespace'],
    ...outputFlags(['text', 'name', 'json']),
    ...dryRunFlags,
  };

  async run(): Promise<RenderResult | PrintResult> {
    const {args, flags} = await this.parse(InstallRender);
    const request = {
      clusters: args.cluster ?? [],
      addClusters: flags.context !== undefined,
      context: flags.context,
      meshId: flags['mesh-id'],
      network: flags.network,
      istioNamespace: flags['istio-namespace'],
      istioVersion: flags['istio-version'],
    };
    if (flags['output-file'] === undefined) return this.perform(renderInstalls, request, renderView, flags);
    return this.perform(printInstall, request, printView, flags);
  }
}
