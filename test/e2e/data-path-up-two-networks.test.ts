/** Two clusters on two networks, made from nothing by `up` alone: each answers half of the requests of each. */
import {afterAll, beforeAll, expect, it} from 'vitest';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {declareMesh, deployWorkloads} from './harness/data-path/mesh-steps.js';
import {expectEvenSharesThroughGateways} from './harness/data-path/shares.js';
import {findings} from './harness/mesh-cli.js';

let path: DataPath;

beforeAll(async () => {
  path = await startDataPath({one: 'network1', two: 'network2'});
  await declareMesh(path, path.clusters);
});
afterAll(() => path.sandbox.close());

it('up makes two clusters on two networks, of which each answers half of the requests of each', async () => {
  await path.cli.must('up');
  await deployWorkloads(path);
  for (const cluster of path.clusters) await expectEvenSharesThroughGateways(path, cluster, path.clusters);
  expect(findings(await path.cli.verify('--wait', '--timeout', '2m'))).toEqual([]);
});
