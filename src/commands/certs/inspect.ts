import {Args, Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {workDirFlags} from '../../cli/flags/target.js';
import {inspectCerts, type InspectResult} from '../../operations/certs/inspect.js';
import {certsInspectView} from '../../output/views/certs-inspect.js';

export default class CertsInspect extends MeshCommand {
  static override summary = 'Show a certificate, chain, key or Secret, and whether istiod would load it';
  static override description = `Accepts the name of a cluster in the work directory, a file, or - for standard input: PEM or DER certificates, chains, trust bundles, private keys (only the public key is shown, and no passphrase is required), and Secrets or ConfigMaps as printed by kubectl.

Reports whether istiod would load the files, and problems that istiod does not detect when it loads them. The exit code does not depend on this: it is 0 if the input is readable, and 2 if it is missing or cannot be parsed.`;
  static override examples = [
    example("Show a cluster's CA", 'cluster1'),
    {
      description: "Show the CA in a cluster's Secret cacerts",
      command:
        '$ kubectl --context kind-cluster1 -n istio-system get secret cacerts -o json | <%= config.bin %> <%= command.id %> -',
    },
  ];
  static override args = {
    target: Args.string({
      required: true,
      // oclif would treat the piped Secret as a file name.
      ignoreStdin: true,
      description: 'name of a cluster, a file, or - for standard input',
    }),
  };
  static override flags = {
    'istio-version': Flags.string({
      helpValue: 'VERSION',
      description: 'evaluate as this Istio version (default: mesh.yaml, otherwise the newest known)',
    }),
    ...outputFlags(['text', 'json']),
    ...workDirFlags,
  };

  async run(): Promise<InspectResult> {
    const {args, flags} = await this.parse(CertsInspect);
    const request = {target: args.target, istioVersion: flags['istio-version']};
    return this.perform(inspectCerts, request, certsInspectView, flags);
  }
}
