/** Workloads of two clusters that connect to each other. */
import type {Cluster} from './cluster.js';
import {bothWays, type Handshake} from './mtls.js';
import {HarnessError} from './processes.js';
import {startWorkload, type WorkloadOptions} from './workload.js';

/** New workloads of both clusters shake hands in both directions. */
export async function meet(
  one: Cluster,
  two: Cluster,
  options: WorkloadOptions = {},
): Promise<{there: Handshake; back: Handshake}> {
  const workloads = [await startWorkload(one, options), await startWorkload(two, options)];
  const [a, b] = await Promise.all(workloads.map((workload) => workload.identity()));
  await Promise.all(workloads.map((workload) => workload.stop()));
  if (a === undefined || b === undefined) throw new HarnessError('no identities');
  return bothWays(a, b);
}
