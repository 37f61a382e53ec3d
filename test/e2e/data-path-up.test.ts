/** Three clusters on one network, made from nothing by `up` alone: each answers a third of the requests of each. */
import {afterAll, beforeAll, expect, it} from 'vitest';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {declareMesh, deployWorkloads} from './harness/data-path/mesh-steps.js';
import {expectEvenShares} from './harness/data-path/shares.js';
import {findings} from './harness/mesh-cli.js';

let path: DataPath;

beforeAll(async () => {
  path = await startDataPath({one: 'network1', two: 'network1', three: 'network1'});
  await declareMesh(path, path.clusters);
});
afterAll(() => path.sandbox.close());

it('up makes three clusters of which each answers a third of the requests of each', async () => {
  await path.cli.must('up');
  await deployWorkloads(path);
  for (const cluster of path.clusters) await expectEvenShares(path, cluster, path.clusters);
  expect(findings(await path.cli.verify('--wait', '--timeout', '2m'))).toEqual([]);
});
