/** A run that keeps thirty kubectl processes open at once. */
import {afterEach, beforeEach, expect, it} from 'vitest';
import {textsOf, putCacerts, trustMesh, type TrustMesh} from '../helpers/trust-mesh.js';
import {runBuilt} from '../robustness/harness/run.js';

const names = Array.from({length: 30}, (_, at) => `c${String(at + 1)}`);
let mesh: TrustMesh;

beforeEach(async () => {
  mesh = await trustMesh(names);
  for (const name of names) putCacerts(mesh.cluster(name), textsOf(mesh.bundle(name)));
});

afterEach(() => mesh.stop());

it('writes nothing to standard error with thirty open clusters and no problems', async () => {
  const env = {...mesh.env, HOME: mesh.dir};
  const args = ['trust', 'diff', '--quiet', '--concurrency', '30', '-o', 'json'];
  const {code, stdout, stderr} = await runBuilt(args, {cwd: mesh.dir, env});
  expect({code, stderr}).toEqual({code: 0, stderr: ''});
  const {clusters} = JSON.parse(stdout) as {clusters: {name: string}[]};
  expect(clusters.map(({name}) => name)).toEqual(names);
  expect(mesh.kube.calls).toHaveLength(30);
});
