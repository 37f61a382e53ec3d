/**
 * Alert rules as data: the expression, the annotations, and the Istio versions with the metric. A group is a file in groups/
 * and an entry in make-rules.ts.
 */
import {MeshError} from '../errors.js';
import type {Feature} from '../istio/features.js';
import type {IstioVersion} from '../istio/version.js';
import type {MeshTrust} from '../mesh/mesh.js';

/** The source of a rule's metrics: `certs list -o prometheus`, or a scraped istiod. */
export const ruleSources = ['textfile', 'istiod'] as const;
export type RuleSource = (typeof ruleSources)[number];

/** The parameters of the rules. */
export interface RulesRequest {
  /** `trust.expiry` of mesh.yaml. */
  readonly expiry: MeshTrust['expiry'];
  readonly istioVersion: IstioVersion;
  /** Whether istiod's own CA signs workload certificates. */
  readonly istiodIsCa: boolean;
  readonly sources: readonly RuleSource[];
  /** The label by which Prometheus distinguishes clusters. On istiod's metrics it is not a label that istiod sets. */
  readonly clusterLabel: string;
  /** Matchers for every metric of istiod: `job="istiod"`. */
  readonly istiodMatchers: readonly string[];
  /** The age at which the metrics of `certs list` are stale. */
  readonly staleAfterSeconds: number;
  /** The URL of docs/monitoring.md for `runbook_url`; absent: the annotation is its path in the repository. */
  readonly runbookUrl?: string;
}

/** The parameters with functions for building expressions. */
export interface RuleContext extends RulesRequest {
  /** Reports whether the mesh's Istio version has a feature. */
  readonly has: (feature: Feature) => boolean;
  /** Returns a selector for a metric family of istiod, with the given matchers in addition to `istiodMatchers`. */
  readonly istiod: (family: string, ...matchers: readonly string[]) => string;
}

/** One alert. */
export interface AlertRule {
  /** Unique; also the heading of its runbook in docs/monitoring.md. */
  readonly alert: string;
  readonly severity: 'warning' | 'critical';
  /** How long the condition must hold, in Prometheus' format. */
  readonly for: string;
  /** A feature that the Istio version must have. */
  readonly requires?: Feature;
  /** A feature with which the alert is superseded. */
  readonly supersededBy?: Feature;
  readonly expr: (context: RuleContext) => string;
  /** One line, which may contain Prometheus templates. */
  readonly summary: (context: RuleContext) => string;
  /** The meaning of the alert, and the first command to run. */
  readonly description: (context: RuleContext) => string;
}

const alertOf =
  (severity: AlertRule['severity']) =>
  (alert: string, duration: string, rest: Omit<AlertRule, 'alert' | 'severity' | 'for'>): AlertRule => {
    return {alert, severity, for: duration, ...rest};
  };

/** Create an alert from its name, how long its condition must hold, and the rest. */
export const warning = alertOf('warning');
export const critical = alertOf('critical');

/** Rules that are evaluated together. */
export interface RuleGroup {
  readonly name: string;
  readonly source: RuleSource;
  /** Whether the rules apply only if istiod's own CA signs workload certificates. */
  readonly requiresIstiodCa?: boolean;
  readonly rules: readonly AlertRule[];
}

const matcher = /^[a-zA-Z_][a-zA-Z0-9_]*(?:=~|!~|!=|=)"(?:[^"\\\n]|\\["\\nt.dwsS+*?|(){}[\]^$-])*"$/;

/** Parses label matchers such as `job="istiod",mesh=~"prod.*"`. Throws `USAGE`, because they are copied into expressions. */
export function parseMatchers(text: string): readonly string[] {
  const found = text.match(/[^",]+"(?:[^"\\]|\\.)*"/g) ?? [];
  const matchers = found.map((one) => one.trim());
  const isComplete = found.join(',').replaceAll(/\s/g, '') === text.replaceAll(/\s/g, '');
  if (!isComplete || matchers.length === 0 || !matchers.every((one) => matcher.test(one))) {
    throw new MeshError('USAGE', `invalid label matchers: ${text}`, {
      hints: ['use the syntax of a Prometheus selector in single quotes: \'job="istiod",mesh="prod"\''],
    });
  }
  return matchers;
}

/** Formats days as PromQL seconds. */
export function daysInSeconds(days: number): string {
  return `${String(days)} * 86400`;
}

/** Returns a template for the cluster as a prefix, if the alert has the label. */
export function clusterPrefix(label: string): string {
  return `{{ with $labels.${label} }}{{ . }}: {{ end }}`;
}

/**
 * Returns an expression for the increase of an istiod counter within a window. `increase` ignores the first value of a new
 * series, and istiod creates a counter only with its first increment. So the full value of a new series counts, provided that
 * its istiod was already scraped at the start of the window; otherwise every series would be new after a gap in scraping.
 */
export function counterIncrease({istiod, clusterLabel}: RuleContext, counter: string, window: string): string {
  const scrapedBefore = `${istiod('istio_build', 'component="pilot"')} offset ${window}`;
  return `(${counter} unless ${counter} offset ${window} and on (${clusterLabel}, instance) ${scrapedBefore} or increase(${counter}[${window}]))`;
}
