/**
 * Reads istiod's `/debug/endpointShardz` by service: how many endpoints each cluster contributes (istio/istio
 * pilot/pkg/model/endpointshards.go, `Shardz`; a shard is PROVIDER/CLUSTER).
 */
import * as z from 'zod';
import type {ServiceShards} from '../../discovery/lost-endpoints.js';
import {printableLine} from '../../printable.js';
import {readDebugJson} from './debug-json.js';
import {endpointShardzPath} from './endpoint-shardz.js';

/** The endpoints themselves are not read. Names are at most as long as Kubernetes permits, with a margin. */
const name = z.string().max(512);
const shardz = z.record(
  name,
  z.record(name, z.object({Shards: z.record(name, z.array(z.unknown()).nullable()).nullable()})),
);

/** Reads a response. `pod` is for messages. Throws `API_ERROR`. */
export function readServiceShards(text: string, pod: string): readonly ServiceShards[] {
  const response = {text, path: endpointShardzPath, pod};
  const services = readDebugJson(shardz, response, {empty: {}, what: 'a map of endpoint shards'});
  return Object.entries(services).flatMap(([host, byNamespace]) =>
    Object.entries(byNamespace).map(([namespace, {Shards}]): ServiceShards => {
      const endpoints = new Map<string, number>();
      for (const [shard, members] of Object.entries(Shards ?? {})) {
        const cluster = printableLine(shard.slice(shard.indexOf('/') + 1));
        const count = members?.length ?? 0;
        if (count > 0) endpoints.set(cluster, (endpoints.get(cluster) ?? 0) + count);
      }
      return {host: printableLine(host), namespace: printableLine(namespace), endpoints};
    }),
  );
}
