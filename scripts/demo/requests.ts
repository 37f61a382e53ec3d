/** The demo with a data path: clusters on two networks, real proxies and gateways, and requests of each cluster to both. */
import {randomBytes} from 'node:crypto';
import type {ControlPlanes} from '../../test/e2e/harness/control-planes.js';
import {dataPathIn, type DataPath} from '../../test/e2e/harness/data-path/data-path.js';
import {shareOf} from '../../test/e2e/harness/data-path/load.js';
import {askEcho, awaitGateways, deployWorkloads, prepareWorkDir} from '../../test/e2e/harness/data-path/mesh-steps.js';
import type {MeshCli} from '../../test/e2e/harness/mesh-cli.js';
import {HarnessError, type Sandbox} from '../../test/e2e/harness/processes.js';
import {announce, printTable, seconds, type} from './terminal.js';

const placement = {cluster1: 'network1', cluster2: 'network2'} as const;
const requests = 200;
/** Of two clusters that answer alike: 200 requests that give one a quarter are seven standard deviations away. */
const leastShare = 0.25;

/** Starts the clusters, makes the mesh and sends requests. Throws when a step fails. */
export async function meshWithRequests(sandbox: Sandbox, planes: ControlPlanes, signal: AbortSignal): Promise<MeshCli> {
  announce(
    'Starting two Kubernetes control planes on two networks, whose pods cannot reach each other. Pods with a proxy run real Envoys.',
  );
  const began = Date.now();
  const path = await dataPathIn(sandbox, planes, placement);
  const {cli, clusters} = path;
  cli.env.KUBECTL_MESH_PASSPHRASE = randomBytes(12).toString('base64url');
  announce(`Running after ${seconds(began)}.`);

  for (const {name, context} of clusters) {
    await type(cli, signal, `kubectl mesh init ${name}=${context} --network ${networkOf(path, name)}`);
  }
  prepareWorkDir(cli.workDir);
  announce("The Envoy here has none of Istio's own filters: overlays/upstream-envoy.yaml switches them off.");
  await type(cli, signal, 'kubectl mesh up');

  signal.throwIfAborted();
  announce('A service with a pod in each cluster, and a client in each.');
  await deployWorkloads(path);
  for (const cluster of clusters) {
    await awaitGateways(
      path,
      cluster,
      clusters.filter((other) => other !== cluster),
    );
  }
  await sendRequests(path, signal);
  announce('The program can show the same by itself: it creates pods in each cluster, and removes them again.');
  await type(cli, signal, 'kubectl mesh verify --traffic');
  return cli;
}

/** Sends requests from each cluster and prints who answered. */
async function sendRequests(path: DataPath, signal: AbortSignal): Promise<void> {
  announce(
    `${String(requests)} requests from each client to the service, each over a new mTLS connection. Who answered:\n`,
  );
  const names = path.clusters.map(({name}) => name);
  const rows = [['client in', ...names, 'failed']];
  const problems: string[] = [];
  for (const cluster of path.clusters) {
    signal.throwIfAborted();
    const load = await askEcho(path, cluster, {requests, seconds: 60});
    const failed = Object.values(load.failures).flat().length;
    rows.push([cluster.name, ...names.map((name) => String(load.byCluster[name] ?? 0)), String(failed)]);
    if (failed > 0) problems.push(`requests of ${cluster.name} failed: ${Object.keys(load.failures).join(', ')}`);
    for (const name of names) {
      if (shareOf(load, name) < leastShare) problems.push(`${name} hardly answered requests of ${cluster.name}`);
    }
  }
  printTable(rows);
  if (problems.length > 0) throw new HarnessError(problems.join('; '));
}

function networkOf({placement: networks}: DataPath, cluster: string): string {
  return networks[cluster] ?? '';
}
