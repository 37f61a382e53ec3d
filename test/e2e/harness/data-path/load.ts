/**
 * Requests through a client's sidecar, counted by the cluster that answered. Errors alone hide broken trust: with two
 * backends, one of which refuses, Envoy's retries make the client see the other's 200. Pooled connections hide it, too; the
 * service's DestinationRule (workloads.ts) makes every request a new mTLS connection, which {@link Load.connections} shows.
 */
import {HarnessError} from '../processes.js';
import type {Fabric} from './fabric.js';
import type {PlayedPod} from './played-pod.js';
import {endpointsOf, type ProxyEndpoint} from './proxy.js';

/** What to send. */
export interface LoadOptions {
  /** ClusterIP of the service: no cluster DNS runs here. */
  readonly address: string;
  readonly port: number;
  /** Host name of the service, as Envoy's routes have it. */
  readonly host: string;
  /** At most so many requests; default: no limit. */
  readonly requests?: number;
  /** None is begun after this time; default: no limit. */
  readonly seconds?: number;
  /** Requests at a time; default 4. */
  readonly concurrency?: number;
}

/** What came of it. */
export interface Load {
  /** Unix time in milliseconds. */
  readonly began: number;
  readonly sent: number;
  /** Responses with status 200 by the name of the cluster that gave it. */
  readonly byCluster: Readonly<Record<string, number>>;
  /** Other ends of a request, by status or error code: when each came, in milliseconds since `began`. */
  readonly failures: Readonly<Record<string, readonly number[]>>;
  /**
   * The client's connections to the pods of each cluster during the load, and how many of them failed. Those to pods that are
   * gone at the end are not counted.
   */
  readonly connections: Readonly<
    Record<string, {readonly made: number; readonly failed: number; readonly requests: number}>
  >;
}

/** A load that goes on. */
export interface RunningLoad {
  /** What came of it, once its limits are reached or it has been stopped. */
  readonly ended: Promise<Load>;
  /** Begins no more requests, and waits for those under way. */
  stop(): Promise<Load>;
}

/** Begins to send requests from a pod. */
export async function startLoad(client: PlayedPod, fabric: Fabric, options: LoadOptions): Promise<RunningLoad> {
  const {address, port, host, requests, seconds, concurrency = 4} = options;
  const upstream = upstreamOf(port, host);
  const before = await endpointsOf(client, fabric, upstream);
  const limits = JSON.stringify({address, port, host, requests, seconds, concurrency});
  const task = client.begin(['node', '/opt/harness/load.mjs', limits]);
  const ended = task.ended.then(async (text) => {
    const after = await endpointsOf(client, fabric, upstream);
    if (after.length === 0) throw new HarnessError(`the client's proxy does not know ${host}`);
    const {began, sent, answers, failures} = JSON.parse(text) as Printed;
    return {began, sent, byCluster: answers, failures, connections: difference(before, after)};
  });
  ended.catch(() => undefined);
  return {
    ended,
    stop: async () => {
      await task.stop();
      return ended;
    },
  };
}

/** What load.mjs prints. */
interface Printed extends Pick<Load, 'began' | 'sent' | 'failures'> {
  readonly answers: Load['byCluster'];
}

/** The name of a service's upstream cluster in Envoy. */
export function upstreamOf(port: number, host: string): RegExp {
  return new RegExp(`^outbound\\|${String(port)}\\|\\|${host.replaceAll('.', '\\.')}$`);
}

/** The share of one cluster among the responses, 0 to 1. */
export function shareOf({byCluster}: Load, cluster: string): number {
  const all = Object.values(byCluster).reduce((sum, count) => sum + count, 0);
  return all === 0 ? 0 : (byCluster[cluster] ?? 0) / all;
}

function difference(start: readonly ProxyEndpoint[], end: readonly ProxyEndpoint[]): Load['connections'] {
  const earlier = new Map(start.map((endpoint) => [endpoint.address, endpoint]));
  const sums: Record<string, {made: number; failed: number; requests: number}> = {};
  for (const {cluster, address, connections, connectFailures, requests} of end) {
    const before = earlier.get(address);
    // Counters that went back are those of a new pod with an old address.
    const old = before !== undefined && before.connections <= connections ? before : undefined;
    const sum = (sums[cluster ?? address] ??= {made: 0, failed: 0, requests: 0});
    sum.made += connections - (old?.connections ?? 0);
    sum.failed += connectFailures - (old?.connectFailures ?? 0);
    sum.requests += requests - (old?.requests ?? 0);
  }
  return sums;
}
