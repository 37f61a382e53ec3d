/**
 * Alert rules as data: what is asked of Prometheus, what a person is told, and which Istio has the metric. A group is a file in
 * groups/, and a line in make-rules.ts.
 */
import {MeshError} from '../errors.js';
import type {Feature} from '../istio/features.js';
import type {IstioVersion} from '../istio/version.js';
import type {MeshTrust} from '../mesh/mesh.js';

/** Where the metrics of a rule come from: `certs list -o prometheus`, or a scraped istiod. */
export const ruleSources = ['textfile', 'istiod'] as const;
export type RuleSource = (typeof ruleSources)[number];

/** What rules are made for. */
export interface RulesRequest {
  /** mesh.yaml's `trust.expiry`. */
  readonly expiry: MeshTrust['expiry'];
  readonly istioVersion: IstioVersion;
  /** Whether istiod signs workload certificates by itself. */
  readonly istiodIsCa: boolean;
  readonly sources: readonly RuleSource[];
  /** The label by which Prometheus tells clusters apart: on metrics of istiod it is no label of istiod's own. */
  readonly clusterLabel: string;
  /** Matchers for every metric of istiod's, as in `job="istiod"`. */
  readonly istiodMatchers: readonly string[];
  /** When the metrics of `certs list` are too old. */
  readonly staleAfterSeconds: number;
  /** Where docs/monitoring.md is served, for `runbook_url`; absent: the page is named as it lies in the repository. */
  readonly runbookUrl?: string;
}

/** What rules are made with. */
export interface RuleContext extends RulesRequest {
  /** Whether the mesh's Istio has something. */
  readonly has: (feature: Feature) => boolean;
  /** A selector for a family of istiod's, with the matchers that were said and more. */
  readonly istiod: (family: string, ...matchers: readonly string[]) => string;
}

/** One alert. */
export interface AlertRule {
  /** Unique; also the heading of its runbook in docs/monitoring.md. */
  readonly alert: string;
  readonly severity: 'warning' | 'critical';
  /** How long it must hold, as Prometheus writes it. */
  readonly for: string;
  /** The Istio version must have this. */
  readonly requires?: Feature;
  /** Superseded where the Istio version has this. */
  readonly supersededBy?: Feature;
  readonly expr: (context: RuleContext) => string;
  /** One line; Prometheus' templates are allowed. */
  readonly summary: (context: RuleContext) => string;
  /** What it means, and what to type first. */
  readonly description: (context: RuleContext) => string;
}

const alertOf =
  (severity: AlertRule['severity']) =>
  (alert: string, holds: string, rest: Omit<AlertRule, 'alert' | 'severity' | 'for'>): AlertRule => {
    return {alert, severity, for: holds, ...rest};
  };

/** An alert by its name, how long it must hold, and the rest. */
export const warning = alertOf('warning');
export const critical = alertOf('critical');

/** Rules that are evaluated together. */
export interface RuleGroup {
  readonly name: string;
  readonly source: RuleSource;
  /** They mean something only where istiod signs by itself. */
  readonly requiresIstiodCa?: boolean;
  readonly rules: readonly AlertRule[];
}

const matcher = /^[a-zA-Z_][a-zA-Z0-9_]*(?:=~|!~|!=|=)"(?:[^"\\\n]|\\["\\nt.dwsS+*?|(){}[\]^$-])*"$/;

/** Matchers of a selector, as in `job="istiod",mesh=~"prod.*"`. Throws `USAGE`: they go into expressions as they are. */
export function parseMatchers(text: string): readonly string[] {
  const found = text.match(/[^",]+"(?:[^"\\]|\\.)*"/g) ?? [];
  const matchers = found.map((one) => one.trim());
  const isWhole = found.join(',').replaceAll(/\s/g, '') === text.replaceAll(/\s/g, '');
  if (!isWhole || matchers.length === 0 || !matchers.every((one) => matcher.test(one))) {
    throw new MeshError('USAGE', `${text} is no list of label matchers`, {
      hints: ['Write it as in a Prometheus selector, in single quotes for the shell: \'job="istiod",mesh="prod"\''],
    });
  }
  return matchers;
}

/** Days as PromQL. */
export function daysInSeconds(days: number): string {
  return `${String(days)} * 86400`;
}

/** A template that says the cluster, where there is one. */
export function clusterPrefix(label: string): string {
  return `{{ with $labels.${label} }}{{ . }}: {{ end }}`;
}

/**
 * How much a counter of istiod grew within a window. `increase` does not see a counter appear, and istiod's are there only
 * once they have counted; so one that was not there before counts whole, provided that its istiod was scraped then: after a
 * gap in scraping, everything would seem new.
 */
export function counterIncrease({istiod, clusterLabel}: RuleContext, counter: string, window: string): string {
  const scrapedThen = `${istiod('istio_build', 'component="pilot"')} offset ${window}`;
  return `(${counter} unless ${counter} offset ${window} and on (${clusterLabel}, instance) ${scrapedThen} or increase(${counter}[${window}]))`;
}
