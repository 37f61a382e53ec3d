import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {applyFlags} from '../../cli/flags/install.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {applyInstalls, type ApplyResult} from '../../operations/install/apply.js';
import {applyView} from '../../output/views/install.js';

export default class InstallApply extends MeshCommand {
  static override summary = 'Install Istio from install.yaml with istioctl';
  static override description = `Passes CLUSTER/install.yaml byte for byte to the istioctl in PATH and waits until all components are ready: one cluster first, then the others.

Refuses to change a cluster that lacks the work directory's CA, whose install.yaml does not match mesh.yaml, whose Istio version istioctl would change, or whose installation another installer manages. An up-to-date installation is not changed.`;
  static override examples = [
    example("Install the guide's first cluster", 'cluster1'),
    example('Upgrade every cluster to the version of istioctl', '--upgrade'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    ...applyFlags,
    'accept-uid': Flags.boolean({
      description: 'accept that a context points to a different cluster than the one recorded in mesh.yaml',
      helpGroup: 'SAFETY',
    }),
    ...targetFlags,
    ...concurrencyFlags,
    ...keepGoingFlags,
    ...outputFlags(['text', 'json']),
    ...safetyFlags,
  };

  async run(): Promise<ApplyResult> {
    const {args, flags} = await this.parse(InstallApply);
    const request = {
      ...meshRequest(flags, args.cluster),
      readinessTimeoutMs: flags['readiness-timeout'],
      upgrade: flags.upgrade,
      forceVersion: flags['force-version'],
      takeOver: flags['take-over'],
      acceptUid: flags['accept-uid'],
      as: flags.as,
    };
    return this.perform(applyInstalls, request, applyView, flags);
  }
}
