import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../../cli/base-command.js';
import {remainingFlag} from '../../../cli/flags/duration.js';
import {outputFlags} from '../../../cli/flags/output.js';
import {passphraseFlags} from '../../../cli/flags/passphrase.js';
import {safetyFlags} from '../../../cli/flags/safety.js';
import {keyAlgorithmHelp, signerFlags} from '../../../cli/flags/signer.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, meshRequest, targetFlags} from '../../../cli/flags/target.js';
import {trustFlags, trustRules} from '../../../cli/flags/trust.js';
import {keyAlgorithms} from '../../../domain/keys/keys.js';
import {rotateClusterCas} from '../../../operations/rotate-cluster-ca.js';
import type {RotateResult} from '../../../operations/trust/rotation/report-rotation.js';
import {trustRotateClusterCaView} from '../../../output/views/trust-rotate-cluster-ca.js';

export default class TrustRotateClusterCa extends MeshCommand {
  static override summary = 'Replace the key and certificate of cluster CAs, under the same root';
  static override description = `Issues a new CA for each cluster, as certs generate --renew does, pushes it as trust push does, and verifies that every istiod pod presents it. Workloads keep their connections: certificates under the previous CA stay valid until they are renewed.

One cluster is changed first. Once it is verified, the others follow, up to --concurrency at a time. After a failure, no further cluster is started; with --keep-going, only a failure of the first cluster stops the run. The whole plan is shown and confirmed once. Running the command again continues where it stopped: a CA that was issued but not pushed is pushed, and a CA that was pushed but not verified is verified.

If istiod does not present the new CA in time, the cluster is reported as failed. The previous CA is in Secret cacerts-previous: restore it with trust rollback, or have it restored with --rollback-on-failure.

Exit codes: 0 done, or with --within nothing to do; 1 failed; 4 a cluster cannot be read; 5 refused.`;
  static override examples = [
    example('Rotate the CA of one cluster', 'cluster1'),
    example('Preview a rotation in every cluster in mesh.yaml', '--dry-run'),
    example(
      'Rotate from a scheduled job the CAs with at most 30% of their lifetime left',
      '--within 30% --yes --rollback-on-failure --passphrase-file /run/secrets/root-ca',
    ),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    within: remainingFlag({
      description:
        'rotate only CAs with at most this remaining lifetime, such as 30% or 30d; if there are none, nothing is changed',
    }),
    'rollback-on-failure': Flags.boolean({
      description: 'restore the previous CA of a cluster whose istiod does not present the new one in time',
    }),
    'key-algorithm': Flags.option({options: keyAlgorithms})(
      keyAlgorithmHelp('key algorithm of the new CAs', ' (default: mesh.yaml, otherwise rsa-4096)'),
    ),
    'trust-mesh-yaml': signerFlags['trust-mesh-yaml'],
    'root-dir': signerFlags['root-dir'],
    'passphrase-file': passphraseFlags['passphrase-file'],
    'passphrase-command': passphraseFlags['passphrase-command'],
    ...trustFlags,
    ...targetFlags,
    ...concurrencyFlags,
    ...keepGoingFlags,
    ...outputFlags(['text', 'wide', 'json']),
    ...safetyFlags,
  };

  async run(): Promise<RotateResult> {
    const {args, flags} = await this.parse(TrustRotateClusterCa);
    const request = {
      ...meshRequest(flags, args.cluster),
      keyAlgorithm: flags['key-algorithm'],
      rootDirectory: flags['root-dir'],
      ...trustRules(flags),
      within: flags.within,
      rollbackOnFailure: flags['rollback-on-failure'],
    };
    return this.perform(rotateClusterCas, request, trustRotateClusterCaView, flags);
  }
}
