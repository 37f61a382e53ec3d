/** Finds addresses that pods of several clusters have on one network, in istiod's `/debug/endpointShardz`. */
import * as z from 'zod';
import {istioNameOf} from '../../mesh/istio-name.js';
import type {Mesh} from '../../mesh/mesh.js';
import {printableLine} from '../../printable.js';
import type {SharedAddresses} from '../facts.js';
import type {ShardedService} from './endpoint-shardz.js';

/** `Address` up to 1.24 (1.24.0 and 1.31.0:pilot/pkg/model/service.go, IstioEndpoint). */
const text = z.string().max(512).optional().catch(undefined);
const endpoint = z.object({
  Address: text,
  Addresses: z.array(z.string().max(512)).nullish().catch(undefined),
  Network: text,
  NodeName: text,
});

/** Examples in a message. */
const atMost = 3;

/** An endpoint with an address, in the first cluster that has it. */
interface First {
  readonly cluster: string;
  readonly node: string;
  readonly service: string;
}

/** The clusters by their Istio names, each with its network, where a network has several; undefined if none has. */
export function networksShared({clusters}: Pick<Mesh, 'clusters'>): ReadonlyMap<string, string> | undefined {
  const all = clusters.map((cluster): readonly [string, string] => [istioNameOf(cluster), cluster.network ?? '']);
  const shared = all.filter(([, network]) => all.filter(([, other]) => other === network).length > 1);
  return shared.length > 0 ? new Map(shared) : undefined;
}

/**
 * The addresses that endpoints of two clusters on one network have. Only endpoints that are pods count: other addresses, such as a
 * database's in a Service without a selector, may be the same everywhere. Pods with one address on nodes of one name are not
 * reported: they may use the network of one machine. `networks`: those of {@link networksShared}.
 */
export function sharedAddresses(
  services: readonly ShardedService[],
  networks: ReadonlyMap<string, string>,
): readonly SharedAddresses[] {
  const firsts = new Map<string, First>();
  const found = new Map<string, {clusters: readonly [string, string]; addresses: Set<string>; services: Set<string>}>();
  for (const {host, shards} of services) {
    for (const {provider, cluster, endpoints} of shards) {
      const network = networks.get(cluster);
      if (provider !== 'Kubernetes' || network === undefined) continue;
      for (const [address, node, own] of endpoints.flatMap(addressesOf)) {
        const key = `${own === '' ? network : own} ${address}`;
        const first = firsts.get(key);
        if (!first) firsts.set(key, {cluster, node, service: host});
        else if (first.cluster !== cluster && first.node !== node) {
          const pair = [first.cluster, cluster].join(' ');
          const entry = found.get(pair) ?? {
            clusters: [first.cluster, cluster],
            addresses: new Set(),
            services: new Set(),
          };
          found.set(pair, entry);
          entry.addresses.add(address);
          if (entry.services.size < atMost) entry.services.add(first.service).add(host);
        }
      }
    }
  }
  return [...found.values()].map(({clusters: [one, other], addresses, services: hosts}) => ({
    clusters: [printableLine(one), printableLine(other)],
    count: addresses.size,
    examples: [...addresses].slice(0, atMost).map(printableLine),
    services: [...hosts].slice(0, atMost).map(printableLine),
  }));
}

/** Address, node and network of an endpoint that is a pod. */
function addressesOf(value: unknown): readonly (readonly [string, string, string])[] {
  const {data} = endpoint.safeParse(value);
  const {Address = '', Addresses, Network = '', NodeName = ''} = data ?? {};
  if (NodeName === '') return [];
  const all = Addresses && Addresses.length > 0 ? Addresses : [Address];
  return all.filter((address) => address !== '').map((address) => [address, NodeName, Network]);
}
