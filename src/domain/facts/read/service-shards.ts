/** Reads istiod's `/debug/endpointShardz` by service: how many endpoints each cluster contributes, from any source. */
import type {ServiceShards} from '../../discovery/lost-endpoints.js';
import {printableLine} from '../../printable.js';
import {readShards} from './endpoint-shardz.js';

/** Reads a response. `pod` is for messages. Throws `API_ERROR`. */
export function readServiceShards(text: string, pod: string): readonly ServiceShards[] {
  return readShards(text, pod).map(({host, namespace, shards}): ServiceShards => {
    const endpoints = new Map<string, number>();
    for (const shard of shards) {
      const cluster = printableLine(shard.cluster);
      endpoints.set(cluster, (endpoints.get(cluster) ?? 0) + shard.endpoints.length);
    }
    return {host: printableLine(host), namespace: printableLine(namespace), endpoints};
  });
}
