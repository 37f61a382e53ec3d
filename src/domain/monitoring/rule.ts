/**
 * Alert rules as data: what is asked of Prometheus, what a person is told, and which Istio has the metric. A group is a file in
 * groups/, and a line in registry.ts.
 */
import type {Feature} from '../istio/features.js';
import type {MeshTrust} from '../mesh/mesh.js';

/** Where the metrics of a rule come from: `certs list -o prometheus`, or a scraped istiod. */
export const ruleSources = ['textfile', 'istiod'] as const;
export type RuleSource = (typeof ruleSources)[number];

/** What rules are made with. */
export interface RuleContext {
  /** mesh.yaml's `trust.expiry`. */
  readonly expiry: MeshTrust['expiry'];
  /** The label by which Prometheus tells clusters apart: on metrics of istiod it is no label of istiod's own. */
  readonly clusterLabel: string;
  /** Seconds after which the metrics of `certs list` are too old. */
  readonly staleAfter: number;
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
  readonly needs?: Feature;
  /** Superseded where the Istio version has this. */
  readonly unless?: Feature;
  /** Says something only where istiod signs by itself. */
  readonly ofCa?: boolean;
  readonly expr: (context: RuleContext) => string;
  /** One line; Prometheus' templates are allowed. */
  readonly summary: (context: RuleContext) => string;
  /** What it means, and what to type first. */
  readonly description: (context: RuleContext) => string;
}

/** Rules that are evaluated together. */
export interface RuleGroup {
  readonly name: string;
  readonly source: RuleSource;
  readonly rules: readonly AlertRule[];
}

/** Days as PromQL. */
export function daysInSeconds(days: number): string {
  return `${String(days)} * 86400`;
}

/** A template that says the cluster, where there is one. */
export function ofCluster(label: string): string {
  return `{{ with $labels.${label} }}{{ . }}: {{ end }}`;
}

/**
 * How much a counter of istiod grew within a window. `increase` does not see a counter appear, and istiod's are there only
 * once they have counted; so one that was not there before counts whole, provided that its istiod was scraped then: after a
 * gap in scraping, everything would seem new.
 */
export function grown({istiod, clusterLabel}: RuleContext, counter: string, window: string): string {
  const scrapedThen = `${istiod('istio_build', 'component="pilot"')} offset ${window}`;
  return `(${counter} unless ${counter} offset ${window} and on (${clusterLabel}, instance) ${scrapedThen} or increase(${counter}[${window}]))`;
}
