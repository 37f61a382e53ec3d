/** `verify --traffic` on a data path: the matrix that it reports, and the objects that it creates. */
import type {Resource} from '../api.js';
import type {Cluster} from '../cluster.js';
import type {DataPath} from './data-path.js';

/** FROM TO, by the clusters' names. */
export type Pair = `${string} ${string}`;

/** Who reached whom. */
export interface Reached {
  readonly pair: Pair;
  readonly reached: boolean;
  /** What verify names as the cause where that is not so: the ID of a check, or a sentence. */
  readonly named: string;
}

/** The namespace of the pods that send and answer the requests. */
export const trafficNamespace = 'kubectl-mesh-traffic';

/** The checks of a pair of clusters, and of a cluster by itself. */
const checksOfRequests = ['MESH601', 'MESH602'];

/** Sends requests from each cluster to each, by the program under test. */
export async function matrixOf({cli}: DataPath): Promise<readonly Reached[]> {
  const {checks} = await cli.verify('--traffic', '--traffic-timeout', '10s');
  return checks
    .filter(({id}) => checksOfRequests.includes(id))
    .map(({cluster = '', peer = cluster, result, impliedBy, observed}) => ({
      pair: `${cluster} ${peer}`,
      reached: result === 'ok',
      named: [impliedBy, observed].join(' '),
    }));
}

/** The pairs of which every request is answered, in order. */
export async function reachedPairs(path: DataPath): Promise<readonly Pair[]> {
  const matrix = await matrixOf(path);
  return matrix.flatMap(({pair, reached}) => (reached ? [pair] : [])).sort();
}

/** The labels of the pods that answer in a cluster; undefined before their Service exists. */
export async function trafficSelector({api, name}: Cluster): Promise<Readonly<Record<string, string>> | undefined> {
  const path = `/api/v1/namespaces/${trafficNamespace}/services/echo-${name}`;
  const service = await api.find<Resource & {readonly spec: {readonly selector: Readonly<Record<string, string>>}}>(
    path,
  );
  return service?.spec.selector;
}
