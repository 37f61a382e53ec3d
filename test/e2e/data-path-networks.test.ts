/** Requests between two clusters on two networks, through the east-west gateways that the program makes. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {parse, stringify} from 'yaml';
import type {Cluster} from './harness/cluster.js';
import {startDataPath, type DataPath} from './harness/data-path/data-path.js';
import {installGatewayApi} from './harness/data-path/gateways.js';
import {askEcho, deployWorkloads, declareMesh, reachableClusters} from './harness/data-path/mesh-steps.js';
import {expectEvenSharesThroughGateways} from './harness/data-path/shares.js';
import {at} from './harness/mesh.js';

let path: DataPath;
let one: Cluster;
let two: Cluster;

beforeAll(async () => {
  path = await startDataPath({one: 'network1', two: 'network2'});
  [one, two] = [at(path.clusters, 0), at(path.clusters, 1)];
  await declareMesh(path, path.clusters);
  changeMesh((mesh) => ({
    ...mesh,
    istio: {...mesh.istio, overlays: [...(mesh.istio?.overlays ?? []), withoutGateway]},
  }));
  writeFileSync(
    join(path.cli.workDir, withoutGateway),
    stringify({spec: {components: {ingressGateways: [{name: 'istio-eastwestgateway', enabled: false}]}}}),
  );
  await applyMesh();
  await deployWorkloads(path);
});
afterAll(() => path.sandbox.close());

const withoutGateway = 'overlays/without-gateway.yaml';

interface MeshYaml {
  istio?: {overlays?: string[]};
  topology?: {gateway: string};
}

function changeMesh(change: (mesh: MeshYaml) => MeshYaml): void {
  const file = join(path.cli.workDir, 'mesh.yaml');
  writeFileSync(file, stringify(change(parse(readFileSync(file, 'utf8')) as MeshYaml)));
}

async function applyMesh(): Promise<void> {
  for (const command of ['certs generate', 'trust push --yes', 'install render', 'install apply --yes']) {
    await path.cli.must(...command.split(' '));
  }
}

it('without gateways, discovery alone does not make the other network answer', async () => {
  await path.cli.must('link');
  await expect.poll(() => reachableClusters(path, one), {timeout: 60_000}).toEqual(['one', 'two']);
  const load = await askEcho(path, one, {requests: 40, seconds: 5});
  expect(load.byCluster.one).toBeGreaterThan(0);
  expect(load.byCluster.two).toBeUndefined();
  const {made = 0, failed} = load.connections.two ?? {};
  expect(made).toBeGreaterThan(0);
  expect(failed).toBe(made);
});

it('through the gateways of install apply, each cluster answers half of the requests', async () => {
  changeMesh((mesh) => ({
    ...mesh,
    istio: {...mesh.istio, overlays: (mesh.istio?.overlays ?? []).filter((name) => name !== withoutGateway)},
  }));
  await applyMesh();
  for (const from of path.clusters) await expectEvenSharesThroughGateways(path, from, path.clusters);
  const again = await path.cli.must('install', 'apply', '--yes', '-o', 'json');
  expect(JSON.parse(again)).toMatchObject({
    clusters: [one, two].map(({name}) => ({
      name,
      outcome: 'unchanged',
      gateway: {applied: [], removed: [], addresses: [expect.stringMatching(/^10\.77\.0\./)]},
    })),
  });
});

it('through the gateways that istiod deploys instead, as well', async () => {
  for (const cluster of path.clusters) await installGatewayApi(cluster);
  changeMesh((mesh) => ({...mesh, topology: {gateway: 'gateway-api'}}));
  await applyMesh();
  for (const cluster of path.clusters) {
    const names = await cluster.kubectl('-n', 'istio-system', 'get', 'deployments', '-o', 'name');
    expect(names).toContain('deployment.apps/istio-eastwestgateway-istio');
    expect(names.split('\n')).not.toContain('deployment.apps/istio-eastwestgateway');
  }
  for (const from of path.clusters) await expectEvenSharesThroughGateways(path, from, path.clusters);
});
