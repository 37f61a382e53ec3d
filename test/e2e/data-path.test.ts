/**
 * Requests through real Envoys between two clusters on one network, made by the example: what discovery means for them, what one
 * root means, and what two mean.
 */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import type {Cluster} from './harness/cluster.js';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {shareOf} from './harness/data-path/load.js';
import {
  adaptExample,
  askEcho,
  awaitReachable,
  deployWorkloads,
  echoUpstream,
  restartEcho,
  startEchoLoad,
} from './harness/data-path/mesh-steps.js';
import {certificatesOf, endpointsOf} from './harness/data-path/proxy.js';
import {expectEven, expectEvenShares} from './harness/data-path/shares.js';
import {clientLabels, echo, echoLabels} from './harness/data-path/workloads.js';
import {comparable, documentedOutput} from './harness/documented-output.js';
import {at} from './harness/mesh.js';
import {MeshCli} from './harness/mesh-cli.js';
import {eventually} from './harness/processes.js';

const example = fileURLToPath(new URL('../../examples/multi-primary-one-network/', import.meta.url));

let path: DataPath;
let one: Cluster;
let two: Cluster;

beforeAll(async () => {
  path = await startDataPath({cluster1: 'network1', cluster2: 'network1'});
  [one, two] = [at(path.clusters, 0), at(path.clusters, 1)];
  adaptExample(path, readFileSync(join(example, 'mesh.yaml'), 'utf8'));
  await path.cli.script(join(example, 'run.sh'), {});
  await deployWorkloads(path);
});
afterAll(() => path.sandbox.close());

it('made by examples/multi-primary-one-network, each cluster answers half of the requests of every client', async () => {
  for (const cluster of path.clusters) await expectEvenShares(path, cluster, path.clusters);
});

it('without discovery, only the own cluster answers; link and unlink print what the documentation shows', async () => {
  expect(comparable(await path.cli.must('unlink', 'cluster2', '--yes'))).toBe(documentedOutput('unlink'));
  for (const cluster of path.clusters) await expectEvenShares(path, cluster, [cluster]);
  expect(comparable(await path.cli.must('link'))).toBe(documentedOutput('link'));
  await awaitReachable(path, one, path.clusters);
});

it('while the CAs of both clusters are rotated, no request fails and no share changes; new certificates meet old ones', async () => {
  const loads = await Promise.all(path.clusters.map((cluster) => startEchoLoad(path, cluster)));
  const client = await path.node(one).readyPod(echo.namespace, clientLabels);
  const {roots} = await certificatesOf(client);
  const output = await path.cli.must('trust', 'rotate', 'cluster-ca', '--yes');
  const answers = await Promise.all(loads.map((load) => load.stop()));
  for (const load of answers) {
    expect(load.failures).toEqual({});
    expect(load.sent).toBeGreaterThan(1000);
    expectEven(load, path.clusters);
    for (const {name} of path.clusters) expect(load.connections[name]).toMatchObject({failed: 0});
  }
  process.stderr.write(
    `requests during the rotation: ${answers.map(({sent}) => String(sent)).join(' + ')}, 0 failed\n`,
  );
  expect(comparable(output)).toBe(documentedOutput('rotate', 'trust.md'));
  // A pod that starts now has a certificate under the new CA, and the same root.
  const restarted = await restartEcho(path, two);
  expect((await certificatesOf(restarted)).roots).toEqual(roots);
  for (const cluster of path.clusters) await expectEvenShares(path, cluster, path.clusters);
});

it('with another root in one cluster, its share of the responses drops to almost nothing, without many errors', async () => {
  const client = await path.node(one).readyPod(echo.namespace, clientLabels);
  const before = await path.node(two).readyPod(echo.namespace, echoLabels);
  const {roots} = await certificatesOf(client);
  expect((await certificatesOf(before)).roots).toEqual(roots);
  const other = new MeshCli(path.sandbox, two.planes, {[two.context]: two}, 'other');
  await other.must('certs', 'generate', 'cluster2');
  await other.must(
    'trust',
    'push',
    'cluster2',
    '--context',
    two.context,
    '--yes',
    '--allow-root-change',
    '--restart-istiod',
  );
  // A running proxy keeps its certificate until it expires.
  const after = await restartEcho(path, two);
  expect((await certificatesOf(after)).roots).not.toEqual(roots);
  await eventually('the endpoint of the new pod', async () => {
    const endpoints = await endpointsOf(client, path.fabric, echoUpstream);
    return endpoints.some(({address}) => address === `${after.address}:${String(echo.port)}`) || undefined;
  });
  const load = await askEcho(path, one, {requests: 400, seconds: 60});
  expect(shareOf(load, 'cluster2')).toBeLessThan(0.05);
  expect(shareOf(load, 'cluster1')).toBeGreaterThan(0.95);
  // What counting errors would have shown: Envoy tries again, and the other cluster answers.
  expect(load.byCluster.cluster1 ?? 0).toBeGreaterThan(0.9 * load.sent);
  expect(load.connections.cluster2?.failed).toBeGreaterThan(10);
});
