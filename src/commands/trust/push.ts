import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {trustFlags, trustRules} from '../../cli/flags/trust.js';
import {pushTrust, type PushResult} from '../../operations/trust/push.js';
import {trustPushView} from '../../output/views/trust.js';

export default class TrustPush extends MeshCommand {
  static override summary = "Put each cluster's CA into the cluster, as Secret cacerts";
  static override description = `Makes Istio's namespace where it is missing, labels it with the network where mesh.yaml declares one, and writes the cluster's four CA files into Secret cacerts, the place where istiod reads them. What was there before is kept in the cluster as Secret cacerts-previous.

New Secrets are written to all clusters at the same time. A change goes to one cluster first, is proven there, then goes to the rest. A push that would break running workloads, or that istiod would not load, is refused; the message names the flag that overrides it.`;
  static override examples = [
    example('One cluster, as in the guide', 'cluster1 --context kind-cluster1'),
    example('Every cluster of mesh.yaml; shows what would be done', '--dry-run'),
    example('A renewed CA for an istiod that reads it only at start', 'cluster1 --restart-istiod --yes'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    ...trustFlags,
    ...targetFlags,
    ...concurrencyFlags,
    ...keepGoingFlags,
    ...outputFlags(['text', 'wide', 'json']),
    ...safetyFlags,
  };

  async run(): Promise<PushResult> {
    const {args, flags} = await this.parse(TrustPush);
    const mesh = meshRequest(flags, args.cluster);
    const request = {...mesh, addClusters: mesh.context !== undefined, ...trustRules(flags)};
    return this.perform(pushTrust, request, trustPushView, flags);
  }
}
