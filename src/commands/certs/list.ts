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
  static override summary = 'List all certificates of the mesh with their expiry and renewal dates';
  static override description = `Reads only the certificates in the work directory, not the keys, so it also works in a Git checkout and in CI. --live also reads the clusters: Secret cacerts, the roots that workloads trust, and the certificates that every running istiod presents and reports.

STATE follows trust.expiry in mesh.yaml: by default, a warning below 30% of the lifetime (at most 180 days) or 30 days, and an error below 10% (at most 60 days) or 7 days. The first outage is the earliest expiry of a CA in use; RENEW FROM is the day on which a certificate that a cluster depends on becomes a warning.

Exit codes: 0 regardless of expiry dates, without --fail-on; 3 with --fail-on, if a certificate in use has at least this severity; 4 if a cluster cannot be read (all known certificates are still printed) or, with --fail-on, if a cluster has no known CA. With --within, only the listed certificates count, and --fail-on warning includes all of them.`;
  static override examples = [
    example('List all certificates'),
    example('Fail a pipeline if a certificate in use expires within 30 days', '--within 30d --fail-on warning'),
    example(
      "Write metrics for node_exporter's textfile collector, from cron",
      '--live -q -o prometheus --output-file /var/lib/node_exporter/kubectl_mesh.prom',
    ),
    example('Print the date of the first outage', '-o json | jq -r .firstOutage.notAfter'),
  ];
  static override args = {cluster: clustersArg};
  static override flags = {
    within: daysFlag({
      description: 'list only certificates in use that expire within this duration, such as 30d or 36h',
    }),
    'fail-on': Flags.option({options: ['error', 'warning'] as const})({
      helpValue: 'error|warning',
      description: 'lowest severity of a certificate in use that results in exit code 3 (default: none)',
    }),
    live: Flags.boolean({
      description:
        'also read the clusters: their Secrets and trust bundles, and the certificates that every istiod presents',
    }),
    'no-secrets': Flags.boolean({description: 'do not read Secrets; requires --live', dependsOn: ['live']}),
    ...outputFlags(['text', 'wide', 'name', 'prometheus', 'json']),
    ...outputFileFlags,
    ...targetFlags,
    ...concurrencyFlags,
  };

  async run(): Promise<ListResult> {
    const {args, flags} = await this.parse(CertsList);
    if (flags.within !== undefined && flags.output === 'prometheus') {
      throw new MeshError('USAGE', '--within cannot be combined with -o prometheus: metrics cover all certificates', {
        hints: [advice`omit --within and set thresholds in alert rules: ${kubectlMesh('monitor rules')}`],
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
