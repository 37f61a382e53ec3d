/**
 * Reads istiod's `/debug/endpointShardz`: the endpoints of each service by service, namespace and shard (istio/istio
 * pilot/pkg/model/endpointshards.go, `Shardz`). A shard is PROVIDER/CLUSTER: one cluster's endpoints of the service.
 */
import {createHash} from 'node:crypto';
import * as z from 'zod';
import {LatestResults, memoizePerObject} from '../../memoize.js';
import {printableLine} from '../../printable.js';
import type {ClusterEndpoints} from '../facts.js';
import {readDebugJson} from './debug-json.js';

export const endpointShardzPath = '/debug/endpointShardz';

/** Names are at most as long as Kubernetes permits, with a margin. */
const name = z.string().max(512);
/** Endpoints are validated where they are used: a response has many. */
const members = z.custom<readonly unknown[] | null>((value) => value === null || Array.isArray(value));
const shardz = z.record(name, z.record(name, z.object({Shards: z.record(name, members).nullable()})));

/** The endpoints of a service in one cluster, from one source. */
export interface Shard {
  /** `Kubernetes` for Services, `External` for ServiceEntries (pilot/pkg/serviceregistry/provider/providers.go). */
  readonly provider: string;
  /** Istio's name. */
  readonly cluster: string;
  /** At least one. */
  readonly endpoints: readonly unknown[];
}

/** A service with its endpoints. Names may contain any text. */
export interface ShardedService {
  readonly host: string;
  readonly namespace: string;
  readonly shards: readonly Shard[];
}

/** Reads a response by service. `pod` is for messages. Throws `API_ERROR`. */
export function readShards(text: string, pod: string): readonly ShardedService[] {
  const response = {text, path: endpointShardzPath, pod};
  const services = readDebugJson(shardz, response, {empty: {}, what: 'a map of endpoint shards'});
  return Object.entries(services).flatMap(([host, byNamespace]) =>
    Object.entries(byNamespace).map(([namespace, {Shards}]) => ({host, namespace, shards: shardsOf(Shards ?? {})})),
  );
}

function shardsOf(shards: Readonly<Record<string, readonly unknown[] | null>>): readonly Shard[] {
  return Object.entries(shards).flatMap(([key, endpoints]) => {
    const at = key.indexOf('/');
    return endpoints === null || endpoints.length === 0
      ? []
      : [{provider: key.slice(0, at), cluster: key.slice(at + 1), endpoints}];
  });
}

/** Every cluster has it, and its endpoints hardly ever change. */
export const apiServerService = 'default/kubernetes';

/** Reads a response: the Services of each cluster. `pod` is for messages. Throws `API_ERROR`. */
export function readEndpointShardz(text: string, pod: string): readonly ClusterEndpoints[] {
  return endpointsByCluster(readShards(text, pod));
}

/** The Services of each cluster. */
export function endpointsByCluster(sharded: readonly ShardedService[]): readonly ClusterEndpoints[] {
  const found = new Map<string, {all: Set<string>; healthy: string[]}>();
  for (const {host, namespace, shards} of sharded) {
    const service = printableLine(`${namespace}/${nameOf(host, namespace)}`);
    for (const {provider, cluster, endpoints} of shards) {
      if (provider !== 'Kubernetes') continue;
      const services = found.get(cluster) ?? {all: new Set(), healthy: []};
      found.set(cluster, services);
      services.all.add(service);
      if (endpoints.some(isHealthy)) services.healthy.push(service);
    }
  }
  return [...found].map(([cluster, {all, healthy}]) => shared(printableLine(cluster), all.size, healthy));
}

/** What an istiod has of one cluster; undefined if it has no endpoints there. */
export function endpointsIn(endpoints: readonly ClusterEndpoints[], cluster: string): ClusterEndpoints | undefined {
  return byCluster(endpoints).get(cluster);
}

const byCluster = memoizePerObject(
  (endpoints: readonly ClusterEndpoints[]) => new Map(endpoints.map((one) => [one.cluster, one])),
);

/** The Service's name in a host of Kubernetes: NAME.NAMESPACE.svc.DOMAIN; any other host itself. */
function nameOf(host: string, namespace: string): string {
  const [service = ''] = host.split(`.${namespace}.svc.`);
  return service;
}

/**
 * Some istiods also list endpoints that are not ready (PILOT_SEND_UNHEALTHY_ENDPOINTS), with this status
 * (1.31.0:pilot/pkg/model/service.go, HealthStatus: 1 is healthy; a version without it lists only healthy ones).
 */
export function isHealthy(endpoint: unknown): boolean {
  const status: unknown =
    typeof endpoint === 'object' && endpoint !== null && 'HealthStatus' in endpoint ? endpoint.HealthStatus : 0;
  return typeof status !== 'number' || status <= 1;
}

/**
 * Every istiod lists the services of every cluster, and nearly all list the same: equal sets are kept once, so that memory does
 * not grow with the square of the clusters. So are all endpoints of one cluster.
 */
const latestNames = new LatestResults<ReadonlySet<string>>(1024);
const latestEndpoints = new LatestResults<ClusterEndpoints>(4096);

/** istiod encodes a map in the order of its keys, so equal sets have the same order. */
function shared(cluster: string, services: number, healthy: readonly string[]): ClusterEndpoints {
  const digest = createHash('sha256').update(healthy.join('\n')).digest('base64');
  return latestEndpoints.get([digest, services, cluster].join(' '), () => {
    const names = latestNames.get(digest, () => new Set(healthy));
    return {cluster, services, names, hasApiServer: names.has(apiServerService)};
  });
}
