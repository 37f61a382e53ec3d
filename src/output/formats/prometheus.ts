/**
 * Prometheus' text exposition format (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4): families with
 * HELP and TYPE, one sample per line, no timestamps (node_exporter's textfile collector rejects them).
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
  /** The sample to write if several have the same labels, which would be invalid. Default: smallest. */
  readonly keep?: 'smallest' | 'largest';
}

/** The maximum length of a label value: longer ones slow down every query. Characters. */
const maxValueLength = 200;

/** Formats metric families. Families without samples are omitted. */
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

/** Removes control characters and unpaired surrogates, which an alert could pass on to a terminal, and escapes the rest. */
function escaped(value: string): string {
  const text = printableLine(Buffer.from(value, 'utf8').toString('utf8'));
  // Truncated before it is escaped, so that no escape sequence is split; a split character becomes U+FFFD.
  const short =
    text.length > maxValueLength ? `${Buffer.from(text.slice(0, maxValueLength - 1)).toString('utf8')}…` : text;
  return short.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
