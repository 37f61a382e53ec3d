/** Peak memory of the commands that access all clusters in parallel. */
import {HealthyMesh, type MeshSize} from './healthy-mesh.js';
import {interleave} from './interleave.js';
import {runNode} from './node-usage.js';
import {type BenchContext, defineScenario, once, type Report, type Size} from './scenario.js';
import {ratioOfMedians, spread} from './statistics.js';

export const memory = defineScenario({
  name: 'memory',
  sizes: {
    full: {runs: 5, warmUp: true, clusters: 20, istiods: 1},
    quick: {...once, clusters: 2, istiods: 1},
  },
  title: ({clusters}) => `Peak resident memory, ${String(clusters)} clusters`,
  measure,
});

async function measure({program, sandbox, progress}: BenchContext, size: Size & MeshSize): Promise<Report> {
  const mesh = await HealthyMesh.create(program, sandbox, size);
  const measured = await interleave(
    {
      bare: async () => (await runNode(sandbox, {args: ['-e', '0']})).peakMiB,
      push: async () => (await mesh.push()).peakMiB,
      verify: async () => (await mesh.verify()).peakMiB,
      list: async () => (await mesh.run('certs', 'list')).peakMiB,
    },
    size,
    progress,
  );
  const bare = spread(measured.bare);
  const row = (what: string, values: readonly number[]) =>
    ratioOfMedians(what, 'node -e 0', spread(values), bare, {unit: 'MiB'});
  return {
    rows: [row('trust push', measured.push), row('verify', measured.verify), row('certs list', measured.list)],
    notes: ["Only the program's own process; the kubectl processes of each cluster are not included."],
  };
}
