import {Args, Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {clusterFlags, concurrencyFlags, workDirFlags} from '../../cli/flags/target.js';
import {adoptMesh, type AdoptResult} from '../../operations/certs/adopt.js';
import {certsAdoptView} from '../../output/views/certs-adopt.js';

export default class CertsAdopt extends MeshCommand {
  static override summary = 'Make a work directory of a running mesh';
  static override description = `Reads what runs behind each context and writes it down: mesh.yaml (names, contexts, networks, UIDs, mesh ID, trust domain, version), root-cert.pem, and the certificates of each cluster's CA. No cluster is changed, and nothing in the work directory is overwritten: what contradicts it is said, for each cluster, and the others are adopted all the same.

Private keys stay in the clusters. --with-keys copies the keys of cluster CAs, and asks first; the key of a root (a self-signed istiod) is never copied. From then on certs list, trust diff, verify and renewal work.

A cluster is named as its istiod names it (clusterName); NAME=CONTEXT says it where it does not.`;
  static override examples = [
    example('Two clusters', 'kind-cluster1 kind-cluster2'),
    example('See first what would be written', 'east=gke_prod_east west=gke_prod_west --dry-run'),
  ];
  static override args = {
    context: Args.string({
      multiple: true,
      required: true,
      description: 'kubeconfig contexts: CONTEXT, or NAME=CONTEXT',
    }),
  };
  static override flags = {
    'with-keys': Flags.boolean({
      description: "copy the private keys of the clusters' CAs into the work directory, too",
    }),
    kubeconfig: clusterFlags.kubeconfig,
    'istio-namespace': clusterFlags['istio-namespace'],
    'request-timeout': clusterFlags['request-timeout'],
    as: clusterFlags.as,
    'as-group': clusterFlags['as-group'],
    ...safetyFlags,
    ...outputFlags(['text', 'name', 'json']),
    ...concurrencyFlags,
    ...workDirFlags,
  };

  async run(): Promise<AdoptResult> {
    const {args, flags} = await this.parse(CertsAdopt);
    const request = {contexts: args.context, istioNamespace: flags['istio-namespace'], withKeys: flags['with-keys']};
    return this.perform(adoptMesh, request, certsAdoptView, flags);
  }
}
