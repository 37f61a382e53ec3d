/**
 * The endpoints that a client's Envoy has for a service, sampled while something else happens: a lost endpoint shows here even
 * if it is back before anyone sends a request. What is lost and found between two samples does not show.
 */
import type {Fabric} from './fabric.js';
import type {PlayedPod} from './played-pod.js';

/** Numbers of endpoints by cluster; a cluster without an endpoint is absent, or 0 if it had one at another time. */
type Counts = Readonly<Record<string, number>>;

/** What was seen. Times are milliseconds since `began`. */
export interface EndpointWatch {
  /** Unix time in milliseconds. */
  readonly began: number;
  readonly samples: number;
  /** The longest time between two samples. */
  readonly longestGap: number;
  /** The smallest number of endpoints that each cluster had in any sample. */
  readonly minimum: Counts;
  /** The first sample and those that differ from the one before. */
  readonly changes: readonly {readonly at: number; readonly byCluster: Counts}[];
}

/** A watch that goes on. */
export interface RunningWatch {
  stop(): Promise<EndpointWatch>;
}

/** Begins to sample the endpoints of the upstream clusters whose names match. */
export function watchEndpoints(client: PlayedPod, fabric: Fabric, upstream: RegExp, intervalMs = 200): RunningWatch {
  const options = JSON.stringify({upstream: upstream.source, intervalMs});
  const task = client.begin(['node', '/opt/harness/watch.mjs', options]);
  return {stop: async () => summary(JSON.parse(await task.stop()) as Printed, fabric)};
}

/** What watch.mjs prints. */
interface Printed extends Pick<EndpointWatch, 'began' | 'samples' | 'longestGap'> {
  readonly changes: readonly {readonly at: number; readonly addresses: readonly string[]}[];
}

function summary({changes: printed, ...numbers}: Printed, fabric: Fabric): EndpointWatch {
  const changes = printed.map(({at, addresses}) => {
    const byCluster: Record<string, number> = {};
    for (const address of addresses) {
      const cluster = fabric.clusterOf(address) ?? address;
      byCluster[cluster] = (byCluster[cluster] ?? 0) + 1;
    }
    return {at, byCluster};
  });
  const clusters = new Set(changes.flatMap(({byCluster}) => Object.keys(byCluster)));
  const minimum = Object.fromEntries(
    [...clusters].map((cluster) => [cluster, Math.min(...changes.map(({byCluster}) => byCluster[cluster] ?? 0))]),
  );
  return {...numbers, minimum, changes};
}
