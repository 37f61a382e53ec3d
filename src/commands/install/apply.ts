import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {applyFlags} from '../../cli/flags/install.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {applyInstalls, type ApplyResult} from '../../operations/install/apply.js';
import {applyView} from '../../output/views/install.js';

export default class InstallApply extends MeshCommand {
  static override summary = 'Install Istio with istioctl, from install.yaml';
  static override description = `Hands exactly the bytes of CLUSTER/install.yaml to the istioctl in PATH and waits until everything is ready: one cluster first, then the others.

Nothing is changed where the cluster lacks the CA of the work directory, where install.yaml is not what mesh.yaml says now, where istioctl would change the version that runs, or where somebody else installed Istio. An installation that is live and unchanged is left alone.`;
  static override examples = [
    example("The guide's first cluster", 'cluster1'),
    example('Every cluster, after istioctl was replaced by the next release', '--upgrade'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    ...applyFlags,
    'accept-uid': Flags.boolean({
      description: 'accept that a context leads to another cluster than the one recorded in mesh.yaml',
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
