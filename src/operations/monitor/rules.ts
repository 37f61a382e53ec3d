/** `monitor rules`: alert rules for what can expire or drift, made for this mesh's Istio and thresholds. */
import {type KnownVersion, resolveVersion, newestKnown} from '../../domain/istio/versions.js';
import {formatMinor} from '../../domain/istio/version.js';
import {layout} from '../../domain/mesh/layout.js';
import type {Mesh} from '../../domain/mesh/mesh.js';
import {usesCacerts} from '../../domain/mesh/signer.js';
import {
  type OmittedAlert,
  type PrometheusAlert,
  type RuleObject,
  makeRules,
  prometheusRule,
  rulesYaml,
} from '../../domain/monitoring/make-rules.js';
import type {RulesRequest} from '../../domain/monitoring/rule.js';
import {emptyPlan, onePhase, type Warning} from '../../engine/operation.js';
import {type LoadedMesh, loadMesh} from '../shared/load-mesh.js';

/** `prometheus-rule`: an object for Prometheus' operator; `rule-file`: what Prometheus' own `rule_files` names. */
export type RulesFormat = 'prometheus-rule' | 'rule-file';

/** What `monitor rules` is asked for. */
export interface MonitorRulesRequest extends Pick<
  RulesRequest,
  'sources' | 'clusterLabel' | 'istiodMatchers' | 'runbookUrl'
> {
  readonly format: RulesFormat;
  readonly object: RuleObject;
  readonly staleAfterMs: number;
  /** `--istio-version` */
  readonly istioVersion?: string | undefined;
}

/** What `monitor rules` answers. */
export interface MonitorRulesResult {
  readonly format: RulesFormat;
  /** Whose metrics the rules ask for. */
  readonly istioVersion: string;
  readonly alerts: readonly Pick<PrometheusAlert, 'alert' | 'for' | 'labels'>[];
  readonly leftOut: readonly OmittedAlert[];
  /** The PrometheusRule, or the content of the rule file. */
  readonly document: object;
  /** The same as YAML, to be applied or saved. */
  readonly yaml: string;
  readonly warnings: readonly Warning[];
}

/** Makes them. Needs no cluster. */
export const monitorRules = onePhase<MonitorRulesRequest, MonitorRulesResult, LoadedMesh>({
  command: 'monitor rules',
  changes: false,
  title: () => 'read mesh.yaml',
  gather: (deps, {istioVersion}) => loadMesh(deps, {clusters: [], istioVersion}),
  plan: ({mesh}) => ({...emptyPlan, warnings: warningsOf(mesh)}),
  report: ({facts}, request) => report(request, facts.mesh),
  conclude: () => [],
});

function knownVersion({istio}: Mesh): KnownVersion {
  return resolveVersion(istio.version ?? formatMinor(newestKnown));
}

function warningsOf(mesh: Mesh): readonly Warning[] {
  const {note, version} = knownVersion(mesh);
  if (mesh.istio.version !== undefined) return note === undefined ? [] : [{message: note}];
  const made = `made for ${formatMinor(version)}, the newest known here`;
  return [{message: `${layout.meshYaml} declares no Istio version: ${made}; --istio-version says another`}];
}

function report(request: MonitorRulesRequest, mesh: Mesh): MonitorRulesResult {
  const {trust} = mesh;
  const known = knownVersion(mesh);
  const version = formatMinor(known.version);
  const {leftOut, ...rules} = makeRules({
    ...request,
    expiry: trust.expiry,
    istioVersion: known.version,
    istiodIsCa: usesCacerts(trust.signer),
    staleAfterSeconds: Math.ceil(request.staleAfterMs / 1000),
  });
  const document = request.format === 'rule-file' ? rules : prometheusRule(rules, request.object);
  return {
    format: request.format,
    istioVersion: known.text,
    alerts: rules.groups.flatMap((group) =>
      group.rules.map((rule) => ({alert: rule.alert, for: rule.for, labels: rule.labels})),
    ),
    leftOut,
    document,
    yaml: rulesYaml(document, [
      `Made by kubectl mesh monitor rules, for Istio ${version} and the thresholds of ${layout.meshYaml} (trust.expiry).`,
      'Make it again after a change of either. What each alert means: docs/monitoring.md.',
      ...leftOut.map(({alert, reason}) => `Left out: ${alert}: ${reason}.`),
    ]),
    warnings: warningsOf(mesh),
  };
}
