/** `install render` and `install apply` in a mesh with two networks: the files and objects of the east-west gateways. */
import {readFile, rm, writeFile} from 'node:fs/promises';
import {existsSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {parse} from 'yaml';
import InstallApply from '../../src/commands/install/apply.js';
import InstallRender from '../../src/commands/install/render.js';
import type {ApplyResult} from '../../src/operations/install/report-apply.js';
import type {RenderResult} from '../../src/operations/install/render.js';
import {startFakeIstioctl, type FakeIstioctl} from '../helpers/fake-istioctl/fake-istioctl.js';
import {installInto, istioGateways} from '../helpers/fake-istioctl/installed-istiod.js';
import type {FakeCluster, FakeObject} from '../helpers/fake-kubectl/fake-cluster.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {putCacerts, textsOf, trustMesh, type TrustMesh} from '../helpers/trust-mesh.js';
import {eastWestService} from '../helpers/verify-networks.js';

const names = ['c1', 'c2'] as const;
let mesh: TrustMesh;
let istioctl: FakeIstioctl;

beforeEach(async () => {
  mesh = await trustMesh([...names], {yaml: 'meshID: mesh1\n', clusterYaml: '    network: network1\n'});
  await changeMesh((text) => text.replace(/(name: c2[^]*?)network1/, '$1network2'));
  istioctl = await startFakeIstioctl(mesh.kube.bin);
  istioctl.answer = installInto(mesh.kube, istioctl);
  for (const name of names) {
    putCacerts(mesh.cluster(name), textsOf(mesh.bundle(name)));
    mesh.cluster(name).put(service(name));
  }
  expect((await render()).code).toBe(0);
});

afterEach(async () => {
  await istioctl.stop();
  await mesh.stop();
});

const render = (...argv: string[]): Promise<CommandRun> => runCommand(InstallRender, [...argv, '-o', 'json'], mesh.env);
const apply = (...argv: string[]): Promise<CommandRun> => runCommand(InstallApply, [...argv, '-o', 'json'], mesh.env);
const applied = (run: CommandRun): ApplyResult => answerOf(run) as ApplyResult;
const gatewayFile = (name: string): string => join(mesh.dir, name, 'cross-network-gateway.yaml');
const crossNetwork = (name: string): FakeObject | undefined =>
  mesh.cluster(name).get('Gateway', 'istio-system/cross-network-gateway');

async function changeMesh(change: (text: string) => string): Promise<void> {
  const file = join(mesh.dir, 'mesh.yaml');
  const before = await readFile(file, 'utf8');
  const after = change(before);
  expect(after).not.toBe(before);
  await writeFile(file, after);
}

/** The labels of objects of the gateway's component. */
const installed = {
  'install.operator.istio.io/owning-resource': 'kubectl-mesh',
  'operator.istio.io/managed': 'Reconcile',
  'operator.istio.io/component': 'IngressGateways',
  'istio.io/rev': 'default',
};

/** The Service that the gateway's component has, with an address. */
function service(
  name: string,
  ingress: readonly {readonly ip: string}[] = [{ip: `192.0.2.${name.slice(1)}`}],
): FakeObject {
  const {metadata, ...service} = eastWestService(name === 'c1' ? 'network1' : 'network2');
  const managedFields = [{manager: 'istio-operator', operation: 'Apply', time: '2026-01-01T00:00:00Z', fieldsV1: {}}];
  return {
    ...service,
    metadata: {...metadata, labels: {...metadata.labels, istio: 'eastwestgateway', ...installed}, managedFields},
    status: {loadBalancer: {ingress}},
  };
}

/** The metadata that shows that a cluster serves the Gateway API. */
const definition: FakeObject = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: {name: 'gateways.gateway.networking.k8s.io'},
  spec: {versions: [{name: 'v1', served: true}]},
};

const oneNetwork = (text: string): string => text.replace('network2', 'network1');
const gatewayApi = (text: string): string => `${text}topology: {gateway: gateway-api}\n`;

describe('install render', () => {
  it('writes the cross-network Gateway beside install.yaml, and changes nothing when run again', async () => {
    for (const name of names) {
      expect(parse(await readFile(gatewayFile(name), 'utf8'))).toMatchObject({
        kind: 'Gateway',
        metadata: {name: 'cross-network-gateway', namespace: 'istio-system'},
      });
    }
    const again = answerOf(await render()) as RenderResult;
    expect(again.clusters).toMatchObject(names.map(() => ({outcome: 'unchanged', gateway: {change: 'unchanged'}})));
  });

  it('saves an edited file, and writes it again', async () => {
    const before = await readFile(gatewayFile('c1'), 'utf8');
    await writeFile(gatewayFile('c1'), before.replace('*.local', '*.mine'));
    const {clusters} = answerOf(await render()) as RenderResult;
    const {kept = ''} = clusters[0]?.gateway ?? {};
    expect(await readFile(join(mesh.dir, kept), 'utf8')).toContain('*.mine');
    expect(await readFile(gatewayFile('c1'), 'utf8')).toBe(before);
  });

  it('removes the file when the mesh has one network, but no file of another origin', async () => {
    await changeMesh(oneNetwork);
    await writeFile(gatewayFile('c2'), 'kind: Gateway\n');
    const {clusters} = answerOf(await render()) as RenderResult;
    expect(clusters.map(({gateway}) => gateway?.change)).toEqual(['removed', undefined]);
    expect(names.map((name) => existsSync(gatewayFile(name)))).toEqual([false, true]);
  });
});

