/** kubectl processes for each cluster and command. They count because a credential plugin can make each cost seconds. */
import {HealthyMesh, type MeshSize} from './healthy-mesh.js';
import {type BenchContext, type CountRow, defineScenario, once, type Report, type Size} from './scenario.js';

// Counts are the same in every run, and two clusters with two istiod pods each already show every kind of process.
const size = {...once, clusters: 2, istiods: 2};

export const kubectlProcesses = defineScenario({
  name: 'kubectl-processes',
  sizes: {full: size, quick: size},
  title: ({clusters, istiods}) =>
    `kubectl processes for each cluster: ${String(clusters)} clusters with ${String(istiods)} istiod pods each`,
  measure,
});

async function measure({program, sandbox}: BenchContext, size: Size & MeshSize): Promise<Report> {
  const mesh = await HealthyMesh.create(program, sandbox, size);
  const commands: readonly {readonly name: string; readonly run: () => Promise<unknown>; readonly target: number}[] = [
    {name: 'trust push', run: () => mesh.push(), target: 1},
    {name: 'trust push, nothing to do', run: () => mesh.run('trust', 'push'), target: 1},
    {name: 'trust diff', run: () => mesh.run('trust', 'diff'), target: 1},
    {name: 'verify', run: () => mesh.verify(), target: 1 + size.istiods},
    {name: 'verify --no-live', run: () => mesh.verify('--no-live'), target: 1},
  ];
  const rows: CountRow[] = [];
  for (const {name, run, target} of commands) {
    const started = await mesh.kubectlProcesses(run);
    // The cluster with the most; processes without a context count for each cluster.
    const common = started.get('') ?? [];
    const most = mesh.clusters
      .map(({context}) => [...(started.get(context) ?? []), ...common])
      .reduce((one, other) => (other.length > one.length ? other : one));
    rows.push({kind: 'count', what: `${name} (${most.join(', ')})`, count: most.length, target});
  }
  return {
    rows,
    notes: ['The target of verify is one process, and one more for each istiod pod, since replicas can differ.'],
  };
}
