import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../cli/base-command.js';
import {discoveryFlags, discoveryRules} from '../cli/flags/discovery.js';
import {journalFlags} from '../cli/flags/journal.js';
import {exportFlags, renewalFlags} from '../cli/flags/link-manifests.js';
import {outputFlags} from '../cli/flags/output.js';
import {safetyFlags} from '../cli/flags/safety.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, meshRequest, targetFlags} from '../cli/flags/target.js';
import {trustFlags} from '../cli/flags/trust.js';
import {MeshError} from '../domain/errors.js';
import {exportLink, type ExportLinkResult} from '../operations/discovery/export-link.js';
import {printRenewal, type RenewalResult} from '../operations/discovery/renewal.js';
import {linkClusters} from '../operations/discovery/link.js';
import type {LinkResult} from '../operations/discovery/report-link.js';
import {linkView} from '../output/views/link.js';
import {exportLinkView, renewalView} from '../output/views/link-manifests.js';

export default class Link extends MeshCommand {
  static override summary = "Let clusters discover each other's services";
  static override description = `Creates the remote secrets with which each istiod reads the other clusters of the mesh, as istioctl create-remote-secret does. Without arguments, links all clusters of mesh.yaml; with arguments, those pairs in which a given cluster reads or is read. A cluster with role remote is read by its primary only.

Each cluster reads with its own token, which is bound to a Secret in the cluster that it reads: deleting Secret kubectl-mesh-reader-NAME (kubectl-mesh-token-NAME with discovery.token: secret) ends the access of cluster NAME, and only that. Running link again renews tokens with less than 30 % of their lifetime left. A working remote secret of istioctl or another tool keeps its name and address: only its token is renewed.

One cluster is changed first, and the others follow once its istiod has read its peers. Where istiod cannot, the previous remote secret is restored. The API server's address is apiServer in mesh.yaml, otherwise that of the kubeconfig.`;
  static override examples = [
    example('Link all clusters of mesh.yaml', ''),
    example('Preview which remote secrets would be created, renewed or replaced', '--dry-run'),
    example('Link a new cluster with the others', 'cluster3'),
    example(
      'Print a CronJob that renews tokens',
      '--cron-manifest --image registry.example.com/kubectl-mesh:1 --namespace mesh',
    ),
    example(
      'Write manifests for git, with tokens from Vault',
      '--output-dir manifests --secret-store ClusterSecretStore/vault --secret-property token',
    ),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    ...discoveryFlags,
    'renew-only': Flags.boolean({
      exclusive: ['output-dir', 'cron-manifest'],
      description:
        'only renew tokens in existing remote secrets; a pair that needs another change is reported, with exit code 3',
    }),
    'restart-istiod': Flags.boolean({
      description: 'change remote secrets although the running Istio version then loses endpoints, and restart istiod',
      helpGroup: 'SAFETY',
    }),
    'accept-uid': trustFlags['accept-uid'],
    ...exportFlags,
    ...renewalFlags,
    ...journalFlags,
    ...targetFlags,
    ...concurrencyFlags,
    ...keepGoingFlags,
    ...outputFlags(['text', 'wide', 'json']),
    ...safetyFlags,
  };

  async run(): Promise<LinkResult | ExportLinkResult | RenewalResult> {
    const {args, flags} = await this.parse(Link);
    const {image, 'output-dir': directory, 'secret-store': store, 'secret-property': property} = flags;
    if (image !== undefined) {
      if (args.cluster)
        throw new MeshError('USAGE', '--cron-manifest takes no clusters: the job links all of mesh.yaml');
      const request = {
        image,
        namespace: flags.namespace,
        grantedLifetimeMs: flags['granted-lifetime'],
        istioNamespace: flags['istio-namespace'],
      };
      return this.perform(printRenewal, request, renewalView, flags);
    }
    if (directory !== undefined && store) {
      const request = {
        ...meshRequest(flags, args.cluster),
        directory,
        store: {...store, ...(property !== undefined && {property})},
        allowLocalAddress: flags['allow-local-address'],
      };
      return this.perform(exportLink, request, exportLinkView, flags);
    }
    const request = {
      ...meshRequest(flags, args.cluster),
      ...discoveryRules(flags),
      restartIstiod: flags['restart-istiod'],
      acceptUid: flags['accept-uid'],
      renewOnly: flags['renew-only'],
    };
    return this.perform(linkClusters, request, linkView, flags);
  }
}
