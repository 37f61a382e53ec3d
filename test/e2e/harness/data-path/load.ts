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
  /** At most so many requests; default 300. */
  readonly requests?: number;
  /** None is begun after this time; default 30. */
  readonly seconds?: number;
  /** Requests at a time; default 4. */
  readonly concurrency?: number;
}

/** What came of it. */
export interface Load {
  readonly sent: number;
  /** Responses with status 200 by the name of the cluster that gave it. */
  readonly byCluster: Readonly<Record<string, number>>;
  /** Other ends of a request, by status or error code. */
  readonly failures: Readonly<Record<string, number>>;
  /** The client's connections to the pods of each cluster during the load, and how many of them failed. */
  readonly connections: Readonly<
    Record<string, {readonly made: number; readonly failed: number; readonly requests: number}>
  >;
}

/** Sends requests from a pod and waits for the end. */
export async function sendLoad(client: PlayedPod, fabric: Fabric, options: LoadOptions): Promise<Load> {
  const {address, port, host, requests = 300, seconds = 30, concurrency = 4} = options;
  const upstream = upstreamOf(port, host);
  const before = await endpointsOf(client, fabric, upstream);
  const task = JSON.stringify({address, port, host, requests, seconds, concurrency});
  const text = await client.exec(['node', '/opt/harness/load.mjs', task]);
  const after = await endpointsOf(client, fabric, upstream);
  if (after.length === 0) throw new HarnessError(`the client's proxy does not know ${host}`);
  const {sent, answers, failures} = JSON.parse(text) as {
    sent: number;
    answers: Record<string, number>;
    failures: Record<string, number>;
  };
  return {sent, byCluster: answers, failures, connections: difference(before, after)};
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

function difference(before: readonly ProxyEndpoint[], after: readonly ProxyEndpoint[]): Load['connections'] {
  const sums: Record<string, {made: number; failed: number; requests: number}> = {};
  for (const [endpoints, sign] of [
    [before, -1],
    [after, 1],
  ] as const) {
    for (const {cluster, address, connections, connectFailures, requests} of endpoints) {
      const sum = (sums[cluster ?? address] ??= {made: 0, failed: 0, requests: 0});
      sum.made += sign * connections;
      sum.failed += sign * connectFailures;
      sum.requests += sign * requests;
    }
  }
  return sums;
}
