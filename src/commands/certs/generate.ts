import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {passphraseFlags} from '../../cli/flags/passphrase.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {keyAlgorithmHelp, rootFlags, signerFlags} from '../../cli/flags/signer.js';
import {
  clustersArg,
  concurrencyFlags,
  keepGoingFlags,
  signerClusterFlags,
  workDirFlags,
} from '../../cli/flags/target.js';
import {keyAlgorithms} from '../../domain/keys/keys.js';
import {generateCerts, type GenerateResult} from '../../operations/certs/generate.js';
import {certsGenerateView} from '../../output/views/certs-generate.js';

export default class CertsGenerate extends MeshCommand {
  static override summary = 'Create the root CA and a cluster CA for each cluster';
  static override description = `The root CA (root-cert.pem, root-key.pem) is created once for the whole mesh, and its key is encrypted with a passphrase. Each cluster has its own intermediate CA, signed by the root CA: the four files in CLUSTER/ that istiod reads. Clusters that you name and that are not in mesh.yaml are added to it. To push the CAs to the clusters, use trust push.

By default, a new root CA is valid for 3650 days, and a new cluster CA for 730 days but at most until its root expires (trust.rootValidity and trust.clusterValidity in mesh.yaml).

Valid existing files are used and never overwritten, so running the command again changes nothing. If files contradict each other, the command fails and names both. A directory created with Istio's Makefiles is imported without changes.`;
  static override examples = [
    example('Create the root CA and one cluster CA, and prompt for a new passphrase', 'cluster1'),
    example(
      'Create the CAs of every cluster in mesh.yaml, in a pipeline',
      '--passphrase-command "pass show mesh/root-ca"',
    ),
    example('Renew the key and certificate of one cluster CA', 'cluster1 --renew'),
    example('Create a cluster CA with the root key on removable media', 'cluster3 --root-dir /media/stick'),
    example(
      'Renew a cluster CA with the reviewed program or server in mesh.yaml',
      'cluster1 --renew --trust-mesh-yaml',
    ),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    'key-algorithm': Flags.option({options: keyAlgorithms})(
      keyAlgorithmHelp('key algorithm of new CAs', ' (default: mesh.yaml, otherwise rsa-4096)'),
    ),
    'mesh-id': Flags.string({
      helpValue: 'ID',
      description: 'Istio mesh ID, part of the name of a new root CA; recorded if mesh.yaml does not set it',
    }),
    renew: Flags.boolean({
      description: 'replace the keys and certificates of existing cluster CAs; the root CA is not changed',
    }),
    ...signerFlags,
    ...rootFlags,
    ...passphraseFlags,
    ...safetyFlags,
    ...outputFlags(['text', 'name', 'json']),
    ...workDirFlags,
    ...signerClusterFlags,
    ...concurrencyFlags,
    ...keepGoingFlags,
  };

  async run(): Promise<GenerateResult> {
    const {args, flags} = await this.parse(CertsGenerate);
    const request = {
      clusters: args.cluster ?? [],
      addClusters: true,
      meshId: flags['mesh-id'],
      keyAlgorithm: flags['key-algorithm'],
      renew: flags.renew,
      unencrypted: flags['no-passphrase'],
      signer: flags.signer?.declared,
      rootDirectory: flags['root-dir'],
      rootFile: flags.root,
    };
    return this.perform(generateCerts, request, certsGenerateView, flags);
  }
}
