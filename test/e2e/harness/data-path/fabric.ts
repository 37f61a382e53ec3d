/**
 * The wires between pods: a bridge for each network of the mesh, addresses, and the rule that pods of one network cannot reach
 * those of another, except through a load balancer (services.ts). Belongs to the network namespace of this process and goes
 * with it.
 *
 * Addresses: 10.77.N.0/24 is network N, of which 10.77.N.1 is the bridge and each cluster has a range of 32; 10.77.0.0/24 is
 * what all networks reach: the load balancers.
 */
import {existsSync, writeFileSync} from 'node:fs';
import {HarnessError, output} from '../processes.js';

/** The network that each cluster's pods are in, by the cluster's name. */
export type Placement = Readonly<Record<string, string>>;

/** Addresses of one cluster's pods. */
interface Range {
  readonly network: number;
  readonly first: number;
  readonly used: Set<number>;
}

const rangeSize = 32;

/** Settings of the kernel, in this network namespace. */
const settings = {
  'net/ipv4/ip_forward': '1',
  // Packets that are led to an istiod on 127.0.0.1 come from bridges.
  'net/ipv4/conf/all/route_localnet': '1',
  'net/ipv4/conf/all/rp_filter': '0',
} as const;

/** Bridges and addresses. */
export class Fabric {
  readonly #ranges = new Map<string, Range>();
  /** Cluster of each load balancer's address. */
  readonly #balancers = new Map<string, string>();

  private constructor(placement: Placement) {
    const networks = [...new Set(Object.values(placement))];
    const clusters = new Map<string, number>();
    for (const [cluster, network] of Object.entries(placement)) {
      const earlier = clusters.get(network) ?? 0;
      clusters.set(network, earlier + 1);
      this.#ranges.set(cluster, {
        network: networks.indexOf(network) + 1,
        first: rangeSize * (earlier + 1),
        used: new Set(),
      });
    }
  }

  /** Makes the bridges. Call once in a process that has a network of its own. */
  static async create(placement: Placement): Promise<Fabric> {
    const fabric = new Fabric(placement);
    const bridges = [...new Set([...fabric.#ranges.values()].map(({network}) => network))];
    for (const [name, value] of Object.entries(settings)) writeFileSync(`/proc/sys/${name}`, value);
    await ip(
      'link set lo up',
      // An API server does not start without a default route.
      // A bridge without ports: not every kernel has the type dummy.
      'link add mesh0 type bridge',
      'addr add 10.77.0.1/24 dev mesh0',
      'link set mesh0 up',
      'route add default via 10.77.0.254 dev mesh0',
      ...bridges.flatMap((n) => [
        `link add br-${String(n)} type bridge`,
        `addr add 10.77.${String(n)}.1/24 dev br-${String(n)}`,
        `link set br-${String(n)} up`,
      ]),
    );
    await restoreRules('filter', [
      ':FORWARD DROP [0:0]',
      '-A FORWARD -m conntrack --ctstate ESTABLISHED,RELATED -j ACCEPT',
      // What a load balancer passes on.
      '-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT',
      // The kernel may take packets of one bridge through FORWARD, too (net.bridge.bridge-nf-call-iptables).
      ...bridges.map((n) => `-A FORWARD -i br-${String(n)} -o br-${String(n)} -j ACCEPT`),
    ]);
    return fabric;
  }

  /** The addresses of a cluster's pods, as firewall rules write it. */
  range(cluster: string): string {
    const {network, first} = this.#range(cluster);
    return `10.77.${String(network)}.${String(first)}/27`;
  }

  /** The address of this machine on a cluster's network, where its API server is; every network reaches it. */
  hostAddress(cluster: string): string {
    return `10.77.${String(this.#range(cluster).network)}.1`;
  }

  /** A free address for a pod; {@link release} gives it back. */
  allocate(cluster: string): string {
    const {network, first, used} = this.#range(cluster);
    for (let host = first + 1; host < first + rangeSize; host++) {
      if (used.has(host)) continue;
      used.add(host);
      return `10.77.${String(network)}.${String(host)}`;
    }
    throw new HarnessError(`no free pod address in ${cluster}`);
  }

  release(cluster: string, address: string): void {
    this.#range(cluster).used.delete(Number(address.split('.')[3]));
  }

  /** The cluster whose pod or load balancer has this address. */
  clusterOf(address: string): string | undefined {
    const [, , network, host] = address.split('.').map(Number);
    for (const [cluster, range] of this.#ranges) {
      if (range.network === network && Math.floor((host ?? 0) / rangeSize) * rangeSize === range.first) return cluster;
    }
    return this.#balancers.get(address);
  }

  /** A new address that every network reaches, for a load balancer of the cluster. */
  balancerAddress(cluster: string): string {
    const address = `10.77.0.${String(10 + this.#balancers.size)}`;
    this.#balancers.set(address, cluster);
    return address;
  }

  /** Connects the network namespace of process `pid` with its cluster's network, as eth0. */
  async attach(cluster: string, address: string, pid: number): Promise<void> {
    const {network} = this.#range(cluster);
    // An interface's name has 15 characters at most; the address is unique.
    const link = `v${address.split('.').slice(2).join('-')}`;
    await ip(
      `link add ${link} type veth peer name eth0 netns ${String(pid)}`,
      `link set ${link} master br-${String(network)}`,
      `link set ${link} up`,
    );
    const inside = ['link set lo up', `addr add ${address}/24 dev eth0`, 'link set eth0 up'];
    const route = `route add default via 10.77.${String(network)}.1`;
    await output('nsenter', ['--target', String(pid), '--net', 'ip', '-batch', '-'], {
      input: [...inside, route].join('\n'),
    });
  }

  #range(cluster: string): Range {
    const range = this.#ranges.get(cluster);
    if (range === undefined) throw new HarnessError(`${cluster} is in no network`);
    return range;
  }
}

/** Replaces the chains that the lines declare (`:NAME`), and nothing else of the table. */
export async function restoreRules(table: 'filter' | 'nat', lines: readonly string[]): Promise<void> {
  await output('iptables-restore', ['--noflush'], {input: [`*${table}`, ...lines, 'COMMIT', ''].join('\n')});
}

async function ip(...commands: readonly string[]): Promise<void> {
  if (!existsSync('/proc/self/ns/net')) throw new HarnessError('no network namespaces here');
  await output('ip', ['-batch', '-'], {input: commands.join('\n')});
}
