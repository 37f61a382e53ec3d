/**
 * Prometheus' text exposition format (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4): families with
 * HELP and TYPE, one sample a line, no timestamps (node_exporter's textfile collector takes none).
 */
import type {MetricFamily} from '../../domain/monitoring/metrics.js';
import {printableLine} from '../../domain/printable.js';

/** One sample. Label names are fixed; values may come from clusters. */
export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

/** A family with its samples. */
export interface Family extends MetricFamily {
  readonly samples: readonly MetricSample[];
  /** Which of two samples with the same labels is written: both would make the page invalid. Default: smallest. */
  readonly keep?: 'smallest' | 'largest';
}

/** Longer label values slow down every query. */
const longestValue = 200;

/** The page. Families without samples are left out. */
export function exposition(families: readonly Family[]): string {
  return families
    .filter(({samples}) => samples.length > 0)
    .map(({name, help, type, samples, keep = 'smallest'}) => {
      const choose = keep === 'smallest' ? Math.min : Math.max;
      const lines = new Map<string, number>();
      for (const {labels, value} of samples) {
        const series = `${name}${labelText(labels)}`;
        lines.set(series, choose(value, lines.get(series) ?? value));
      }
      return [
        `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}`,
        `# TYPE ${name} ${type}`,
        ...[...lines].map(([series, value]) => `${series} ${String(value)}`),
      ].join('\n');
    })
    .join('\n');
}

function labelText(labels: Readonly<Record<string, string>>): string {
  const pairs = Object.entries(labels).map(([name, value]) => `${name}="${escaped(value)}"`);
  return pairs.length === 0 ? '' : `{${pairs.join(',')}}`;
}

/**
 * Control characters and halves of characters are taken out before they reach a terminal by way of an alert; what is left
 * is escaped.
 */
function escaped(value: string): string {
  const text = printableLine(Buffer.from(value, 'utf8').toString('utf8'));
  // Cut before it is escaped, so that no escape is cut in two; a half character at the cut becomes one that stands for it.
  const short = text.length > longestValue ? `${Buffer.from(text.slice(0, longestValue - 1)).toString('utf8')}…` : text;
  return short.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
