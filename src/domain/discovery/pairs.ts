/** Which clusters read which: the pairs between which remote secrets are needed. */
import {controlPlaneClusterOf, type MeshCluster} from '../mesh/mesh.js';

/** One direction of discovery: the reader's istiod reads the peer's API server. */
export interface DiscoveryPair<Cluster extends MeshCluster = MeshCluster> {
  readonly reader: Cluster;
  readonly peer: Cluster;
}

/**
 * Returns every pair, or those with a named cluster, by reader in the order of the clusters. A remote runs no istiod, so it
 * reads no other cluster, and only its own primary reads it (istio.io: setup/install/multicluster/primary-remote).
 */
export function discoveryPairs<Cluster extends MeshCluster>(
  clusters: readonly Cluster[],
  named?: readonly string[],
): readonly DiscoveryPair<Cluster>[] {
  const isMeant = (...pair: readonly Cluster[]) => !named || pair.some(({name}) => named.includes(name));
  return clusters.flatMap((reader) =>
    clusters.flatMap((peer) => (reads(reader, peer) && isMeant(reader, peer) ? [{reader, peer}] : [])),
  );
}

/** Reports whether any cluster has to read another one. Unlike the pairs, this takes no time in a mesh of many clusters. */
export function hasDiscoveryPairs(clusters: readonly MeshCluster[]): boolean {
  return clusters.some((reader) => clusters.some((peer) => reads(reader, peer)));
}

/** Reports whether one cluster's istiod has to read another cluster. */
export function reads(reader: MeshCluster, peer: MeshCluster): boolean {
  if (reader.name === peer.name || reader.role !== 'primary') return false;
  return peer.role === 'primary' || peer.primary === reader.name;
}

/** Reports whether proxies of one cluster get endpoints of another one: their istiod runs there, or has to read it. */
export function givesEndpoints(clusters: readonly MeshCluster[], cluster: MeshCluster, peer: MeshCluster): boolean {
  const controlPlane = controlPlaneClusterOf(cluster, {clusters});
  return controlPlane.name === peer.name || reads(controlPlane, peer);
}
