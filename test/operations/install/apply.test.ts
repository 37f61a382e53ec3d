import {mkdtemp, rm, writeFile} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {setTimeout} from 'node:timers/promises';
import {afterEach, beforeEach, expect, it} from 'vitest';
import {MeshError} from '../../../src/domain/errors.js';
import type {Deps} from '../../../src/engine/deps.js';
import {gatherApply} from '../../../src/operations/install/apply.js';
import {createWorkspace} from '../../../src/workspace/create.js';

let root: string;
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'apply-facts-'));
});
afterEach(() => rm(root, {recursive: true}));

it.each([1, 2])('install apply reads at most %i clusters at the same time', async (concurrency) => {
  const names = ['c1', 'c2', 'c3', 'c4', 'c5'];
  const clusters = names.map((name) => `{name: ${name}, context: ${name}, network: n1}`).join(', ');
  await writeFile(
    join(root, 'mesh.yaml'),
    `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nmeshID: mesh1\nclusters: [${clusters}]\n`,
  );
  const opened: string[] = [];
  let open = 0;
  let most = 0;
  const deps = {
    workspace: createWorkspace({root, now: () => new Date()}),
    istioctl: {version: () => Promise.resolve('1.30.0')},
    environment: {},
    clusters: {
      open: async (context: string) => {
        opened.push(context);
        most = Math.max(most, (open += 1));
        await setTimeout(1);
        open -= 1;
        throw new MeshError('UNREACHABLE', 'no answer');
      },
    },
  } as unknown as Deps;
  const {targets} = await gatherApply({clusters: []}, concurrency, deps);
  expect(targets.map(({rendering}) => rendering.cluster.name)).toEqual(names);
  expect(opened).toEqual(names);
  expect(most).toBe(concurrency);
});
