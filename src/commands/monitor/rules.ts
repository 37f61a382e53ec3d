import {Flags} from '@oclif/core';
import {example, MeshCommand} from '../../cli/base-command.js';
import {durationFlag} from '../../cli/flags/duration.js';
import {labelName, labelsFlag, matchersFlag, objectName} from '../../cli/flags/monitor.js';
import {outputFileFlags, outputFlags} from '../../cli/flags/output.js';
import {workDirFlags} from '../../cli/flags/target.js';
import {ruleSources} from '../../domain/monitoring/rule.js';
import {monitorRules, type MonitorRulesResult} from '../../operations/monitor/rules.js';
import {monitorRulesView} from '../../output/views/monitor-rules.js';

/** A daily job, and two hours for a late one. */
const defaultStaleAfterMs = 26 * 3_600_000;

export default class MonitorRules extends MeshCommand {
  static override summary = 'Print alert rules for what can expire or drift';
  static override description = `Rules for two sources of metrics: textfile is what certs list -o prometheus writes (every certificate, by the share of its life that is left; whether roots agree; whether anybody still looks), istiod is what a scraped istiod reports (its CA, requests it could not sign, remote clusters it cannot read).

Thresholds are those of trust.expiry in mesh.yaml. Metrics that its Istio version does not have are left out, and the comment at the top says which. docs/monitoring.md has a runbook for each alert.`;
  static override examples = [
    example(
      "For Prometheus' operator, with the label its Prometheus selects rules by",
      '--namespace monitoring --labels release=prometheus | kubectl apply -f -',
    ),
    example(
      'As a rule file, checked',
      '--format rule-file --output-file mesh-rules.yaml && promtool check rules mesh-rules.yaml',
    ),
    example("Only for istiod's own metrics, where a Prometheus in each cluster has no others", '--source istiod'),
  ];
  static override flags = {
    format: Flags.option({options: ['prometheus-rule', 'rule-file'] as const})({
      default: 'prometheus-rule',
      description: "an object for Prometheus' operator, or a file for Prometheus itself",
    }),
    source: Flags.option({options: ruleSources, multiple: true, multipleNonGreedy: true, delimiter: ','})({
      description: 'only rules for these metrics; both when not said',
    }),
    'cluster-label': labelName({
      default: 'cluster',
      description: 'the label by which Prometheus tells clusters apart: istiod itself has none',
    }),
    'istiod-selector': matchersFlag({
      description: "label matchers for istiod's metrics, where Prometheus has other meshes, too",
    }),
    'stale-after': durationFlag({
      default: defaultStaleAfterMs,
      // oclif would print milliseconds.
      defaultHelp: () => Promise.resolve('26h'),
      helpValue: '3h',
      description: 'how old the metrics of certs list may be: more than the time between two runs',
    }),
    'runbook-url': Flags.url({description: 'where docs/monitoring.md is published: alerts then link to it'}),
    name: objectName({default: 'kubectl-mesh', description: 'name of the PrometheusRule'}),
    namespace: objectName({description: 'namespace of the PrometheusRule; without it kubectl decides'}),
    labels: labelsFlag({
      description: 'labels of the PrometheusRule; may be repeated',
    }),
    'istio-version': Flags.string({
      helpValue: 'VERSION',
      description: 'the Istio version whose metrics are asked for, 1.30 or 1.30.3; without it mesh.yaml says',
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
