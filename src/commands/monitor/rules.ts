import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {durationFlag} from '../../cli/flags/duration.js';
import {labelName, labelsFlag, matchersFlag, objectName} from '../../cli/flags/monitor.js';
import {outputFileFlags, outputFlags} from '../../cli/flags/output.js';
import {workDirFlags} from '../../cli/flags/target.js';
import {ruleSources} from '../../domain/monitoring/rule.js';
import {monitorRules, type MonitorRulesResult} from '../../operations/monitor/rules.js';
import {monitorRulesView} from '../../output/views/monitor-rules.js';

/** A daily job, plus two hours for a late run. */
const defaultStaleAfterMs = 26 * 3_600_000;

export default class MonitorRules extends MeshCommand {
  static override summary = 'Print Prometheus alert rules for certificate expiry and drift';
  static override description = `Prints rules for two sources of metrics. textfile: the output of certs list -o prometheus (the remaining lifetime of every certificate, whether the roots match, and whether the metrics are up to date). istiod: metrics scraped from istiod (its CA, failed signing requests, and remote clusters that it cannot read).

The thresholds are those of trust.expiry in mesh.yaml. Rules for metrics that the Istio version does not have are omitted and listed in a comment at the top. docs/monitoring.md contains a runbook for each alert. No cluster is accessed.`;
  static override examples = [
    example(
      'Apply a PrometheusRule with the label that the Prometheus Operator selects',
      '--namespace monitoring --labels release=prometheus | kubectl apply -f -',
    ),
    example(
      'Write a rule file and check it with promtool',
      '--format rule-file --output-file mesh-rules.yaml && promtool check rules mesh-rules.yaml',
    ),
    example("Print only the rules for istiod's metrics, for a Prometheus in each cluster", '--source istiod'),
  ];
  static override flags = {
    format: Flags.option({options: ['prometheus-rule', 'rule-file'] as const})({
      default: 'prometheus-rule',
      helpValue: 'prometheus-rule|rule-file',
      description: 'PrometheusRule object for the Prometheus Operator, or rule file for Prometheus',
    }),
    source: Flags.option({options: ruleSources, multiple: true, multipleNonGreedy: true, delimiter: ','})({
      helpValue: ruleSources.join('|'),
      description: 'source of metrics to print rules for; may be repeated (default: both)',
    }),
    'cluster-label': labelName({
      default: 'cluster',
      description: "Prometheus label that identifies the cluster; istiod's metrics do not have one",
    }),
    'istiod-selector': matchersFlag({
      description: "label matchers that select istiod's metrics, if Prometheus also scrapes other meshes",
    }),
    'stale-after': durationFlag({
      default: defaultStaleAfterMs,
      // oclif would print milliseconds.
      defaultHelp: () => Promise.resolve('26h'),
      description: 'maximum age of the metrics from certs list; must be longer than the interval between runs',
    }),
    'runbook-url': Flags.url({
      helpValue: 'URL',
      description: 'URL at which docs/monitoring.md is published; alerts link to it',
    }),
    name: objectName({default: 'kubectl-mesh', description: 'name of the PrometheusRule'}),
    namespace: objectName({
      description:
        "namespace of the PrometheusRule (default: none, so that kubectl apply uses the context's namespace)",
    }),
    labels: labelsFlag({description: 'labels of the PrometheusRule, separated by commas; may be repeated'}),
    'istio-version': Flags.string({
      helpValue: 'VERSION',
      description:
        'Istio version that provides the metrics, such as 1.30 or 1.30.3 (default: mesh.yaml, otherwise the newest known)',
    }),
    ...outputFlags(['text', 'name', 'json']),
    ...outputFileFlags,
    ...workDirFlags,
  };

  async run(): Promise<MonitorRulesResult> {
    const {flags} = await this.parse(MonitorRules);
    const request = {
      format: flags.format,
      object: {
        name: flags.name,
        labels: Object.assign({}, ...(flags.labels ?? [])) as Record<string, string>,
        ...(flags.namespace !== undefined && {namespace: flags.namespace}),
      },
      sources: flags.source ?? ruleSources,
      clusterLabel: flags['cluster-label'],
      istiodMatchers: flags['istiod-selector'] ?? [],
      staleAfterMs: flags['stale-after'],
      istioVersion: flags['istio-version'],
      ...(flags['runbook-url'] && {runbookUrl: flags['runbook-url'].href}),
    };
    return this.perform(monitorRules, request, monitorRulesView, flags);
  }
}
