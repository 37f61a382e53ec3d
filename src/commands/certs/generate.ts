import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {outputFlags} from '../../cli/flags/output.js';
import {passphraseFlags} from '../../cli/flags/passphrase.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {rootFlags, signerFlags} from '../../cli/flags/signer.js';
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
  static override summary = 'Make the root CA once, and a cluster CA for each cluster';
  static override description = `The root CA (root-cert.pem, root-key.pem) is made once for the whole mesh; its key is encrypted with a passphrase.
Each cluster gets a CA of its own, signed by the root, in CLUSTER/: the four files that istiod reads.

Files that are there and valid are used and never overwritten, so running this twice changes nothing. Files that conflict are an error that says which two things disagree. A directory made by Istio's own Makefiles is taken over as it is.`;
  static override examples = [
    example('The root CA and the CA of one cluster; asks for a new passphrase', 'cluster1'),
    example('Every cluster of mesh.yaml, in a pipeline', '--passphrase-command "pass show mesh/root-ca"'),
    example('A new key and certificate for one cluster, under the same root', 'cluster1 --renew'),
    example(
      'A new cluster, with the root key on a stick that is plugged in for it',
      'cluster3 --root-dir /media/stick',
    ),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    'key-algorithm': Flags.option({options: keyAlgorithms})({
      helpValue: keyAlgorithms.join('|'),
      description: 'key of new CAs (rsa-4096 when neither this nor mesh.yaml says)',
    }),
    renew: Flags.boolean({description: 'replace key and certificate of cluster CAs that are there; the root stays'}),
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
