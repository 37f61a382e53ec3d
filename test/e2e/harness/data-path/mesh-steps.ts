/** From empty clusters to requests: the steps that every test of a data path begins with. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {parse, stringify} from 'yaml';
import type {Cluster} from '../cluster.js';
import {HarnessError, eventually} from '../processes.js';
import {startDataPath, type DataPath} from './data-path.js';
import {startLoad, upstreamOf, type Load, type LoadOptions, type RunningLoad} from './load.js';
import type {PlayedPod} from './played-pod.js';
import {endpointsOf} from './proxy.js';
import {watchEndpoints, type RunningWatch} from './watch.js';
import {clientLabels, createNamespace, deployClient, deployEcho, echo, echoAddress, echoLabels} from './workloads.js';

/**
 * What upstream Envoy needs of Istio, since it has none of Istio's own filters (stats, metadata exchange, ALPN): with one of
 * them it rejects every listener. An overlay, so that mesh.yaml stays as users write it.
 */
const upstreamEnvoy = {
  apiVersion: 'install.istio.io/v1alpha1',
  kind: 'IstioOperator',
  spec: {
    values: {
      telemetry: {enabled: false},
      pilot: {env: {PILOT_ENABLE_METADATA_EXCHANGE: 'false', PILOT_ENABLE_ALPN_FILTER: 'false'}},
    },
  },
};

interface MeshYaml {
  istio?: {overlays?: string[]};
  clusters: {name: string; network?: string}[];
}

/** Adds what a data path needs to a work directory after each `init`: the overlay for upstream Envoy, and networks. */
export function prepareWorkDir(workDir: string, placement: Readonly<Record<string, string>> = {}): void {
  const overlay = 'overlays/upstream-envoy.yaml';
  mkdirSync(join(workDir, 'overlays'), {recursive: true});
  writeFileSync(join(workDir, overlay), stringify(upstreamEnvoy));
  const file = join(workDir, 'mesh.yaml');
  const mesh = parse(readFileSync(file, 'utf8')) as MeshYaml;
  mesh.istio = {...mesh.istio, overlays: [...new Set([...(mesh.istio?.overlays ?? []), overlay])]};
  for (const [name, network] of Object.entries(placement)) {
    const cluster = mesh.clusters.find((one) => one.name === name);
    if (cluster === undefined) throw new HarnessError(`mesh.yaml has no cluster ${name}`);
    cluster.network = network;
  }
  writeFileSync(file, stringify(mesh));
}

/** A work directory that declares these clusters, ready for `up` or the steps that it takes. */
export async function declareMesh({cli, placement}: DataPath, clusters: readonly Cluster[]): Promise<void> {
  await cli.must('init', ...clusters.map(({name, context}) => `${name}=${context}`), '--mesh-id', 'mesh1');
  const networks = clusters.map(({name}) => [name, placement[name] ?? ''] as const);
  prepareWorkDir(cli.workDir, Object.fromEntries(networks));
}

/**
 * A work directory with an example's mesh.yaml, adapted as its comments tell a user: the contexts, and the addresses of the API
 * servers as pods reach them.
 */
export function adaptExample({cli, clusters}: DataPath, meshYaml: string): void {
  const adapted = clusters.reduce((text, {name, context, api}, index) => {
    const address = `# apiServer: {url: "https://10.0.0.${String(index + 1)}:6443"}`;
    for (const part of [`context: kind-${name}`, address]) {
      if (!text.includes(part)) throw new HarnessError(`the example has no ${part}`);
    }
    return text
      .replace(`context: kind-${name}`, `context: ${context}`)
      .replace(address, `apiServer: {url: "${api.server}"}`);
  }, meshYaml);
  writeFileSync(join(cli.workDir, 'mesh.yaml'), adapted);
  prepareWorkDir(cli.workDir);
}

/** Two clusters on two networks, made by `up`. */
export async function startTwoNetworks(): Promise<DataPath> {
  const path = await startDataPath({one: 'network1', two: 'network2'});
  await declareMesh(path, path.clusters);
  await path.cli.must('up');
  return path;
}

/** One root, an istiod in each cluster, made by the program; no cluster reads another. */
export async function makeMesh(path: DataPath): Promise<void> {
  const {cli, clusters} = path;
  await declareMesh(path, clusters);
  await cli.must('certs', 'generate');
  await cli.must('trust', 'push', '--yes');
  await cli.must('install', 'render');
  await cli.must('install', 'apply', '--yes');
}

