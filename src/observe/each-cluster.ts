import pMap from 'p-map';

/** Reads several clusters, `concurrency` at a time, in their order. */
export function eachCluster<Cluster, T>(
  clusters: readonly Cluster[],
  concurrency: number,
  read: (cluster: Cluster) => Promise<T>,
): Promise<readonly T[]> {
  return pMap(clusters, read, {concurrency: Math.max(1, concurrency)});
}
