/** Requests through real Envoys between two clusters on one network: what one root means for them, and what two mean. */
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {Cluster} from './harness/cluster.js';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {shareOf} from './harness/data-path/load.js';
import {
  askEcho,
  deployWorkloads,
  echoUpstream,
  exchangeRemoteSecrets,
  makeMesh,
  reachableClusters,
  restartEcho,
} from './harness/data-path/mesh-steps.js';
import {certificatesOf, endpointsOf} from './harness/data-path/proxy.js';
import {clientLabels, echo, echoLabels} from './harness/data-path/workloads.js';
import {at} from './harness/mesh.js';
import {MeshCli} from './harness/mesh-cli.js';
import {eventually} from './harness/processes.js';

let path: DataPath;
let one: Cluster;
let two: Cluster;

beforeAll(async () => {
  path = await startDataPath({one: 'network1', two: 'network1'});
  [one, two] = [at(path.clusters, 0), at(path.clusters, 1)];
  await makeMesh(path);
  await deployWorkloads(path);
});
afterAll(() => path.sandbox.close());

it('without discovery, only the own cluster answers', async () => {
  expect(await reachableClusters(path, one)).toEqual(['one']);
  const load = await askEcho(path, one, {requests: 40});
  expect(load).toMatchObject({sent: 40, byCluster: {one: 40}, failures: {}});
});

it('with one root and remote secrets, each cluster answers about half of the requests, each on a connection of its own', async () => {
  await exchangeRemoteSecrets(path);
  await expect.poll(() => reachableClusters(path, one), {timeout: 60_000}).toEqual(['one', 'two']);
  const load = await askEcho(path, one, {requests: 400, seconds: 60});
  expect(load.failures).toEqual({});
  // 400 requests: more than five standard deviations from a half.
  expect(shareOf(load, 'two')).toBeGreaterThan(0.35);
  expect(shareOf(load, 'two')).toBeLessThan(0.65);
  for (const cluster of ['one', 'two']) {
    const answers = load.byCluster[cluster];
    expect(load.connections[cluster]).toEqual({made: answers, failed: 0, requests: answers});
  }
});

it('with another root in one cluster, its share of the responses drops to almost nothing, without many errors', async () => {
  const client = await path.node(one).readyPod(clientLabels);
  const before = await path.node(two).readyPod(echoLabels);
  const {roots} = await certificatesOf(client);
  expect((await certificatesOf(before)).roots).toEqual(roots);
  const other = new MeshCli(path.sandbox, two.planes, {'kwok-two': two}, 'other');
  await other.must('certs', 'generate', 'two');
  await other.must('trust', 'push', 'two', '--context', 'kwok-two', '--yes', '--allow-root-change', '--restart-istiod');
  // A running proxy keeps its certificate until it expires.
  const after = await restartEcho(path, two);
  expect((await certificatesOf(after)).roots).not.toEqual(roots);
  await eventually('the endpoint of the new pod', async () => {
    const endpoints = await endpointsOf(client, path.fabric, echoUpstream);
    return endpoints.some(({address}) => address === `${after.address}:${String(echo.port)}`) || undefined;
  });
  const load = await askEcho(path, one, {requests: 400, seconds: 60});
  expect(shareOf(load, 'two')).toBeLessThan(0.05);
  expect(shareOf(load, 'one')).toBeGreaterThan(0.95);
  // What counting errors would have shown: Envoy tries again, and the other cluster answers.
  expect(load.byCluster.one ?? 0).toBeGreaterThan(0.9 * load.sent);
  expect(load.connections.two?.failed).toBeGreaterThan(10);
});