/** The echo service and a client in every cluster; waits until all proxies are ready. */
export async function deployWorkloads(path: DataPath, clusters: readonly Cluster[] = path.clusters): Promise<void> {
  await Promise.all(
    clusters.map(async (cluster) => {
      await createNamespace(cluster, {'istio-injection': 'enabled'});
      await deployEcho(cluster);
      await deployClient(cluster);
    }),
  );
  for (const cluster of clusters) {
    for (const labels of [echoLabels, clientLabels]) await path.node(cluster).readyPod(echo.namespace, labels);
  }
}

/** A new pod of the echo service, with a new certificate, in the place of the old one, which has ended then. */
export function restartEcho(path: DataPath, cluster: Cluster): Promise<PlayedPod> {
  return restart(path, cluster, 'echo', echoLabels);
}

async function restart(
  path: DataPath,
  cluster: Cluster,
  name: string,
  labels: Readonly<Record<string, string>>,
): Promise<PlayedPod> {
  const node = path.node(cluster);
  const before = await node.readyPod(echo.namespace, labels);
  await cluster.kubectl('-n', echo.namespace, 'rollout', 'restart', `deployment/${name}`);
  await eventually('the end of the old pod', () => !node.pods.includes(before) || undefined);
  return node.readyPod(echo.namespace, labels);
}

/** The same of the client. */
export function restartClient(path: DataPath, cluster: Cluster): Promise<PlayedPod> {
  return restart(path, cluster, 'client', clientLabels);
}

/** Requests of a cluster's client to the echo service: 300, unless 30 s are over before. */
export async function askEcho(path: DataPath, from: Cluster, limits: Partial<LoadOptions> = {}): Promise<Load> {
  const load = await startEchoLoad(path, from, {requests: 300, seconds: 30, ...limits});
  return load.ended;
}

/** The same until they are stopped. */
export async function startEchoLoad(
  path: DataPath,
  from: Cluster,
  limits: Partial<LoadOptions> = {},
): Promise<RunningLoad> {
  const client = await path.node(from).readyPod(echo.namespace, clientLabels);
  const {host, port} = echo;
  return startLoad(client, path.fabric, {address: await echoAddress(from), host, port, ...limits});
}

/** Samples the endpoints of the echo service that a cluster's client has, until it is stopped. */
export async function watchEcho(path: DataPath, from: Cluster): Promise<RunningWatch> {
  return watchEndpoints(await path.node(from).readyPod(echo.namespace, clientLabels), path.fabric, echoUpstream);
}

/** Clusters to which the client's sidecar sends, by the endpoints of pods that are ready. istiod also lists others, as unhealthy. */
export async function reachableClusters(path: DataPath, from: Cluster): Promise<string[]> {
  const client = await path.node(from).readyPod(echo.namespace, clientLabels);
  const endpoints = await endpointsOf(client, path.fabric, echoUpstream);
  return endpoints
    .filter(({healthy}) => healthy)
    .map(({cluster, address}) => cluster ?? address)
    .sort();
}

/** Waits until the client's sidecar can send to these clusters and no others. */
export async function awaitReachable(path: DataPath, from: Cluster, clusters: readonly Cluster[]): Promise<void> {
  const wanted = clusters.map(({name}) => name).sort();
  await eventually(`endpoints of ${wanted.join(', ')} in ${from.name}`, async () => {
    const found = await reachableClusters(path, from);
    return JSON.stringify(found) === JSON.stringify(wanted) || undefined;
  });
}

/** Waits until the client's sidecar reaches these clusters through the addresses of their gateways, and not their pods directly. */
export async function awaitGateways(path: DataPath, from: Cluster, clusters: readonly Cluster[]): Promise<void> {
  const names = clusters.map(({name}) => name);
  await eventually(`gateways of ${names.join(', ')} in ${from.name}`, async () => {
    const client = await path.node(from).readyPod(echo.namespace, clientLabels);
    const remote = (await endpointsOf(client, path.fabric, echoUpstream)).filter(({cluster = ''}) =>
      names.includes(cluster),
    );
    const found = new Set(remote.map(({cluster}) => cluster));
    return (found.size === names.length && remote.every(({address}) => address.endsWith(':15443'))) || undefined;
  });
}

/** The endpoints of the echo service, in Envoy's words. */
export const echoUpstream = upstreamOf(echo.port, echo.host);
