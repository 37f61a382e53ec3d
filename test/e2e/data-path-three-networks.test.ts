/** Three clusters on two networks, made by the example script: each answers a third of the requests of each. */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {adaptExample, deployWorkloads} from './harness/data-path/mesh-steps.js';
import {expectEvenSharesThroughGateways} from './harness/data-path/shares.js';
import {reachedPairs} from './harness/data-path/traffic.js';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));

let path: DataPath;

beforeAll(async () => {
  path = await startDataPath({cluster1: 'network1', cluster2: 'network1', cluster3: 'network2'});
  adaptExample(path, readFileSync(join(examples, 'three-clusters-two-networks/mesh.yaml'), 'utf8'));
  await path.cli.script(join(examples, 'multi-primary-two-networks/run.sh'), {});
  await deployWorkloads(path);
});
afterAll(() => path.sandbox.close());

it('made by examples/three-clusters-two-networks, each cluster answers a third of the requests of every client', async () => {
  for (const from of path.clusters) await expectEvenSharesThroughGateways(path, from, path.clusters);
  expect(await reachedPairs(path)).toHaveLength(9);
});
