import {Args, Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {workDirFlags} from '../../cli/flags/target.js';
import {inspectCerts, type InspectResult} from '../../operations/certs/inspect.js';
import {certsInspectView} from '../../output/views/certs-inspect.js';

export default class CertsInspect extends MeshCommand {
  static override summary = 'Show a certificate, chain, key or Secret in full, and what istiod would say of it';
  static override description = `Takes the name of a cluster in the work directory, a file, or - for standard input: PEM or DER certificates, chains, trust bundles, private keys (their public half; no passphrase is asked), and Secrets or ConfigMaps as kubectl prints them.

Says whether istiod would load it, and what istiod would not say but breaks later.`;
  static override examples = [
    example("A cluster's CA", 'cluster1'),
    {
      description: 'What is in a cluster now',
      command: 'kubectl get secret cacerts -n istio-system -o json | <%= config.bin %> <%= command.id %> -',
    },
  ];
  static override args = {
    target: Args.string({
      required: true,
      // oclif would take the piped Secret itself for a file name.
      ignoreStdin: true,
      description: 'a cluster, a file, or - for standard input',
    }),
  };
  static override flags = {
    'istio-version': Flags.string({
      helpValue: 'VERSION',
      description: "judge like this Istio version (mesh.yaml's, else the newest known)",
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
