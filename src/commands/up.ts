import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../cli/base-command.js';
import {applyFlags, renderFlags} from '../cli/flags/install.js';
import {outputFlags, verboseFlags} from '../cli/flags/output.js';
import {passphraseFlags} from '../cli/flags/passphrase.js';
import {safetyFlags} from '../cli/flags/safety.js';
import {rootFlags, signerFlags} from '../cli/flags/signer.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, meshRequest, targetFlags} from '../cli/flags/target.js';
import {trustFlags, trustRules} from '../cli/flags/trust.js';
import {typedCommand} from '../cli/suggest/shell.js';
import {keyAlgorithms} from '../domain/keys/keys.js';
import {bringUp, type UpResult} from '../operations/up.js';
import {upView} from '../output/views/up.js';

/** How long the last step waits for green when `--timeout` is not said. */
const defaultWaitMs = 300_000;

export default class Up extends MeshCommand {
  static override summary = 'All steps: generate, push, render, apply, verify';
  static override description = `Runs certs generate, trust push, install render, install apply and verify --wait, each as the command of that name does.

It stops at the first step that does not succeed and says what is done. Each step does only what is left, so running up again goes on from there, and running it on a mesh that is well changes nothing.`;
  static override examples = [
    example(
      "The guide's first cluster, from an empty directory",
      'cluster1 --context kind-cluster1 --mesh-id mesh1 --network network1',
    ),
    example('Every cluster of mesh.yaml; shows what would be done', '--dry-run'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    'key-algorithm': Flags.option({options: keyAlgorithms})({
      helpValue: keyAlgorithms.join('|'),
      description: 'key of new CAs (rsa-4096 when neither this nor mesh.yaml says)',
    }),
    ...renderFlags,
    ...signerFlags,
    ...rootFlags,
    ...passphraseFlags,
    ...applyFlags,
    ...trustFlags,
    ...targetFlags,
    ...concurrencyFlags,
    ...keepGoingFlags,
    ...outputFlags(['text', 'json']),
    ...verboseFlags,
    ...safetyFlags,
  };

  async run(): Promise<UpResult> {
    const {args, flags} = await this.parse(Up);
    const request = {
      ...meshRequest(flags, args.cluster),
      keyAlgorithm: flags['key-algorithm'],
      unencrypted: flags['no-passphrase'],
      signer: flags.signer?.declared,
      rootDirectory: flags['root-dir'],
      rootFile: flags.root,
      meshId: flags['mesh-id'],
      network: flags.network,
      istioVersion: flags['istio-version'],
      ...trustRules(flags),
      readinessTimeoutMs: flags['readiness-timeout'],
      upgrade: flags.upgrade,
      forceVersion: flags['force-version'],
      takeOver: flags['take-over'],
      waitMs: flags.timeout ?? defaultWaitMs,
      again: typedCommand('up', this.argv),
    };
    return this.perform(bringUp, request, upView, flags);
  }
}
