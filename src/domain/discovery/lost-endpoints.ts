/** What a reader loses when it no longer reads a peer, and what it keeps. */

/** One service with its endpoints, as an istiod lists them. */
export interface ServiceShards {
  /** `cart.shop.svc.cluster.local` */
  readonly host: string;
  readonly namespace: string;
  /** The number of endpoints by Istio's name of the cluster. Clusters without endpoints are left out. */
  readonly endpoints: ReadonlyMap<string, number>;
}

/** A service that loses endpoints. */
export interface LosingService {
  readonly host: string;
  /** The endpoints in the peer. */
  readonly lost: number;
  /** The endpoints elsewhere; 0: it loses its last one. */
  readonly left: number;
}

/** How many services one line lists; the JSON output has all. */
export const shownServices = 10;

/** How many services have endpoints in a cluster. */
export interface ClusterServices {
  /** Istio's name. */
  readonly cluster: string;
  readonly services: number;
}

/**
 * Whether an istiod that has read a peer lacks its endpoints. Service default/kubernetes exists in every cluster, and its endpoints
 * hardly ever change; without those of its own cluster, istiod does not read that namespace, and nothing is known.
 */
export function lacksEndpoints(services: readonly ServiceShards[], own: string, peer: string): boolean {
  const apiServers = services.find(
    ({host, namespace}) => namespace === 'default' && host.startsWith('kubernetes.default.svc.'),
  );
  const has = (cluster: string): boolean => (apiServers?.endpoints.get(cluster) ?? 0) > 0;
  return has(own) && !has(peer);
}

/**
 * Returns the services that lose endpoints when a reader no longer reads a peer, those that lose their last one first.
 * Services that istiod never offers to other clusters are left out.
 */
export function losingServices(
  services: readonly ServiceShards[],
  peer: string,
  namespace: string,
): readonly LosingService[] {
  const losing = services.flatMap(({host, endpoints}): readonly LosingService[] => {
    const lost = endpoints.get(peer) ?? 0;
    if (lost === 0 || isClusterLocal(host, namespace)) return [];
    const all = [...endpoints.values()].reduce((sum, count) => sum + count, 0);
    return [{host, lost, left: all - lost}];
  });
  return losing.toSorted((a, b) => Number(a.left > 0) - Number(b.left > 0) || a.host.localeCompare(b.host, 'en'));
}

/**
 * Whether pods use a service's endpoints in their own cluster only, by default: those of kube-system, of the API server, and of
 * istiod (istio/istio 1.31.0:pilot/pkg/model/cluster_local.go).
 */
function isClusterLocal(host: string, namespace: string): boolean {
  const [name = '', place = ''] = host.split('.');
  if (place === 'kube-system') return true;
  if (place === 'default' && name === 'kubernetes') return true;
  return place === namespace && /^istiod(?:-|$)/.test(name);
}

/** Returns the number of services of each cluster that has any. */
export function servicesByCluster(services: readonly ServiceShards[]): readonly ClusterServices[] {
  const counts = new Map<string, number>();
  for (const {endpoints} of services) {
    for (const cluster of endpoints.keys()) counts.set(cluster, (counts.get(cluster) ?? 0) + 1);
  }
  return [...counts].map(([cluster, count]) => ({cluster, services: count})).sort(byName);
}

function byName(one: ClusterServices, other: ClusterServices): number {
  return one.cluster.localeCompare(other.cluster, 'en');
}
