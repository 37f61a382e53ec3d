/** Generates the alert rules for whose metrics the mesh's Istio version has, as a rule file or a PrometheusRule. */
import {stringify} from 'yaml';
import {defined} from '../defined.js';
import {type Feature, features, hasFeature} from '../istio/features.js';
import {certificateRules} from './groups/certificates.js';
import {discoveryRules} from './groups/discovery.js';
import {istiodCaRules} from './groups/istiod-ca.js';
import {signingRules} from './groups/signing.js';
import {runRules, trustRules} from './groups/trust.js';
import type {AlertRule, RuleContext, RuleGroup, RulesRequest} from './rule.js';

/** All groups of alert rules. A new one is a file in groups/ and an entry here; docs/monitoring.md has a runbook for each alert. */
export const ruleGroups: readonly RuleGroup[] = [
  certificateRules,
  trustRules,
  runRules,
  istiodCaRules,
  signingRules,
  discoveryRules,
];

/** An alert in Prometheus' format. */
export interface PrometheusAlert {
  readonly alert: string;
  readonly expr: string;
  readonly for: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** Groups in the format of a rule file and of `spec` in a PrometheusRule. */
export interface PrometheusGroups {
  readonly groups: readonly {readonly name: string; readonly rules: readonly PrometheusAlert[]}[];
}

/** An alert that was omitted, and why. */
export interface OmittedAlert {
  readonly alert: string;
  readonly reason: string;
}

/** The page with a runbook for each alert. */
const runbookPage = 'docs/monitoring.md';

/** Generates the rules. */
export function makeRules(request: RulesRequest): PrometheusGroups & {readonly leftOut: readonly OmittedAlert[]} {
  const context: RuleContext = {
    ...request,
    has: (feature) => hasFeature(request.istioVersion, feature),
    istiod: (family, ...more) => {
      const matchers = [...request.istiodMatchers, ...more];
      return matchers.length === 0 ? family : `${family}{${matchers.join(',')}}`;
    },
  };
  const groups = ruleGroups
    .filter(({source}) => request.sources.includes(source))
    .map((group) => ({
      name: group.name,
      rules: group.rules.map((rule) => ({rule, reason: omissionReason(rule, group, context)})),
    }));
  const included = groups.map(({name, rules}) => ({
    name,
    rules: rules.filter(({reason}) => reason === undefined).map(({rule}) => prometheusAlert(rule, context)),
  }));
  return {
    groups: included.filter(({rules}) => rules.length > 0),
    leftOut: groups.flatMap(({rules}) =>
      rules.flatMap(({rule: {alert}, reason}) => (reason === undefined ? [] : [{alert, reason}])),
    ),
  };
}

function omissionReason(
  {requires, supersededBy}: AlertRule,
  {requiresIstiodCa = false}: RuleGroup,
  {has, istiodIsCa}: RuleContext,
): string | undefined {
  if (requiresIstiodCa && !istiodIsCa) return 'istiod is not a CA in this mesh (trust.signer external)';
  if (requires !== undefined && !has(requires)) return `istiod has its metric since ${firstReleases(requires)}`;
  if (supersededBy !== undefined && has(supersededBy)) {
    return `istiod has a better metric since ${firstReleases(supersededBy)}`;
  }
  return undefined;
}

function firstReleases(feature: Feature): string {
  const {from} = features[feature];
  return typeof from === 'string' ? from : from.join(', ');
}

function prometheusAlert(rule: AlertRule, context: RuleContext): PrometheusAlert {
  const {runbookUrl} = context;
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

/** The name, namespace and labels of a PrometheusRule; the Prometheus operator selects it by its labels. */
export interface RuleObject {
  readonly name: string;
  readonly namespace?: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** Returns a PrometheusRule (github.com/prometheus-operator/prometheus-operator: Documentation/api-reference/api.md). */
export function prometheusRule({groups}: PrometheusGroups, {name, namespace, labels}: RuleObject): object {
  return {
    apiVersion: 'monitoring.coreos.com/v1',
    kind: 'PrometheusRule',
    metadata: defined({name, namespace, labels: {'app.kubernetes.io/managed-by': 'kubectl-mesh', ...labels}}),
    spec: {groups},
  };
}

/** Formats YAML with a header comment. The same input gives the same bytes. */
export function rulesYaml(document: object, comments: readonly string[]): string {
  return `${comments.map((line) => `# ${line}\n`).join('')}${stringify(document, {lineWidth: 0})}`;
}
