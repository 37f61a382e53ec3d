/**
 * verify of 10, 50 and 200 clusters: time and memory must grow with the clusters, not with their pairs.
 *
 * For each cluster, the requests, processes and files are the same in every mesh. What grows with the pairs, N * (N - 1):
 * - one TokenReview, the only proof that the peer accepts the reader's token; its token is held until then
 * - one record of what the remote secret states (token claims, times); the peer's address and CA are shared by all readers
 * - the judgement of seven checks. In text, results that are ok or skipped are counted by check and cluster; JSON has a row for each
 *
 * With more than 10 clusters, the remote secrets of a cluster are read by one list; otherwise, or if that is forbidden, by name.
 */
import {HealthyMesh} from './healthy-mesh.js';
import {interleave} from './interleave.js';
import type {Usage} from './node-usage.js';
import {type BenchContext, defineScenario, once, type Report, type Row, type Size} from './scenario.js';
import {spread} from './statistics.js';

interface Counts {
  readonly counts: readonly number[];
}

export const scale = defineScenario({
  name: 'scale',
  sizes: {full: {runs: 3, warmUp: false, counts: [10, 50, 200]}, quick: {...once, counts: [2, 4]}},
  title: ({counts}) => `verify: ${counts.join(', ')} clusters`,
  measure,
});

/** The outputs: text folds rows of pairs with equal results, JSON contains every row. */
const outputs = ['text', 'json'] as const;

async function measure({program, sandbox, progress}: BenchContext, size: Size & Counts): Promise<Report> {
  const rows: Row[] = [];
  for (const clusters of size.counts) {
    const mesh = await HealthyMesh.create(program, sandbox, {clusters, istiods: 1});
    const usages: Record<(typeof outputs)[number], Usage[]> = {text: [], json: []};
    const run = (output: (typeof outputs)[number]) => async (): Promise<number> => {
      const usage = await mesh.verify('-o', output);
      usages[output].push(usage);
      return usage.ms;
    };
    await interleave({text: run('text'), json: run('json')}, size, progress);
    for (const output of outputs) {
      const figure = (what: string, unit: 'ms' | 'MiB', values: readonly number[]): Row => ({
        kind: 'figure',
        what: `${String(clusters)} clusters, -o ${output}: ${what}`,
        value: spread(values),
        unit,
      });
      rows.push(
        figure(
          'time',
          'ms',
          usages[output].map(({ms}) => ms),
        ),
        figure(
          'CPU time',
          'ms',
          usages[output].map(({cpuMs}) => cpuMs),
        ),
        figure(
          'peak memory',
          'MiB',
          usages[output].map(({peakMiB}) => peakMiB),
        ),
      );
    }
  }
  return {
    rows,
    notes: [
      "Only the program's own process. The fake API servers of all clusters share one process, and with it two cores.",
    ],
  };
}
