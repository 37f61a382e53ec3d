import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {trustFlags, trustRules} from '../../cli/flags/trust.js';
import {pushTrust} from '../../operations/trust/push.js';
import type {PushResult} from '../../operations/trust/report-changes.js';
import {trustPushView} from '../../output/views/trust.js';

export default class TrustPush extends MeshCommand {
  static override summary = "Push each cluster's CA to the cluster, as Secret cacerts";
  static override description = `Creates the Istio namespace if it does not exist, labels it with the network if mesh.yaml declares one, and writes the cluster's four CA files to Secret cacerts, from which istiod reads them. The previous content stays in the cluster as Secret cacerts-previous. With trust.keepClusterKeys: false in mesh.yaml, the CA key is then removed from the work directory.

New Secrets are written to all clusters in parallel. Changes to existing Secrets are pushed to one cluster first and verified there before the other clusters follow. A push that would break running workloads, or that istiod would not load, is refused; the error names the flag that overrides the refusal.`;
  static override examples = [
    example("Push one cluster's CA through the given kubeconfig context", 'cluster1 --context kind-cluster1'),
    example('Preview a push to every cluster in mesh.yaml', '--dry-run'),
    example('Push a renewed CA to an istiod that loads it only at startup', 'cluster1 --restart-istiod --yes'),
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
