/**
 * What kube-proxy and a cloud's load balancer do, as far as sidecars leave it to them: packets for the ClusterIP of a Service
 * of istiod reach one of its processes (from the cluster's pods, and from API servers that call its webhooks), and a Service of
 * type LoadBalancer has an address that all networks reach. Endpoints are those of the cluster's EndpointSlices. The pods' hosts
 * file stands in for cluster DNS.
 */
import {writeFileSync} from 'node:fs';
import {Loop} from '../loop.js';
import type {Resource} from '../api.js';
import type {Cluster} from '../cluster.js';
import {hasQuota, type BalancedService} from '../load-balancers.js';
import {restoreRules, type Fabric} from './fabric.js';
import type {Node} from './node.js';

interface Service extends Resource, BalancedService {
  readonly metadata: Resource['metadata'] & {readonly namespace: string};
  readonly spec: BalancedService['spec'] & {
    readonly clusterIP?: string;
    readonly ports?: readonly {readonly name?: string; readonly port: number; readonly protocol?: string}[];
  };
}

interface EndpointSlice extends Resource {
  readonly endpoints?: readonly {
    readonly conditions: {readonly ready?: boolean};
    readonly targetRef?: {readonly name: string; readonly namespace: string};
  }[];
  readonly ports?: readonly {readonly name?: string; readonly port?: number}[];
}

/** A place where a connection can go. */
interface Target {
  readonly host: string;
  readonly port: number;
}

const intervalMs = 500;
const podChain = 'MESH-PODS';
const localChain = 'MESH-LOCAL';

/** Keeps the rules of all clusters up to date. */
export class ServiceRules {
  readonly #loop = new Loop(intervalMs, () => this.#sync());
  #written = '';
  readonly #hosts = new Map<string, string>();

  constructor(
    private readonly nodes: readonly Node[],
    private readonly fabric: Fabric,
  ) {}

  /** Sets up the chains and follows the clusters until {@link stop}. */
  async start(): Promise<void> {
    await restoreRules('nat', [
      `:${podChain} - [0:0]`,
      `:${localChain} - [0:0]`,
      `-A PREROUTING -j ${podChain}`,
      `-A OUTPUT -j ${localChain}`,
      // Answers come back this way, also when client and target are on one bridge.
      '-A POSTROUTING -o br-+ -m conntrack --ctstate DNAT -j MASQUERADE',
    ]);
    this.#loop.start();
  }

  async stop(): Promise<void> {
    await this.#loop.stop();
  }

  async #sync(): Promise<void> {
    const rules = (await Promise.all(this.nodes.map((node) => this.#rulesOf(node)))).flat();
    const text = rules.join('\n');
    if (text === this.#written) return;
    await restoreRules('nat', [`:${podChain} - [0:0]`, `:${localChain} - [0:0]`, ...rules]);
    this.#written = text;
  }

  async #rulesOf(node: Node): Promise<readonly string[]> {
    const {cluster} = node;
    const [services, slices] = await Promise.all([
      cluster.api.list<Service>('/api/v1/services'),
      cluster.api.list<EndpointSlice>('/apis/discovery.k8s.io/v1/endpointslices'),
    ]);
    this.#writeHosts(node, services);
    const rules: string[] = [];
    for (const service of services) {
      const {name, namespace} = service.metadata;
      const own = slices.filter(
        ({metadata}) => metadata.namespace === namespace && metadata.labels?.['kubernetes.io/service-name'] === name,
      );
      const outside = service.spec.type === 'LoadBalancer' ? await this.#balancerOf(cluster, service) : undefined;
      for (const port of service.spec.ports ?? []) {
        const targets = own.flatMap((slice) => targetsOf(node, slice, port.name ?? ''));
        const to = (host: string): string => `-d ${host}/32 -p tcp --dport ${String(port.port)}`;
        const clusterIp = service.spec.clusterIP ?? 'None';
        const processes = targets.filter(({host}) => host === '127.0.0.1');
        if (clusterIp !== 'None') {
          rules.push(...spread(`-A ${podChain} -s ${this.fabric.range(cluster.name)} ${to(clusterIp)}`, processes));
          rules.push(...spread(`-A ${localChain} ${to(clusterIp)}`, processes));
        }
        if (outside !== undefined) {
          rules.push(
            ...spread(`-A ${podChain} ${to(outside)}`, targets),
            ...spread(`-A ${localChain} ${to(outside)}`, targets),
          );
        }
      }
    }
    return rules;
  }

  /** In place: pods have this very file as /etc/hosts. */
  #writeHosts({hostsFile}: Node, services: readonly Service[]): void {
    const text = hostsOf(services);
    if (this.#hosts.get(hostsFile) === text) return;
    writeFileSync(hostsFile, text);
    this.#hosts.set(hostsFile, text);
  }

  /** The address of a load balancer, which it gets here when it has none and its cloud has one left. */
  async #balancerOf(cluster: Cluster, {metadata, status}: Service): Promise<string | undefined> {
    const present = status?.loadBalancer?.ingress?.[0]?.ip;
    if (present !== undefined || !hasQuota(cluster)) return present;
    const ip = this.fabric.balancerAddress(cluster.name);
    await cluster.api.patch(`/api/v1/namespaces/${metadata.namespace}/services/${metadata.name}/status`, {
      status: {loadBalancer: {ingress: [{ip}]}},
    });
    return ip;
  }
}

/** The names that cluster DNS has for Services with an address. */
function hostsOf(services: readonly Service[]): string {
  const lines = services.flatMap(({metadata: {name, namespace}, spec: {clusterIP = 'None'}}) => {
    const names = ['', '.svc', '.svc.cluster.local'].map((suffix) => `${name}.${namespace}${suffix}`);
    return clusterIP === 'None' ? [] : [`${clusterIP} ${names.join(' ')}`];
  });
  return ['127.0.0.1 localhost', ...lines, ''].join('\n');
}

/** The ready endpoints of a Service's port that have a process: istiod's on 127.0.0.1, a pod's at its address. */
function targetsOf({cluster, pods}: Node, slice: EndpointSlice, portName: string): readonly Target[] {
  const port = slice.ports?.find(({name = ''}) => name === portName)?.port;
  if (port === undefined) return [];
  return (slice.endpoints ?? []).flatMap(({conditions, targetRef}): Target[] => {
    if (conditions.ready === false || targetRef === undefined) return [];
    const isTarget = ({name, namespace}: {readonly name: string; readonly namespace?: string}): boolean =>
      name === targetRef.name && namespace === targetRef.namespace;
    const istiod = cluster.kubelet?.pods.find(isTarget);
    const process = (istiod?.ports as Readonly<Record<number, number>> | undefined)?.[port];
    if (process !== undefined) return [{host: '127.0.0.1', port: process}];
    const pod = pods.find(({pod: {metadata}}) => isTarget(metadata));
    return pod === undefined ? [] : [{host: pod.address, port}];
  });
}

/** Rules by which each target gets the same share of new connections. */
function spread(match: string, targets: readonly Target[]): readonly string[] {
  return targets.map(({host, port}, index) => {
    const left = targets.length - index;
    const share = left === 1 ? '' : ` -m statistic --mode random --probability ${(1 / left).toFixed(6)}`;
    return `${match}${share} -j DNAT --to-destination ${host}:${String(port)}`;
  });
}
