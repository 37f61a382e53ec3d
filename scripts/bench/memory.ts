/** Peak memory of the commands that talk to every cluster at once. */
import {HealthyMesh} from './healthy-mesh.js';
import {interleave} from './interleave.js';
import {runNode} from './node-usage.js';
import type {BenchContext, Report, Scenario} from './scenario.js';
import {ratioOfMedians, spread} from './statistics.js';

const size = {clusters: 20, istiods: 1};

export const memory: Scenario = {
  name: 'memory',
  title: `Peak resident memory, ${String(size.clusters)} clusters`,
  measure,
};

async function measure({program, runs, sandbox}: BenchContext): Promise<Report> {
  const mesh = await HealthyMesh.create(program, sandbox, size);
  const found = await interleave(
    {
      bare: async () => (await runNode(sandbox, {args: ['-e', '0']})).peakMiB,
      push: async () => (await mesh.push()).peakMiB,
      verify: async () => (await mesh.verify()).peakMiB,
      list: async () => (await mesh.run('certs', 'list')).peakMiB,
    },
    runs(5),
  );
  const bare = spread(found.bare);
  const row = (what: string, values: readonly number[]) =>
    ratioOfMedians(what, 'node -e 0', spread(values), bare, {unit: 'MiB'});
  return {
    rows: [row('trust push', found.push), row('verify', found.verify), row('certs list', found.list)],
    notes: ["The program's own process; the kubectl of each cluster comes on top."],
  };
}
