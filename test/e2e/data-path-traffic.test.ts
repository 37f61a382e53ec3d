/** `verify --traffic` on two networks, made from nothing by `up` alone. */
import {afterAll, beforeAll, expect, it} from 'vitest';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {declareMesh} from './harness/data-path/mesh-steps.js';

let path: DataPath;

beforeAll(async () => {
  path = await startDataPath({one: 'network1', two: 'network2'});
  await declareMesh(path, path.clusters);
  await path.cli.must('up');
});
afterAll(() => path.sandbox.close());

it('every cluster answers the requests of every other one', async () => {
  const ran = await path.cli.run(['verify', '--traffic']);
  console.log(ran.stdout, ran.stderr);
  const mermaid = await path.cli.run(['verify', '--traffic', '-o', 'mermaid']);
  console.log(mermaid.stdout, mermaid.stderr);
  expect(ran.code).toBe(0);
});
