/** kubectl processes for each cluster and command: a credential plugin makes each of them cost seconds. */
import {HealthyMesh} from './healthy-mesh.js';
import type {BenchContext, CountRow, Report, Scenario} from './scenario.js';

const size = {clusters: 2, istiods: 2};

export const kubectlProcesses: Scenario = {
  name: 'kubectl-processes',
  title: `kubectl processes for each cluster, of ${String(size.clusters)} with ${String(size.istiods)} istiod pods each`,
  measure,
};

async function measure({program, sandbox}: BenchContext): Promise<Report> {
  const mesh = await HealthyMesh.create(program, sandbox, size);
  const commands: readonly {readonly name: string; readonly run: () => Promise<unknown>; readonly target: number}[] = [
    {name: 'trust push', run: () => mesh.push(), target: 1},
    {name: 'trust push, nothing to do', run: () => mesh.run('trust', 'push'), target: 1},
    {name: 'trust diff', run: () => mesh.run('trust', 'diff'), target: 1},
    {name: 'verify', run: () => mesh.verify(), target: 1 + size.istiods},
    {name: 'verify --no-live', run: () => mesh.run('verify', '--no-live'), target: 1},
  ];
  const rows: CountRow[] = [];
  for (const {name, run, target} of commands) {
    const started = await mesh.kubectlProcesses(run);
    // The cluster with the most; processes that belong to no cluster count for each.
    const common = started.get('') ?? [];
    const most = mesh.clusters
      .map(({context}) => [...(started.get(context) ?? []), ...common])
      .reduce((one, other) => (other.length > one.length ? other : one));
    rows.push({kind: 'count', what: `${name} (${most.join(', ')})`, count: most.length, target});
  }
  return {
    rows,
    notes: ['The target of verify is one and one more for each istiod pod, since replicas can differ.'],
  };
}
