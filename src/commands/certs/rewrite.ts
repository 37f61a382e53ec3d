import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {clustersArg, keepGoingFlags, workDirFlags} from '../../cli/flags/target.js';
import {rewriteCerts, type RewriteResult} from '../../operations/certs/rewrite.js';
import {certsRewriteView} from '../../output/views/certs-rewrite.js';

export default class CertsRewrite extends MeshCommand {
  static override summary = 'Write the files of cluster CAs in the form that istiod reads';
  static override description = `Writes ca-cert.pem, ca-key.pem, cert-chain.pem and root-cert.pem of each cluster, and root-cert.pem of the mesh, again with the same keys and certificates: as PEM in UTF-8, without byte order marks, text or repeated certificates, each marker on its own line, and the chain in order without certificates that do not belong to it. Files that are already in this form are not changed. A damaged file is reported; restore it.

--remove-expired-roots also removes expired roots, which remain after a root rotation, from root-cert.pem of the mesh and of each cluster. The last root, and a root that the CA of a cluster is below, are kept.

To send the files to the clusters, use trust push.`;
  static override examples = [
    example('Rewrite the files of all clusters'),
    example('Show which files of one cluster would change', 'cluster1 --dry-run'),
    example('Complete a root rotation', '--remove-expired-roots --yes'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    'remove-expired-roots': Flags.boolean({description: 'remove expired roots from every root-cert.pem'}),
    ...safetyFlags,
    ...outputFlags(['text', 'name', 'json']),
    ...workDirFlags,
    ...keepGoingFlags,
  };

  async run(): Promise<RewriteResult> {
    const {args, flags} = await this.parse(CertsRewrite);
    const request = {clusters: args.cluster ?? [], removeExpiredRoots: flags['remove-expired-roots']};
    return this.perform(rewriteCerts, request, certsRewriteView, flags);
  }
}
