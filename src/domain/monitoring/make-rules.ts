/** Alert rules for one mesh: which of them its Istio has the metrics for, as Prometheus' rule file or as a PrometheusRule. */
import {stringify} from 'yaml';
import {type Feature, features, hasFeature} from '../istio/features.js';
import type {IstioVersion} from '../istio/version.js';
import type {MeshTrust} from '../mesh/mesh.js';
import {ruleGroups} from './registry.js';
import type {AlertRule, RuleContext, RuleGroup, RuleSource} from './rule.js';

/** What rules are made for. */
export interface RulesRequest {
  readonly expiry: MeshTrust['expiry'];
  readonly istioVersion: IstioVersion;
  /** Whether istiod signs workload certificates by itself. */
  readonly istiodIsCa: boolean;
  readonly sources: readonly RuleSource[];
  readonly clusterLabel: string;
  /** Matchers for every metric of istiod's, as in `job="istiod"`. */
  readonly istiodMatchers: readonly string[];
  readonly staleAfterSeconds: number;
  /** Where docs/monitoring.md is served, for `runbook_url`; absent: the page is named as it lies in the repository. */
  readonly runbookUrl?: string;
}

/** An alert as Prometheus reads it. */
export interface PrometheusAlert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Groups as a rule file and `spec` of a PrometheusRule have them. */
export interface PrometheusGroups {
  readonly groups: readonly {readonly name: string; readonly rules: readonly PrometheusAlert[]}[];
}

/** An alert that was left out, and why. */
export interface LeftOut {
  readonly alert: string;
  readonly reason: string;
}

/** The page with a runbook for each alert. */
const runbookPage = 'docs/monitoring.md';

/** Makes them. */
export function makeRules(request: RulesRequest): PrometheusGroups & {readonly leftOut: readonly LeftOut[]} {
  const {expiry, clusterLabel, istiodMatchers, sources} = request;
  const context: RuleContext = {
    expiry,
    clusterLabel,
    staleAfter: request.staleAfterSeconds,
    has: (feature) => hasFeature(request.istioVersion, feature),
    istiod: (family, ...matchers) => {
      const all = [...istiodMatchers, ...matchers];
      return all.length === 0 ? family : `${family}{${all.join(',')}}`;
    },
  };
  const chosen = ruleGroups.filter(({source}) => sources.includes(source));
  const leftOut = chosen.flatMap(({rules}) =>
    rules.flatMap((rule): readonly LeftOut[] => {
      const reason = reasonAgainst(rule, request);
      return reason === undefined ? [] : [{alert: rule.alert, reason}];
    }),
  );
  const isIn = ({alert}: AlertRule): boolean => leftOut.every((one) => one.alert !== alert);
  return {
    groups: chosen
      .map(({name, rules}: RuleGroup) => ({
        name,
        rules: rules.filter(isIn).map((rule) => prometheusAlert(rule, context, request.runbookUrl)),
      }))
      .filter(({rules}) => rules.length > 0),
    leftOut,
  };
}

function reasonAgainst(
  {needs, unless, ofCa = false}: AlertRule,
  {istioVersion, istiodIsCa}: RulesRequest,
): string | undefined {
  if (ofCa && !istiodIsCa) return 'istiod is no CA in this mesh (trust.signer external)';
  if (needs !== undefined && !hasFeature(istioVersion, needs)) return `istiod has its metric since ${firstOf(needs)}`;
  if (unless !== undefined && hasFeature(istioVersion, unless))
    return `istiod has a better metric since ${firstOf(unless)}`;
  return undefined;
}

function firstOf(feature: Feature): string {
  const {from} = features[feature];
  return typeof from === 'string' ? from : from.join(', ');
}

function prometheusAlert(rule: AlertRule, context: RuleContext, runbookUrl: string | undefined): PrometheusAlert {
  const runbook = `#${rule.alert.toLowerCase()}`;
  return {
    alert: rule.alert,
    expr: rule.expr(context),
    for: rule.for,
    labels: {severity: rule.severity},
    annotations: {
      summary: rule.summary(context),
      description: rule.description(context),
      ...(runbookUrl === undefined
        ? {runbook: `${runbookPage}${runbook}`}
        : {runbook_url: `${runbookUrl.replace(/#.*$/, '')}${runbook}`}),
    },
  };
}

/** What a PrometheusRule is called, where it goes and how Prometheus' operator finds it. */
export interface RuleObject {
  readonly name: string;
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** A PrometheusRule (github.com/prometheus-operator/prometheus-operator: Documentation/api-reference/api.md). */
export function prometheusRule({groups}: PrometheusGroups, {name, namespace, labels}: RuleObject): object {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: {
      name,
      ...(namespace !== undefined && {namespace}),
      labels: {'app.kubernetes.io/managed-by': 'kubectl-mesh', ...labels},
    },
    spec: {groups},
  };
}

/** YAML with a comment that says what made it. Same input, same bytes. */
export function rulesYaml(document: object, comments: readonly string[]): string {
  return `${comments.map((line) => `# ${line}\n`).join('')}${stringify(document, {lineWidth: 0})}`;
}
