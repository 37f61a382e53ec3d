/** Who answers whom: the expected share of each cluster in the responses to each client. */
import {expect} from 'vitest';
import type {Cluster} from '../cluster.js';
import {eventually} from '../processes.js';
import type {DataPath} from './data-path.js';
import {shareOf, type Load} from './load.js';
import {askEcho, awaitGateways, awaitReachable} from './mesh-steps.js';

const requests = 400;

/** Waits until a client's sidecar can send to these clusters and no others, and sends requests, which they answer equally often. */
export async function expectEvenShares(path: DataPath, from: Cluster, answering: readonly Cluster[]): Promise<void> {
  await awaitReachable(path, from, answering);
  const load = await askEcho(path, from, {requests, seconds: 60});
  expect(load.failures, from.name).toEqual({});
  expectEven(load, answering);
  // Each on a connection of its own, none of which failed.
  for (const {name} of answering) {
    const answers = load.byCluster[name];
    expect(load.connections[name], `${from.name} to ${name}`).toEqual({made: answers, failed: 0, requests: answers});
  }
}

/**
 * The same where some clusters are on other networks: waits until the client's sidecar sends to gateways there instead of pods. A
 * gateway sends on to all clusters of its network, so connections are compared only in sum.
 */
export async function expectEvenSharesThroughGateways(
  path: DataPath,
  from: Cluster,
  answering: readonly Cluster[],
): Promise<void> {
  const remote = answering.filter(({name}) => path.placement[name] !== path.placement[from.name]);
  await awaitGateways(path, from, remote);
  await awaitReachable(path, from, answering);
  const load = await askEcho(path, from, {requests, seconds: 60});
  expect(load.failures, from.name).toEqual({});
  expectEven(load, answering);
  const connections = Object.values(load.connections);
  expect(
    connections.reduce((sum, {failed}) => sum + failed, 0),
    from.name,
  ).toBe(0);
  const made = connections.reduce((sum, one) => sum + one.made, 0);
  expect(made, from.name).toBe(Object.values(load.byCluster).reduce((sum, count) => sum + count, 0));
}

/**
 * Waits until only these clusters answer a client, and sends requests that all the others would answer as often: they do so almost
 * never. Envoy tries again elsewhere, so most requests succeed.
 */
export async function expectOnly(path: DataPath, from: Cluster, answering: readonly Cluster[]): Promise<void> {
  const names = answering.map(({name}) => name).sort();
  const answered = async (count: number): Promise<Load> =>
    askEcho(path, from, {requests: count, seconds: 20, concurrency: 12});
  await eventually(`answers of ${names.join(', ')} only in ${from.name}`, async () => {
    const {byCluster} = await answered(24);
    return JSON.stringify(Object.keys(byCluster).sort()) === JSON.stringify(names) || undefined;
  });
  const load = await answered(96);
  const others = path.clusters.filter((cluster) => !answering.includes(cluster));
  for (const {name} of others) expect(shareOf(load, name), `${from.name} to ${name}`).toBeLessThan(0.05);
  for (const {name} of answering) {
    expect(shareOf(load, name), `${from.name} to ${name}`).toBeGreaterThan(0.9 / answering.length);
  }
}

/** With fewer, the tolerance would include every share. */
const minAnswers = 200;

/** The clusters answered equally often, and no other one did. */
export function expectEven(load: Load, answering: readonly Cluster[]): void {
  const names = answering.map(({name}) => name);
  expect(Object.keys(load.byCluster).sort()).toEqual([...names].sort());
  const answers = Object.values(load.byCluster).reduce((sum, count) => sum + count, 0);
  expect(answers).toBeGreaterThanOrEqual(minAnswers);
  const expected = 1 / names.length;
  // Five standard deviations of a choice at random.
  const tolerance = 5 * Math.sqrt((expected * (1 - expected)) / answers);
  for (const name of names) expect(Math.abs(shareOf(load, name) - expected), name).toBeLessThanOrEqual(tolerance);
}
