import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {daysFlag} from '../../cli/flags/duration.js';
import {outputFileFlags, outputFlags} from '../../cli/flags/output.js';
import {clustersArg, concurrencyFlags, meshRequest, targetFlags} from '../../cli/flags/target.js';
import {MeshError} from '../../domain/errors.js';
import {advice, kubectlMesh} from '../../domain/suggest/suggestion.js';
import {listCerts, type ListResult} from '../../operations/certs/list.js';
import {certsListView} from '../../output/views/certs-list.js';

export default class CertsList extends MeshCommand {
  static override summary = 'List every certificate of the mesh, what ends first, and what to renew when';
  static override description = `Reads the work directory only, and no keys: it works on a git checkout and in CI. --live asks the clusters, too: Secret cacerts, the roots that workloads trust, what every running istiod presents and reports.

STATE follows trust.expiry of mesh.yaml: by default a warning below 30 % of the lifetime or 30 days, an error below 10 % or 7 days. The first outage is the earliest end of a CA in use; RENEW FROM is the day on which something that a cluster depends on becomes a warning.

Exit code: 0, whatever the dates are; 3 with --fail-on, when something in use is at or above it (with --fail-on warning --within 30d: when it ends within 30 days, or is a warning); 4 when a cluster could not be asked, and the answer still has everything that is known; 4 with --fail-on, too, when a cluster has no CA here.`;
  static override examples = [
    example('Everything'),
    example('In a pipeline: exit 3 when something in use ends within 30 days', '--within 30d --fail-on warning'),
    example(
      "For node_exporter's textfile collector, from cron",
      '--live -q -o prometheus --output-file /var/lib/node_exporter/kubectl_mesh.prom',
    ),
    example('The day of the first outage, for a script', '-o json | jq -r .firstOutage.notAfter'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    within: daysFlag({description: 'list only what is in use and ends within this time'}),
    'fail-on': Flags.option({options: ['error', 'warning'] as const})({
      description: 'exit with 3 when something in use is at or above this severity',
    }),
    live: Flags.boolean({description: 'ask the clusters, too: what they hold, and what every istiod presents'}),
    'no-secrets': Flags.boolean({description: 'with --live: read no Secret', dependsOn: ['live']}),
    ...outputFlags(['text', 'wide', 'name', 'prometheus', 'json']),
    ...outputFileFlags,
    ...targetFlags,
    ...concurrencyFlags,
  };

  async run(): Promise<ListResult> {
    const {args, flags} = await this.parse(CertsList);
    if (flags.within !== undefined && flags.output === 'prometheus') {
      throw new MeshError('USAGE', '--within leaves certificates out, and metrics are about all of them', {
        hints: [
          advice`Leave --within away: an alert rule decides what ends too soon (${kubectlMesh('monitor rules')})`,
        ],
      });
    }
    const request = {
      mesh: meshRequest(flags, args.cluster),
      ...(flags.live && {live: {limits: {noSecrets: flags['no-secrets']}}}),
      ...(flags.within !== undefined && {withinDays: flags.within}),
      failOn: flags['fail-on'],
    };
    return this.perform(listCerts, request, certsListView, flags);
  }
}
