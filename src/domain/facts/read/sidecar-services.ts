/** Finds services that proxies on other networks can request from a gateway, in istiod's `/debug/endpointShardz`. */
import {isTree} from '../../tree.js';
import type {ExposedService} from '../facts.js';
import {isHealthy, type ShardedService} from './endpoint-shardz.js';

/** Candidates of one cluster: some may be headless, or not exposed. */
const atMost = 3;

/**
 * The hosts of some Services with a sidecar, by each of these clusters: gateways pass connections to these only
 * (pilot/pkg/xds/endpoints/ep_filters.go).
 */
export function sidecarServices(
  services: readonly ShardedService[],
  clusters: ReadonlySet<string>,
): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  for (const {host, shards} of services) {
    if (!/^[^.]+\.[^.]+\.svc\./.test(host)) continue;
    for (const {provider, cluster, endpoints} of shards) {
      const hosts = found.get(cluster) ?? [];
      if (provider !== 'Kubernetes' || !clusters.has(cluster) || hosts.length >= atMost || !endpoints.some(hasSidecar))
        continue;
      found.set(cluster, [...hosts, host]);
    }
  }
  return found;
}

/** `istio`: the pod's label security.istio.io/tlsMode, which the injector sets (pilot/pkg/model/service.go, IstioMutualTLSModeLabel). */
function hasSidecar(endpoint: unknown): boolean {
  return isTree(endpoint) && endpoint.TLSMode === 'istio' && isHealthy(endpoint);
}

/** The name by which a proxy requests a service from a gateway (pilot/pkg/model/service.go, BuildDNSSrvSubsetKey). */
export function requestedName({host, port}: ExposedService): string {
  return `outbound_.${String(port)}_._.${host}`;
}
