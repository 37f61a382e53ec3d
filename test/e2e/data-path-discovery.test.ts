/** What requests notice of endpoint discovery: clusters on one network that join by `up`, renew their tokens, and leave by `unlink`. */
import {setTimeout as sleep} from 'node:timers/promises';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {LinkResult} from '../../src/operations/discovery/report-link.js';
import type {Cluster} from './harness/cluster.js';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {
  awaitReachable,
  declareMesh,
  deployWorkloads,
  startEchoLoad,
  watchEcho,
} from './harness/data-path/mesh-steps.js';
import type {Load} from './harness/data-path/load.js';
import {expectEven, expectEvenShares} from './harness/data-path/shares.js';
import type {EndpointWatch} from './harness/data-path/watch.js';
import {at} from './harness/mesh.js';
import {eventually} from './harness/processes.js';
import {editRemoteKubeconfig, knownClusters, readerToken, statusWith, withTimes} from './harness/remote-secrets.js';

let path: DataPath;
let one: Cluster;
let two: Cluster;
let three: Cluster;

beforeAll(async () => {
  path = await startDataPath({one: 'network1', two: 'network1', three: 'network1'});
  [one, two, three] = [at(path.clusters, 0), at(path.clusters, 1), at(path.clusters, 2)];
});
afterAll(() => path.sandbox.close());

/** A reader and the peer that it reads. */
type Pair = readonly [reader: Cluster, peer: Cluster];

const pairsOf = (clusters: readonly Cluster[]): readonly Pair[] =>
  clusters.flatMap((reader) => clusters.filter((peer) => peer !== reader).map((peer): Pair => [reader, peer]));

const tokensOf = (pairs: readonly Pair[]): Promise<string[]> =>
  Promise.all(pairs.map(([reader, peer]) => readerToken(reader, peer.name)));

/** What clients noticed while something was done. */
interface Noticed {
  readonly client: Cluster;
  readonly load: Load;
  readonly endpoints: EndpointWatch;
}

/** Sends requests from these clusters and watches their clients' endpoints, from a second before `action` until one after it. */
async function underLoad(clients: readonly Cluster[], action: () => Promise<void>): Promise<readonly Noticed[]> {
  const running = await Promise.all(
    clients.map(async (client) => {
      const load = await startEchoLoad(path, client, {concurrency: 2});
      return {client, load, watch: await watchEcho(path, client)};
    }),
  );
  await sleep(1000);
  await action();
  await sleep(1000);
  const noticed = await Promise.all(
    running.map(async ({client, load, watch}) => ({client, load: await load.stop(), endpoints: await watch.stop()})),
  );
  // Otherwise the smallest number of endpoints proves nothing.
  for (const {client, endpoints} of noticed) {
    expect(endpoints.samples, client.name).toBeGreaterThanOrEqual(10);
    expect(endpoints.longestGap, client.name).toBeLessThan(3000);
  }
  return noticed;
}

describe('up', () => {
  it('makes two clusters, each of which answers half of the requests of every client', async () => {
    for (const cluster of path.clusters) expect(cluster.api.server).toMatch(/^https:\/\/10\.77\.1\.1:\d+$/);
    await declareMesh(path, [one, two]);
    await path.cli.must('up');
    await deployWorkloads(path, [one, two]);
    for (const cluster of [one, two]) await expectEvenShares(path, cluster, [one, two]);
  });

  it('adds a third one, which then answers a third of the requests of every client', async () => {
    await declareMesh(path, [three]);
    await path.cli.must('up');
    await deployWorkloads(path, [three]);
    for (const cluster of path.clusters) await expectEvenShares(path, cluster, path.clusters);
  });
});

it('link renews tokens: no request fails, no endpoint is lost, and the old tokens are accepted until the new ones are used', async () => {
  const pairs = pairsOf(path.clusters);
  for (const [reader, peer] of pairs) {
    const token = withTimes(peer, await readerToken(reader, peer.name), {issued: -85, expires: 5});
    await editRemoteKubeconfig(reader, peer.name, ({users}) => {
      at(users, 0).user.token = token;
    });
  }
  await eventually('every istiod to use the old tokens', async () => {
    const known = await Promise.all(path.clusters.map(knownClusters));
    return known.flat().filter(({syncStatus}) => syncStatus === 'synced').length === pairs.length || undefined;
  });
  const before = await tokensOf(pairs);
  let linked: LinkResult | undefined;
  const noticed = await underLoad(path.clusters, async () => {
    linked = JSON.parse(await path.cli.must('link', '-o', 'json')) as LinkResult;
    for (const [index, [, peer]] of pairs.entries()) expect(await statusWith(peer, before[index] ?? '')).toBe(200);
  });
  expect(linked?.clusters.flatMap(({peers}) => peers.map(({plan}) => plan))).toEqual(pairs.map(() => 'renew'));
  for (const {client, load, endpoints} of noticed) {
    expect(load.failures, client.name).toEqual({});
    expectEven(load, path.clusters);
    for (const {made, failed} of Object.values(load.connections)) expect([made > 0, failed]).toEqual([true, 0]);
    expect(endpoints.minimum, client.name).toEqual({one: 1, two: 1, three: 1});
  }
  const after = await tokensOf(pairs);
  for (const [index, [, peer]] of pairs.entries()) {
    expect(after[index]).not.toBe(before[index]);
    expect(await statusWith(peer, at(after, index))).toBe(200);
  }
});

it('unlink ends the share of one cluster and its access, while the others keep theirs', async () => {
  const ended = pairsOf(path.clusters).filter((pair) => pair.includes(three));
  const revoked = await tokensOf(ended);
  const kept = pairsOf([one, two]);
  const keptTokens = await tokensOf(kept);
  const noticed = await underLoad([one, two], async () => {
    await path.cli.must('unlink', 'three', '--yes');
    for (const client of [one, two]) await awaitReachable(path, client, [one, two]);
    await awaitReachable(path, three, [three]);
  });
  for (const {client, load, endpoints} of noticed) {
    expect(load.failures, client.name).toEqual({});
    expect(load.byCluster.three, client.name).toBeGreaterThan(0);
    expect(endpoints.minimum, client.name).toEqual({one: 1, two: 1, three: 0});
  }
  for (const client of [one, two]) await expectEvenShares(path, client, [one, two]);
  await expectEvenShares(path, three, [three]);
  // The API server accepts a token for a few seconds longer, from its cache.
  for (const [index, [, peer]] of ended.entries()) {
    await expect.poll(() => statusWith(peer, at(revoked, index)), {timeout: 60_000}).toBe(401);
  }
  for (const [index, [, peer]] of kept.entries()) expect(await statusWith(peer, at(keptTokens, index))).toBe(200);
});
