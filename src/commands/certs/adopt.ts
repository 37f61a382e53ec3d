import {Args, Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {clusterFlags, concurrencyFlags, workDirFlags} from '../../cli/flags/target.js';
import {adoptMesh, type AdoptResult} from '../../operations/certs/adopt.js';
import {certsAdoptView} from '../../output/views/certs-adopt.js';

export default class CertsAdopt extends MeshCommand {
  static override summary = 'Create a work directory from a running mesh';
  static override description = `Reads the cluster of each context and writes mesh.yaml (names, contexts, networks, UIDs, mesh ID, trust domain, version), root-cert.pem, and the certificates of each cluster's CA. No cluster is changed, and no file in the work directory is overwritten. A cluster that conflicts with the work directory is reported; the others are adopted.

Private keys stay in the clusters. --with-keys also copies the keys of cluster CAs, after a confirmation prompt. The root key of a self-signed istiod is never copied. After that, you can use certs list, trust diff and verify, and renew cluster CAs.

A cluster's name is the one given as NAME, otherwise istiod's clusterName if that is a DNS label, otherwise the context's. A clusterName that differs is recorded as istioName: the running cluster keeps it.`;
  static override examples = [
    example('Adopt two clusters', 'kind-cluster1 kind-cluster2'),
    example('Preview the files that would be written', 'east=gke_prod_east west=gke_prod_west --dry-run'),
  ];
  static override args = {
    context: Args.string({
      multiple: true,
      required: true,
      description: 'kubeconfig contexts of the clusters, as CONTEXT or NAME=CONTEXT',
    }),
  };
  static override flags = {
    'with-keys': Flags.boolean({
      description: 'also copy the private keys of the cluster CAs into the work directory',
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
