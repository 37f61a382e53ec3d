/** Requests between two clusters on two networks, through the east-west gateways that istioctl installs. */
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {Cluster} from './harness/cluster.js';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {addGateway} from './harness/data-path/gateways.js';
import {shareOf} from './harness/data-path/load.js';
import {askEcho, deployWorkloads, echoUpstream, makeMesh, reachableClusters} from './harness/data-path/mesh-steps.js';
import {endpointsOf} from './harness/data-path/proxy.js';
import {clientLabels} from './harness/data-path/workloads.js';
import {at} from './harness/mesh.js';

let path: DataPath;
let one: Cluster;
let two: Cluster;

beforeAll(async () => {
  path = await startDataPath({one: 'network1', two: 'network2'});
  [one, two] = [at(path.clusters, 0), at(path.clusters, 1)];
  await makeMesh(path);
  await deployWorkloads(path);
});
afterAll(() => path.sandbox.close());

it('without gateways, discovery alone does not make the other network answer', async () => {
  await path.cli.must('link');
  await expect.poll(() => reachableClusters(path, one), {timeout: 60_000}).toEqual(['one', 'two']);
  const load = await askEcho(path, one, {requests: 40, seconds: 5});
  expect(load.byCluster.one).toBeGreaterThan(0);
  expect(load.byCluster.two).toBeUndefined();
  const {made = 0, failed} = load.connections.two ?? {};
  expect(made).toBeGreaterThan(0);
  expect(failed).toBe(made);
});

it('through gateways, each cluster answers about half of the requests', async () => {
  await addGateway(path, one, 'network1');
  const gateway = await addGateway(path, two, 'network2');
  const client = await path.node(one).readyPod(clientLabels);
  await expect
    .poll(async () => (await endpointsOf(client, path.fabric, echoUpstream)).map(({address}) => address), {
      timeout: 60_000,
    })
    .toContainEqual(expect.stringMatching(/^10\.77\.0\.\d+:15443$/));
  const load = await askEcho(path, one, {requests: 400, seconds: 60});
  expect(load.failures).toEqual({});
  expect(shareOf(load, 'two')).toBeGreaterThan(0.35);
  expect(shareOf(load, 'two')).toBeLessThan(0.65);
  const passed = await endpointsOf(gateway, path.fabric, /^outbound_\.5000_\._\.echo\./);
  const connections = passed.reduce((sum, endpoint) => sum + endpoint.connections, 0);
  expect(connections).toBeGreaterThanOrEqual(load.byCluster.two ?? 1);
});
