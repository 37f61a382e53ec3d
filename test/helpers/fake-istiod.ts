/**
 * What a running istiod says of itself on its monitoring port, as a real one does: `/metrics`, `/debug/clusterz` and
 * `/debug/endpointShardz`. A test spoils the answers through `says`, or replaces one as a whole.
 */
import {createServer} from 'node:http';
import type {AddressInfo} from 'node:net';

/** The answers, to be changed at any time. */
export interface IstiodWords {
  version: string;
  /** Seconds since the epoch; absent: not exported. */
  rootEnd?: number;
  caEnd?: number;
  requests: number;
  issued: number;
  unauthenticated: number;
  signingErrors: Record<string, number>;
  clusters: {id: string; secretName: string; syncStatus: string}[];
  /** The services, NAMESPACE/NAME, of which it has endpoints, by cluster. */
  endpoints: Record<string, readonly string[]>;
  /** By path: instead of what the fields above say. `hang` never answers. */
  instead: Record<string, {readonly status: number; readonly text: string} | 'hang'>;
  /** Added to each answer. Milliseconds. */
  latencyMs: number;
  /** By path: what changes while it runs; precedes the fields above, not `instead`. */
  current: Record<string, () => unknown>;
}

/** A listening one. */
export interface FakeMonitor {
  readonly port: number;
  readonly says: IstiodWords;
  close(): void;
}

/** The services that every cluster has. */
const services = ['default/kubernetes', 'istio-system/istiod', 'shop/cart'];

/** Starts one on 127.0.0.1 that says it is well, and has read these other clusters. */
export async function startFakeMonitor(
  cluster: string,
  ends: Pick<IstiodWords, 'rootEnd' | 'caEnd'>,
  others: readonly string[] = [],
): Promise<FakeMonitor> {
  const says: IstiodWords = {
    version: '1.31.0',
    ...ends,
    requests: 0,
    issued: 0,
    unauthenticated: 0,
    signingErrors: {},
    clusters: [
      {id: cluster, secretName: '', syncStatus: 'synced'},
      ...others.map((id) => ({id, secretName: `istio-system/istio-remote-secret-${id}`, syncStatus: 'synced'})),
    ],
    endpoints: Object.fromEntries([cluster, ...others].map((name) => [name, services])),
    instead: {},
    latencyMs: 0,
    current: {},
  };
  const server = createServer((request, response) => {
    const path = request.url ?? '';
    const now = says.current[path];
    const current = now && {status: 200, text: JSON.stringify(now())};
    const answer = says.instead[path] ?? current ?? answers(says)[path] ?? {status: 404, text: '404 page not found\n'};
    if (answer === 'hang') return;
    const send = (): unknown => response.writeHead(answer.status).end(answer.text);
    if (says.latencyMs > 0) setTimeout(send, says.latencyMs);
    else send();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    says,
    close: () => {
      server.close();
      server.closeAllConnections();
    },
  };
}

/** Seconds since the epoch, as istiod exports them. */
export function seconds(date: Date): number {
  return date.getTime() / 1000;
}

function answers(says: IstiodWords): Record<string, {status: number; text: string}> {
  return {
    '/metrics': {status: 200, text: metricsText(says)},
    '/debug/clusterz': {status: 200, text: JSON.stringify(says.clusters)},
    '/debug/endpointShardz': {status: 200, text: JSON.stringify(shardsOf(says.endpoints))},
  };
}

/** By host, namespace and shard. */
function shardsOf(endpoints: IstiodWords['endpoints']): object {
  const hosts: Record<string, Record<string, {Shards: Record<string, object[]>}>> = {};
  for (const [cluster, names] of Object.entries(endpoints)) {
    for (const service of names) {
      const [namespace = '', name = ''] = service.split('/');
      const host = (hosts[`${name}.${namespace}.svc.cluster.local`] ??= {});
      (host[namespace] ??= {Shards: {}}).Shards[`Kubernetes/${cluster}`] = [{}];
    }
  }
  return hosts;
}

/** In the format and with the families of istiod 1.31. */
function metricsText(says: IstiodWords): string {
  const gauge = (name: string, value: number | undefined): string[] =>
    value === undefined ? [] : [`# TYPE ${name} gauge`, `${name} ${value.toExponential()}`];
  // Counters are not there before they first count.
  const counter = (name: string, value: number, labels = ''): string[] =>
    value === 0 ? [] : [`# TYPE ${name} counter`, `${name}${labels} ${String(value)}`];
  return [
    ...gauge('citadel_server_cert_chain_expiry_timestamp', says.caEnd),
    ...gauge('citadel_server_root_cert_expiry_timestamp', says.rootEnd),
    ...counter('citadel_server_csr_count', says.requests),
    ...counter('citadel_server_success_cert_issuance_count', says.issued),
    ...counter('citadel_server_authentication_failure_count', says.unauthenticated),
    ...Object.entries(says.signingErrors).flatMap(([reason, count]) =>
      counter('citadel_server_csr_sign_err_count', count, `{error="${reason}"}`),
    ),
    '# TYPE istio_build gauge',
    `istio_build{component="pilot",tag="${says.version}"} 1`,
    '# TYPE pilot_info gauge',
    `pilot_info{version="${says.version}-unknown-unknown"} 1`,
    '',
  ].join('\n');
}
