/** Why it is all done: workloads of two clusters accept each other under one root, and do not under two. */
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {Cluster} from './harness/cluster.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {MeshCli, findings} from './harness/mesh-cli.js';
import {meet} from './harness/meet.js';

const example = fileURLToPath(new URL('../../examples/two-clusters.sh', import.meta.url));

let setting: Setting;
let one: Cluster;
let two: Cluster;

beforeAll(async () => {
  setting = await startSetting({name: 'one'}, {name: 'two'});
  [one, two] = [at(setting.clusters, 0), at(setting.clusters, 1)];
});
afterAll(() => setting.sandbox.close());

it('makes a mesh of two clusters with examples/two-clusters.sh', async () => {
  await setting.cli.script(example, {
    MESH: 'mesh1',
    ...{CLUSTER_1: 'one', CTX_1: 'kwok-one', NETWORK_1: 'network1'},
    ...{CLUSTER_2: 'two', CTX_2: 'kwok-two', NETWORK_2: 'network1'},
  });
  const verdict = await setting.cli.verify();
  expect(findings(verdict)).toEqual([]);
  expect(verdict.code).toBe(0);
});

it('lets workloads of both clusters meet by mutual TLS, in both directions', async () => {
  expect(await meet(one, two)).toEqual({there: {ok: true}, back: {ok: true}});
});

it('control experiment: with a root of its own in one cluster, neither accepts the other', async () => {
  const other = new MeshCli(setting.sandbox, two.planes, {'kwok-two': two}, 'other');
  await other.must('certs', 'generate', 'two');
  const push = ['trust', 'push', 'two', '--context', 'kwok-two', '--yes'];
  // Two roots are what the rules of trust push are there to prevent.
  expect((await other.run(push)).code).toBe(5);
  await other.must(...push, '--allow-root-change', '--restart-istiod');
  const {there, back} = await meet(one, two);
  expect([there.ok, back.ok]).toEqual([false, false]);
  const verdict = await setting.cli.verify();
  expect(verdict.code).toBe(3);
  // The push came from another work directory: its journal is unknown here, which is reported with the other CA.
  expect(new Set(findings(verdict).map(({id, cluster}) => `${id} ${cluster ?? ''}`))).toEqual(
    new Set(['MESH301 two', 'MESH116 two']),
  );
});
