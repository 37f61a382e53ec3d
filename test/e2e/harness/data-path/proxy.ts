/** What a pod's Envoy holds now, from its admin interface: certificates, endpoints, counters. */
import type {Fabric} from './fabric.js';
import type {PlayedPod} from './played-pod.js';

/** The certificates that a proxy uses, by serial number (hexadecimal, as Envoy prints it). */
export interface ProxyCertificates {
  /** Roots against which it verifies others. */
  readonly roots: readonly string[];
  /** Its own leaf. */
  readonly leaf: string | undefined;
}

/** An endpoint of an upstream cluster of Envoy, with the counters since the proxy knows it. */
export interface ProxyEndpoint {
  /** Envoy's name: outbound|PORT|SUBSET|HOST. */
  readonly upstream: string;
  /** IP:PORT. */
  readonly address: string;
  /** The Kubernetes cluster whose pod or gateway has the address, if one has. */
  readonly cluster: string | undefined;
  readonly healthy: boolean;
  readonly connections: number;
  readonly connectFailures: number;
  readonly requests: number;
  readonly errors: number;
}

interface CertsDump {
  readonly certificates: readonly {
    readonly ca_cert?: readonly {readonly serial_number: string}[];
    readonly cert_chain?: readonly {readonly serial_number: string}[];
  }[];
}

interface ClustersDump {
  readonly cluster_statuses: readonly {
    readonly name: string;
    readonly host_statuses?: readonly {
      readonly address: {readonly socket_address?: {readonly address: string; readonly port_value: number}};
      readonly stats: readonly {readonly name: string; readonly value?: string}[];
      readonly health_status?: {readonly eds_health_status?: string};
    }[];
  }[];
}

/** `pilot-agent request` passes no query on, hence a client of our own. */
const fetchScript = 'const answer = await fetch(process.argv[1]); process.stdout.write(await answer.text())';

/** The text that Envoy's admin interface answers. */
export function adminText(pod: PlayedPod, path: string): Promise<string> {
  return pod.exec(['node', '--input-type=module', '-e', fetchScript, `http://127.0.0.1:15000/${path}`]);
}

/** Roots and leaf; empty before the proxy has been given some. */
export async function certificatesOf(pod: PlayedPod): Promise<ProxyCertificates> {
  const {certificates} = JSON.parse(await adminText(pod, 'certs')) as CertsDump;
  const serials = (kind: 'ca_cert' | 'cert_chain'): string[] =>
    certificates.flatMap((entry) => entry[kind]?.map(({serial_number}) => serial_number) ?? []);
  return {roots: [...new Set(serials('ca_cert'))].sort(), leaf: serials('cert_chain')[0]};
}

/** The endpoints of the upstream clusters whose names match. */
export async function endpointsOf(pod: PlayedPod, fabric: Fabric, upstream: RegExp): Promise<readonly ProxyEndpoint[]> {
  const {cluster_statuses: statuses} = JSON.parse(await adminText(pod, 'clusters?format=json')) as ClustersDump;
  return statuses
    .filter(({name}) => upstream.test(name))
    .flatMap(({name, host_statuses: hosts = []}) =>
      hosts.map(({address: {socket_address: socket}, stats, health_status: health}) => {
        const counter = (stat: string): number => Number(stats.find((one) => one.name === stat)?.value ?? 0);
        return {
          upstream: name,
          address: `${socket?.address ?? ''}:${String(socket?.port_value ?? 0)}`,
          cluster: fabric.clusterOf(socket?.address ?? ''),
          healthy: health?.eds_health_status === 'HEALTHY',
          connections: counter('cx_total'),
          connectFailures: counter('cx_connect_fail'),
          requests: counter('rq_total'),
          errors: counter('rq_error'),
        };
      }),
    );
}
