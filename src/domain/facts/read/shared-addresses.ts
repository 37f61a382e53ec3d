/** Finds addresses that pods of several clusters have on one network, in istiod's `/debug/endpointShardz`. */
import {istioNameOf} from '../../mesh/istio-name.js';
import type {Mesh, MeshCluster} from '../../mesh/mesh.js';
import {printableLine} from '../../printable.js';
import {isTree} from '../../tree.js';
import type {SharedAddresses} from '../facts.js';
import type {ShardedService} from './endpoint-shardz.js';

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

/** The clusters whose pairs with others an istiod is compared for: its own and its remotes. Other istiods compare the rest. */
export function configuredBy({name}: MeshCluster, {clusters}: Pick<Mesh, 'clusters'>): ReadonlySet<string> {
  return new Set(clusters.filter((one) => one.name === name || one.primary === name).map(istioNameOf));
}

/**
 * The addresses that endpoints of one of the clusters `own` and of another cluster on its network have. Only endpoints that are pods
 * count: other addresses, such as a database's in a Service without a selector, may be the same everywhere. Pods with one address on
 * nodes of one name are not reported: they may use the network of one machine. `networks`: those of {@link networksShared}.
 */
export function sharedAddresses(
  services: readonly ShardedService[],
  networks: ReadonlyMap<string, string>,
  own: ReadonlySet<string>,
): readonly SharedAddresses[] {
  const firsts = new Map<string, First>();
  const found = new Map<string, Found>();
  // First the own ones, so that only these are kept.
  for (const isOwn of [true, false]) {
    for (const {host, shards} of services) {
      for (const {provider, cluster, endpoints} of shards) {
        const network = networks.get(cluster);
        if (provider !== 'Kubernetes' || network === undefined || own.has(cluster) !== isOwn) continue;
        for (const {address, node, network: other} of endpoints.flatMap(addressesOf)) {
          const key = `${other === '' ? network : other} ${address}`;
          const first = firsts.get(key);
          if (first) compare(first, {cluster, node, service: host}, address, found);
          else if (isOwn) firsts.set(key, {cluster, node, service: host});
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

/** What two clusters share. */
interface Found {
  readonly clusters: readonly [string, string];
  readonly addresses: Set<string>;
  readonly services: Set<string>;
}

function compare(first: First, second: First, address: string, found: Map<string, Found>): void {
  if (first.cluster === second.cluster || first.node === second.node) return;
  const pair = `${first.cluster} ${second.cluster}`;
  const entry = found.get(pair) ?? {
    clusters: [first.cluster, second.cluster],
    addresses: new Set<string>(),
    services: new Set<string>(),
  };
  found.set(pair, entry);
  entry.addresses.add(address);
  if (entry.services.size < atMost) entry.services.add(first.service).add(second.service);
}

/** Longer texts are not addresses or names of Kubernetes, with a margin. Characters. */
const maxLength = 512;

/**
 * The addresses of an endpoint that is a pod: it has a node (1.31.0:pilot/pkg/serviceregistry/kube/controller/endpoint_builder.go).
 * Without a schema, because a response has many. `Address` before istio/istio#51279.
 */
function addressesOf(endpoint: unknown): readonly {address: string; node: string; network: string}[] {
  if (!isTree(endpoint)) return [];
  const {NodeName, Network, Addresses, Address} = endpoint;
  const textOf = (value: unknown): string => (typeof value === 'string' && value.length <= maxLength ? value : '');
  const [node, network] = [textOf(NodeName), textOf(Network)];
  if (node === '') return [];
  const all: readonly unknown[] = Array.isArray(Addresses) && Addresses.length > 0 ? Addresses : [Address];
  return all.map(textOf).flatMap((address) => (address === '' ? [] : [{address, node, network}]));
}
