import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../cli/base-command.js';
import {discoveryFlags, discoveryRules} from '../cli/flags/discovery.js';
import {applyFlags, renderFlags} from '../cli/flags/install.js';
import {outputFlags, verboseFlags} from '../cli/flags/output.js';
import {passphraseFlags} from '../cli/flags/passphrase.js';
import {safetyFlags} from '../cli/flags/safety.js';
import {keyAlgorithmHelp, rootFlags, signerFlags} from '../cli/flags/signer.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, meshRequest, targetFlags} from '../cli/flags/target.js';
import {trustFlags, trustRules} from '../cli/flags/trust.js';
import {typedCommand} from '../cli/suggest/shell.js';
import {keyAlgorithms} from '../domain/keys/keys.js';
import {bringUp, type UpResult} from '../operations/up.js';
import {upView} from '../output/views/up.js';
import {pairlessFormats} from '../output/views/verify.js';

/** How long the last step waits for all checks to pass, without `--timeout`. */
const defaultWaitMs = 300_000;

export default class Up extends MeshCommand {
  static override summary = 'Set up the mesh in one step: generate, push, render, apply, link and verify';
  static override description = `Runs certs generate, trust push, install render, install apply, link and verify --wait in sequence.

Stops at the first step that fails, with its exit code, and reports the completed steps. Completed work is not repeated: running up again resumes where it stopped, and changes nothing in a mesh without findings. The last step waits until all checks pass, for at most --timeout (default: 5m).`;
  static override examples = [
    example(
      'Set up the first cluster, starting from an empty directory',
      'cluster1 --context kind-cluster1 --mesh-id mesh1 --network network1',
    ),
    example('Preview the setup of every cluster in mesh.yaml', '--dry-run'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    'key-algorithm': Flags.option({options: keyAlgorithms})(
      keyAlgorithmHelp('key algorithm of new CAs', ' (default: mesh.yaml, otherwise rsa-4096)'),
    ),
    ...renderFlags,
    ...signerFlags,
    ...rootFlags,
    ...passphraseFlags,
    ...applyFlags,
    ...trustFlags,
    ...discoveryFlags,
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
      ...discoveryRules(flags),
      readinessTimeoutMs: flags['readiness-timeout'],
      upgrade: flags.upgrade,
      forceVersion: flags['force-version'],
      takeOver: flags['take-over'],
      waitMs: flags.timeout ?? defaultWaitMs,
      countsPairs: !flags.json && !flags.verbose && pairlessFormats.includes(flags.output),
      again: typedCommand('up', this.argv),
    };
    return this.perform(bringUp, request, upView, flags);
  }
}
