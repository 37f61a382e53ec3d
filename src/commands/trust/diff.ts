import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {clustersArg, concurrencyFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {diffTrust, type DiffResult} from '../../operations/trust/diff.js';
import {trustDiffView} from '../../output/views/trust.js';

export default class TrustDiff extends MeshCommand {
  static override summary = "Compare the work directory's CAs with what is in the clusters";
  static override description = `Compares by fingerprint: the cluster CA, the roots, the chain, the key (its public half), and keys in Secret cacerts that change what istiod reads. Nothing is changed.

Exits with 3 when something differs, with 4 when it cannot be told.`;
  static override examples = [
    example('Every cluster of mesh.yaml'),
    example('One cluster, for a script', 'cluster1 -o json'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {...targetFlags, ...concurrencyFlags, ...outputFlags(['text', 'wide', 'json'])};

  async run(): Promise<DiffResult> {
    const {args, flags} = await this.parse(TrustDiff);
    const request = meshRequest(flags, args.cluster);
    return this.perform(diffTrust, request, trustDiffView, flags);
  }
}
