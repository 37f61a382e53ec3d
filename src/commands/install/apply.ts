import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {applyFlags} from '../../cli/flags/install.js';
import {outputFlags} from '../../cli/flags/output.js';
import {safetyFlags} from '../../cli/flags/safety.js';
import {clustersArg, concurrencyFlags, keepGoingFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {applyInstalls} from '../../operations/install/apply.js';
import type {ApplyResult} from '../../operations/install/report-apply.js';
import {applyView} from '../../output/views/install.js';

export default class InstallApply extends MeshCommand {
  static override summary = 'Install Istio from install.yaml with istioctl';
  static override description = `Passes CLUSTER/install.yaml unchanged to the istioctl in your PATH, and waits until all components are ready. Installs one cluster first, then the others in parallel. If the mesh has several networks, it also applies CLUSTER/cross-network-gateway.yaml and waits until the east-west gateway has an address.

Refuses to change a cluster that does not have the CA in the work directory, whose install.yaml does not match mesh.yaml, whose Istio version istioctl would change (see --upgrade), or whose installation another installer manages (see --take-over). An up-to-date installation is not changed.`;
  static override examples = [
    example('Install Istio in one cluster', 'cluster1'),
    example("Upgrade every cluster to istioctl's version", '--upgrade'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    ...applyFlags,
    'accept-uid': Flags.boolean({
      description: 'accept a cluster whose UID differs from the one in mesh.yaml, and record its UID',
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