describe('install apply', () => {
  it('applies the Gateway after istioctl, reports the address, and changes nothing when run again', async () => {
    const run = await apply('--yes');
    expect(run.code).toBe(0);
    expect(applied(run).clusters).toMatchObject([
      {outcome: 'done', gateway: {applied: ['Gateway istio-system/cross-network-gateway'], addresses: ['192.0.2.1']}},
      {outcome: 'done', gateway: {addresses: ['192.0.2.2']}},
    ]);
    expect(crossNetwork('c1')).toMatchObject({
      metadata: {labels: {'app.kubernetes.io/managed-by': 'kubectl-mesh'}},
      spec: {servers: [{tls: {mode: 'AUTO_PASSTHROUGH'}}]},
    });
    const writes = mesh.cluster('c1').writes.length;
    const again = await apply('--yes');
    expect(applied(again).clusters.map(({outcome}) => outcome)).toEqual(['unchanged', 'unchanged']);
    expect([again.code, mesh.cluster('c1').writes.length]).toEqual([0, writes]);
  });

  it('restores a Gateway that was changed, without istioctl', async () => {
    await apply('--yes');
    const calls = istioctl.calls.filter(({args}) => args[0] === 'install').length;
    const changed = crossNetwork('c2');
    if (changed === undefined) throw new Error('there is no Gateway');
    mesh.cluster('c2').put({...changed, spec: {selector: {}, servers: []}});
    const run = await apply('--yes');
    expect([run.code, applied(run).clusters.map(({outcome}) => outcome)]).toEqual([0, ['unchanged', 'done']]);
    expect(crossNetwork('c2')).toMatchObject({spec: {selector: {istio: 'eastwestgateway'}}});
    expect(istioctl.calls.filter(({args}) => args[0] === 'install')).toHaveLength(calls);
  });

  it('fails if the gateway gets no address, names the Service, and continues once it has one', async () => {
    mesh.cluster('c1').put(service('c1', []));
    const run = await apply('c1', '--yes', '--readiness-timeout', '1s');
    expect([run.code, applied(run).clusters[0]]).toMatchObject([1, {outcome: 'failed', error: {code: 'NOT_READY'}}]);
    expect(crossNetwork('c1')).toBeDefined();
    mesh.cluster('c1').put(service('c1'));
    const again = await apply('c1', '--yes');
    expect([again.code, applied(again).clusters[0]?.gateway?.addresses]).toEqual([0, ['192.0.2.1']]);
  });

  it('refuses a file that was edited or is missing', async () => {
    await rm(gatewayFile('c1'));
    await writeFile(gatewayFile('c2'), 'kind: Gateway\n');
    const run = await apply('--yes');
    expect(applied(run).clusters.map(({error}) => error?.code)).toEqual(['FILE_MISSING', 'STALE_INSTALL']);
    expect(istioctl.calls.filter(({args}) => args[0] === 'install')).toEqual([]);
  });

  it('refuses a different Gateway of another tool without --take-over, before istioctl runs', async () => {
    mesh.cluster('c1').put(istioGateways);
    mesh.cluster('c1').put({
      apiVersion: 'networking.istio.io/v1alpha3',
      kind: 'Gateway',
      metadata: {name: 'cross-network-gateway', namespace: 'istio-system'},
      spec: {selector: {app: 'other'}, servers: []},
    });
    const refused = await apply('c1', '--yes');
    expect([refused.code, applied(refused).clusters[0]?.error?.code]).toEqual([5, 'FOREIGN_OWNER']);
    expect(istioctl.calls.filter(({args}) => args[0] === 'install')).toEqual([]);
    expect((await apply('c1', '--yes', '--take-over')).code).toBe(0);
    expect(crossNetwork('c1')).toMatchObject({spec: {selector: {istio: 'eastwestgateway'}}});
  });

  it('deletes its Gateway when the mesh has one network, after confirmation', async () => {
    await apply('--yes');
    await changeMesh(oneNetwork);
    await render();
    const unconfirmed = await apply();
    expect([unconfirmed.code, crossNetwork('c1') === undefined]).toEqual([5, false]);
    const run = await apply('--yes');
    expect(run.code).toBe(0);
    expect(names.map(crossNetwork)).toEqual([undefined, undefined]);
  });

  it('changes to a Kubernetes Gateway only where its API is served', async () => {
    await apply('--yes');
    await changeMesh(gatewayApi);
    await render();
    const refused = await apply('c1', '--yes');
    expect([refused.code, applied(refused).clusters[0]?.error?.code]).toEqual([5, 'GATEWAY_API_MISSING']);
    mesh.cluster('c1').put(definition);
    expect((await apply('c1', '--yes')).code).toBe(0);
    expect(crossNetwork('c1')).toBeUndefined();
    expect(mesh.cluster('c1').get('Gateway', 'istio-system/istio-eastwestgateway')).toMatchObject({
      apiVersion: 'gateway.networking.k8s.io/v1',
    });
  });

  it('changes no Gateway if another cluster is refused', async () => {
    await apply('--yes');
    const changed = crossNetwork('c1');
    if (changed === undefined) throw new Error('there is no Gateway');
    mesh.cluster('c1').put({...changed, spec: {selector: {}, servers: []}});
    await writeFile(join(mesh.dir, 'c2', 'install.yaml'), 'kind: IstioOperator\n');
    const run = await apply('--yes');
    expect([run.code, applied(run).clusters.map(({outcome}) => outcome)]).toEqual([5, ['unchanged', 'refused']]);
    expect(crossNetwork('c1')).toMatchObject({spec: {servers: []}});
    expect((await apply('--yes', '--keep-going')).code).toBe(5);
    expect(crossNetwork('c1')).toMatchObject({spec: {selector: {istio: 'eastwestgateway'}}});
  });

  it('reports what was installed although the gateway of another cluster fails', async () => {
    const istio = installInto(mesh.kube, istioctl);
    // The right is lost while istioctl runs.
    istioctl.answer = (call) => {
      denyGateways(mesh.cluster('c1'));
      return istio(call);
    };
    const run = await apply('--yes');
    expect(run.code).not.toBe(0);
    expect(applied(run).clusters).toMatchObject([
      {outcome: 'failed', error: {code: 'FORBIDDEN'}},
      {outcome: 'done', gateway: {outcome: 'skipped', applied: []}},
    ]);
  });

  it('deletes the Deployment of another network before istioctl runs, after confirmation', async () => {
    await apply('--yes');
    const deployment = (network: string): FakeObject => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: {
        name: 'istio-eastwestgateway',
        namespace: 'istio-system',
        labels: {'topology.istio.io/network': network, ...installed},
      },
    });
    const find = (): FakeObject | undefined =>
      mesh.cluster('c2').get('Deployment', 'istio-system/istio-eastwestgateway');
    mesh.cluster('c2').put(deployment('network2'));
    await changeMesh((text) => text.replace('network2', 'net-b'));
    await render();
    expect([(await apply('c2')).code, find() === undefined]).toEqual([5, false]);
    const istio = installInto(mesh.kube, istioctl);
    const seen: boolean[] = [];
    istioctl.answer = (call) => {
      seen.push(find() !== undefined);
      return istio(call);
    };
    await apply('c2', '--yes');
    expect(seen.at(-1)).toBe(false);
  });

  it('validates in a server dry run what it can, before Istio is installed', async () => {
    const run = await apply('--dry-run=server');
    expect([run.code, names.map(crossNetwork)]).toEqual([0, [undefined, undefined]]);
  });

  it('warns in a mesh with one network if a leftover cannot be determined', async () => {
    await apply('--yes');
    await changeMesh(oneNetwork);
    await render();
    denyGateways(mesh.cluster('c1'));
    const {warnings} = applied(await apply('c1', '--yes'));
    expect(warnings).toContainEqual(expect.objectContaining({cluster: 'c1'}));
  });

  it('shows in a dry run what it would apply, and applies nothing', async () => {
    const run = await apply('--dry-run');
    expect(run.code).toBe(0);
    expect(applied(run).clusters[0]).toMatchObject({
      outcome: 'skipped',
      gateway: {applied: ['Gateway istio-system/cross-network-gateway']},
    });
    expect(names.map(crossNetwork)).toEqual([undefined, undefined]);
  });

  it('names the missing right', async () => {
    mesh.cluster('c1').put(istioGateways);
    denyGateways(mesh.cluster('c1'));
    const run = await apply('c1', '--yes');
    expect([run.code, applied(run).clusters[0]?.error]).toMatchObject([4, {code: 'FORBIDDEN'}]);
    expect(istioctl.calls.filter(({args}) => args[0] === 'install')).toEqual([]);
  });
});

function denyGateways(cluster: FakeCluster): void {
  cluster.deny({resource: 'gateways'});
}
