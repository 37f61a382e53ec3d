import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {clustersArg, concurrencyFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {diffTrust, type DiffResult} from '../../operations/trust/diff.js';
import {trustDiffView} from '../../output/views/trust.js';

export default class TrustDiff extends MeshCommand {
  static override summary = "Compare the work directory's CAs with the CAs in the clusters";
  static override description = `Compares the cluster CA, the roots, the chain and the public key by fingerprint, and detects additional data keys in Secret cacerts that change what istiod reads. Nothing is changed.

Exit codes: 0 no differences, 3 differences, 4 a cluster cannot be compared.`;
  static override examples = [
    example('Compare every cluster in mesh.yaml'),
    example('Compare one cluster and print JSON', 'cluster1 -o json'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {...targetFlags, ...concurrencyFlags, ...outputFlags(['text', 'wide', 'json'])};

  async run(): Promise<DiffResult> {
    const {args, flags} = await this.parse(TrustDiff);
    const request = meshRequest(flags, args.cluster);
    return this.perform(diffTrust, request, trustDiffView, flags);
  }
}
