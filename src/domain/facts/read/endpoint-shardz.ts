/**
 * Reads istiod's `/debug/endpointShardz`: the endpoints of each service by service, namespace and shard (istio/istio
 * pilot/pkg/model/endpointshards.go, `Shardz`). A shard is PROVIDER/CLUSTER: one cluster's endpoints of the service.
 */
import * as z from 'zod';
import {MeshError} from '../../errors.js';
import {printableLine} from '../../printable.js';
import type {ClusterEndpoints} from '../facts.js';
import {readDebugJson} from './debug-json.js';

export const endpointShardzPath = '/debug/endpointShardz';

/** The endpoints themselves are not read. */
const shardz = z.record(
  z.string(),
  z.record(z.string(), z.object({Shards: z.record(z.string(), z.array(z.unknown()).nullable()).nullable()})),
);

/** Endpoints from Services; others, `External`, come from ServiceEntries (pilot/pkg/serviceregistry/provider/providers.go). */
const provider = 'Kubernetes/';

/** Every cluster has it, and its endpoints hardly ever change. */
export const apiServerService = 'default/kubernetes';

/** As for the clusters in clusterz.ts. */
const maxNameLength = 512;

/** Reads a response: the services of each cluster. `pod` is for messages. Throws `API_ERROR`. */
export function readEndpointShardz(text: string, pod: string): readonly ClusterEndpoints[] {
  const response = {text, path: endpointShardzPath, pod};
  const services = readDebugJson(shardz, response, {empty: {}, what: 'a map of endpoint shards'});
  const found = new Map<string, Set<string>>();
  for (const [host, byNamespace] of Object.entries(services)) {
    for (const [namespace, {Shards}] of Object.entries(byNamespace)) {
      for (const [shard, endpoints] of Object.entries(Shards ?? {})) {
        if (!shard.startsWith(provider) || endpoints === null || endpoints.length === 0) continue;
        const cluster = clusterOf(shard, pod);
        const names = found.get(cluster) ?? new Set();
        found.set(cluster, names.add(`${namespace}/${nameOf(host, namespace)}`));
      }
    }
  }
  return [...found].map(([cluster, names]) => {
    return {cluster, services: names.size, names: [...names], hasApiServer: names.has(apiServerService)};
  });
}

/** The Service's name in a host of Kubernetes: NAME.NAMESPACE.svc.DOMAIN; any other host itself. */
function nameOf(host: string, namespace: string): string {
  const [name = ''] = host.split(`.${namespace}.svc.`);
  return printableLine(name);
}

function clusterOf(shard: string, pod: string): string {
  const name = shard.slice(provider.length);
  if (name.length <= maxNameLength) return printableLine(name);
  throw new MeshError(
    'API_ERROR',
    `${endpointShardzPath} of ${pod} contains a cluster name of ${String(name.length)} characters`,
  );
}
