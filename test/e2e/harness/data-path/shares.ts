/** Who answers whom: the expected share of each cluster in the responses to each client. */
import {expect} from 'vitest';
import type {Cluster} from '../cluster.js';
import type {DataPath} from './data-path.js';
import {shareOf, type Load} from './load.js';
import {askEcho, awaitReachable} from './mesh-steps.js';

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
