/** Three clusters on one network, each of which has remote secrets of the others. */
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {Cluster} from './harness/cluster.js';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {shareOf} from './harness/data-path/load.js';
import {
  askEcho,
  awaitReachable,
  deployWorkloads,
  exchangeRemoteSecrets,
  makeMesh,
  startEchoLoad,
  watchEcho,
} from './harness/data-path/mesh-steps.js';
import {echo} from './harness/data-path/workloads.js';
import {at} from './harness/mesh.js';

const names = ['one', 'three', 'two'];
let path: DataPath;
let one: Cluster;
let two: Cluster;
let three: Cluster;

beforeAll(async () => {
  path = await startDataPath({one: 'network1', two: 'network1', three: 'network1'});
  [one, two, three] = [at(path.clusters, 0), at(path.clusters, 1), at(path.clusters, 2)];
  await makeMesh(path);
  await deployWorkloads(path);
  await exchangeRemoteSecrets(path);
  await awaitReachable(path, one, path.clusters);
});
afterAll(() => path.sandbox.close());

it('API servers are where pods and other clusters find them, and remote secrets name that address', async () => {
  for (const cluster of path.clusters) {
    expect(cluster.api.server).toMatch(/^https:\/\/10\.77\.1\.1:\d+$/);
    expect(await cluster.istioctl('create-remote-secret', '--name', cluster.name)).toContain(cluster.api.server);
  }
});

it('each cluster answers about a third of the requests', async () => {
  const load = await askEcho(path, one, {requests: 600, seconds: 90});
  expect(load.failures).toEqual({});
  // 600 requests: more than five standard deviations from a third.
  for (const name of names) {
    expect(shareOf(load, name)).toBeGreaterThan(0.23);
    expect(shareOf(load, name)).toBeLessThan(0.44);
  }
});

it('a load and a watch that go on show when a cluster has lost its endpoint, though it is back at the end', async () => {
  const scale = (replicas: number): Promise<string> =>
    three.kubectl('-n', echo.namespace, 'scale', 'deployment/echo', `--replicas=${String(replicas)}`);
  const [load, watch] = [await startEchoLoad(path, one), await watchEcho(path, one)];
  await sleep(1000);
  const lost = Date.now();
  await scale(0);
  await awaitReachable(path, one, [one, two]);
  await scale(1);
  await awaitReachable(path, one, path.clusters);
  const [sent, seen] = [await load.stop(), await watch.stop()];
  expect(seen.minimum).toEqual({one: 1, two: 1, three: 0});
  expect(at(seen.changes, 0)).toEqual({at: expect.any(Number) as number, byCluster: {one: 1, two: 1, three: 1}});
  expect(at(seen.changes, 1).byCluster).toEqual({one: 1, two: 1});
  expect(seen.began + at(seen.changes, 1).at).toBeGreaterThan(lost);
  expect(seen.samples).toBeGreaterThan(seen.changes.length);
  expect(Object.keys(sent.byCluster).sort()).toEqual(names);
  expect(sent.sent).toBe(sum(Object.values(sent.byCluster)) + Object.values(sent.failures).flat().length);
  for (const time of Object.values(sent.failures).flat()) expect(sent.began + time).toBeGreaterThan(lost);
});

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
