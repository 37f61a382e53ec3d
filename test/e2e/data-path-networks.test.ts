/** Requests between two clusters on two networks, through the east-west gateways that the program installs. */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {parse, stringify} from 'yaml';
import type {Cluster} from './harness/cluster.js';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {installGatewayApi} from './harness/data-path/gateways.js';
import {adaptExample, askEcho, deployWorkloads, reachableClusters} from './harness/data-path/mesh-steps.js';
import {expectEvenSharesThroughGateways} from './harness/data-path/shares.js';
import {reachedPairs} from './harness/data-path/traffic.js';
import {comparable, documentedOutput} from './harness/documented-output.js';
import {at} from './harness/mesh.js';

const example = fileURLToPath(new URL('../../examples/multi-primary-two-networks/', import.meta.url));

let path: DataPath;

beforeAll(async () => {
  path = await startDataPath({cluster1: 'network1', cluster2: 'network2'});
  adaptExample(path, readFileSync(join(example, 'mesh.yaml'), 'utf8'));
  await path.cli.script(join(example, 'run.sh'), {});
  await deployWorkloads(path);
});
afterAll(() => path.sandbox.close());

interface MeshYaml {
  readonly istio?: {readonly overlays?: readonly string[]};
  readonly topology?: {readonly gateway: string};
}

/** Changes mesh.yaml, and applies what follows from it. */
async function change(edit: (mesh: MeshYaml) => MeshYaml): Promise<void> {
  const file = join(path.cli.workDir, 'mesh.yaml');
  writeFileSync(file, stringify(edit(parse(readFileSync(file, 'utf8')) as MeshYaml)));
  await path.cli.must('install', 'render');
  await path.cli.must('install', 'apply', '--yes');
}

/** The names of the Deployments in Istio's namespace, without the workloads of the tests. */
async function deployments(cluster: Cluster): Promise<readonly string[]> {
  const names = await cluster.kubectl('-n', 'istio-system', 'get', 'deployments', '-o', 'name');
  return names
    .trim()
    .split('\n')
    .map((name) => name.replace('deployment.apps/', ''))
    .sort();
}

it('made by examples/multi-primary-two-networks, each cluster answers half of the requests of every client', async () => {
  for (const from of path.clusters) await expectEvenSharesThroughGateways(path, from, path.clusters);
  const again = await path.cli.must('install', 'apply', '--yes', '-o', 'json');
  expect(JSON.parse(again)).toMatchObject({
    clusters: path.clusters.map(({name}) => ({
      name,
      outcome: 'unchanged',
      gateway: {applied: [], removed: [], addresses: [expect.stringMatching(/^10\.77\.0\./)]},
    })),
  });
});

it('verify --traffic reports the same, as the documentation shows', async () => {
  const output = await path.cli.must('verify', '--traffic', '--only', 'MESH6');
  expect(comparable(output)).toBe(documentedOutput('traffic', 'verify.md'));
});

it('through gateways that istiod deploys instead, as well', async () => {
  for (const cluster of path.clusters) await installGatewayApi(cluster);
  await change((mesh) => ({...mesh, topology: {gateway: 'gateway-api'}}));
  for (const cluster of path.clusters) {
    expect(await deployments(cluster)).toEqual(['istio-eastwestgateway-istio', 'istio-ingressgateway', 'istiod']);
  }
  for (const from of path.clusters) await expectEvenSharesThroughGateways(path, from, path.clusters);
});

it('without gateways, discovery alone does not make the other network answer', async () => {
  const overlay = 'overlays/without-gateway.yaml';
  const disabled = {spec: {components: {ingressGateways: [{name: 'istio-eastwestgateway', enabled: false}]}}};
  mkdirSync(join(path.cli.workDir, 'overlays'), {recursive: true});
  writeFileSync(join(path.cli.workDir, overlay), stringify(disabled));
  await change((mesh) => ({...mesh, istio: {...mesh.istio, overlays: [...(mesh.istio?.overlays ?? []), overlay]}}));
  const [one, two] = [at(path.clusters, 0), at(path.clusters, 1)];
  await expect.poll(() => deployments(one), {timeout: 60_000}).toEqual(['istio-ingressgateway', 'istiod']);
  await expect.poll(() => reachableClusters(path, one), {timeout: 60_000}).toEqual([one.name, two.name]);
  const load = await askEcho(path, one, {requests: 40, seconds: 5});
  expect(load.byCluster[one.name]).toBeGreaterThan(0);
  expect(load.byCluster[two.name]).toBeUndefined();
  const {made = 0, failed} = load.connections[two.name] ?? {};
  expect(made).toBeGreaterThan(0);
  expect(failed).toBe(made);
  expect(await reachedPairs(path)).toEqual(['cluster1 cluster1', 'cluster2 cluster2']);
});
