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
  static override description = `Writes CLUSTER/install.yaml, an IstioOperator document for the Istio version in --istio-version or mesh.yaml, otherwise for the version of the istioctl in your PATH. If the mesh has several networks, also writes CLUSTER/cross-network-gateway.yaml, which exposes services to the other networks. The mesh ID and the networks are recorded in mesh.yaml.

If install.yaml was edited, the edited file is saved as CLUSTER/install.edited-HASH.yaml and the difference is printed. To keep such changes, add them to mesh.yaml (values, overlays). No cluster is accessed.`;
  static override examples = [
    example('Render install.yaml for one cluster', 'cluster1 --mesh-id mesh1 --network network1'),
    example(
      'Pass the document to istioctl without writing a file',
      'cluster1 --output-file - | istioctl manifest generate -f -',
    ),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    ...renderFlags,
    'output-file': Flags.option({options: ['-'] as const})({
      helpValue: '-',
      description: "print one cluster's document to standard output, and write no files",
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
