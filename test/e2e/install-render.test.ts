/** What the real istioctl makes of our install.yaml, compared as structure; and of the guide's own document. */
import {mkdtempSync, rmSync, symlinkSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {parse, parseAllDocuments} from 'yaml';
import {program} from '../helpers/build-once.js';
import {controlPlanes} from './harness/control-planes.js';
import {type Ran, run} from './harness/processes.js';

interface Manifest {
  readonly kind: string;
  readonly metadata: {readonly name: string; readonly namespace?: string};
  readonly data?: Readonly<Record<string, string>>;
  readonly spec?: unknown;
}

interface Deployment {
  readonly template: {
    readonly spec: {
      readonly containers: readonly {readonly env: readonly {readonly name: string; readonly value?: string}[]}[];
    };
  };
}

let directory: string;
let istioctl: string;

beforeAll(async () => {
  istioctl = (await controlPlanes()).path('istioctl');
  directory = mkdtempSync(join(tmpdir(), 'km-render-'));
  symlinkSync(istioctl, join(directory, 'istioctl'));
});
afterAll(() => {
  rmSync(directory, {recursive: true, force: true});
});

/** `install render --output-file -` as a user would pipe it. */
async function render(meshYaml: string, cluster: string): Promise<string> {
  writeFileSync(join(directory, 'mesh.yaml'), `apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n${meshYaml}`);
  const args = ['install', 'render', cluster, '-w', directory, '--output-file', '-'];
  const env = {...process.env, PATH: `${directory}:${process.env.PATH ?? ''}`};
  const ran = await run(process.execPath, [program, ...args], {env});
  expect(ran).toMatchObject({code: 0});
  return ran.stdout;
}

function generate(document: string): Promise<Ran> {
  return run(istioctl, ['manifest', 'generate', '-f', '-'], {input: document});
}

async function manifests(meshYaml: string, cluster = 'alpha'): Promise<readonly Manifest[]> {
  const ran = await generate(await render(meshYaml, cluster));
  expect(ran).toMatchObject({code: 0});
  return documentsOf(ran.stdout);
}

function documentsOf(text: string): readonly Manifest[] {
  return parseAllDocuments(text)
    .map((one) => one.toJS() as Manifest | null)
    .filter((one) => one !== null);
}

function find(made: readonly Manifest[], kind: string, name: string): Manifest {
  const found = made.find((one) => one.kind === kind && one.metadata.name === name);
  if (!found) throw new Error(`istioctl made no ${kind} ${name}`);
  return found;
}

function environment(made: readonly Manifest[], name: string): Readonly<Record<string, string | undefined>> {
  const {template} = find(made, 'Deployment', name).spec as Deployment;
  return Object.fromEntries(template.spec.containers.flatMap(({env}) => env.map((one) => [one.name, one.value])));
}

const mesh = 'meshID: mesh1\nclusters:\n  - {name: alpha, network: network1}\n  - {name: beta, network: network1}\n';

describe('istioctl manifest generate of our install.yaml', () => {
  it('gives istiod its cluster name, and the switch for a second root', async () => {
    const env = environment(await manifests(mesh), 'istiod');
    expect(env).toMatchObject({CLUSTER_ID: 'alpha', ISTIO_MULTIROOT_MESH: 'true'});
  });

  it('puts trust domain and rotation readiness into the mesh configuration', async () => {
    const made = await manifests(`trustDomain: example.org\n${mesh}`);
    expect(parse(find(made, 'ConfigMap', 'istio').data?.mesh ?? '')).toMatchObject({
      trustDomain: 'example.org',
      defaultConfig: {meshId: 'mesh1', proxyMetadata: {PROXY_CONFIG_XDS_AGENT: 'true'}},
    });
  });

  it('injects mesh ID, network and cluster name into proxies', async () => {
    const values: unknown = JSON.parse(
      find(await manifests(mesh), 'ConfigMap', 'istio-sidecar-injector').data?.values ?? '',
    );
    expect(values).toMatchObject({
      global: {meshID: 'mesh1', network: 'network1', multiCluster: {clusterName: 'alpha'}},
    });
  });

  it('leaves rotation readiness out when mesh.yaml says so', async () => {
    const made = await manifests(`trust: {rotationReady: false}\n${mesh}`);
    expect(environment(made, 'istiod')).not.toHaveProperty('ISTIO_MULTIROOT_MESH');
    expect(find(made, 'ConfigMap', 'istio').data?.mesh).not.toContain('PROXY_CONFIG_XDS_AGENT');
  });

  it('installs a revision, another namespace and another profile', async () => {
    const istio = 'istio: {namespace: mesh-system, profile: minimal, revisions: [canary]}\n';
    const made = await manifests(`${istio}${mesh}`);
    expect(find(made, 'Deployment', 'istiod-canary').metadata.namespace).toBe('mesh-system');
    expect(made.some(({metadata}) => metadata.name === 'istio-ingressgateway')).toBe(false);
    expect(made.some(({metadata}) => metadata.namespace === 'istio-system')).toBe(false);
  });

  it('takes hostile names as text', async () => {
    const made = await manifests('meshID: "0123"\nclusters:\n  - {name: "on", network: "1e3"}\n', 'on');
    expect(environment(made, 'istiod')).toMatchObject({CLUSTER_ID: 'on'});
    const values: unknown = JSON.parse(find(made, 'ConfigMap', 'istio-sidecar-injector').data?.values ?? '');
    expect(values).toMatchObject({global: {meshID: '0123', network: '1e3', multiCluster: {clusterName: 'on'}}});
  });

  it('merges values and overlays', async () => {
    writeFileSync(join(directory, 'overlay.yaml'), 'spec: {meshConfig: {accessLogFile: /dev/stdout}}\n');
    const made = await manifests(`istio: {values: {pilot: {env: {MINE: "1"}}}, overlays: [overlay.yaml]}\n${mesh}`);
    expect(environment(made, 'istiod')).toMatchObject({MINE: '1', ISTIO_MULTIROOT_MESH: 'true'});
    expect(parse(find(made, 'ConfigMap', 'istio').data?.mesh ?? '')).toMatchObject({accessLogFile: '/dev/stdout'});
  });
});

describe('documents of 2020 and the istioctl of today', () => {
  it("refuses the form of 1.6, the guide's, which is why there are formats", async () => {
    const ran = await generate(await render(`istio: {version: "1.6"}\n${mesh}`, 'alpha'));
    expect(ran.code).toBe(1);
    // Which of the two fields it names is a matter of Go's map order.
    expect(ran.stderr).toMatch(/unknown field "(?:meshExpansion|trustDomain)"/);
  });

  it("takes the guide's own indentation for networks named endpoints and gateways, without a word", async () => {
    // The guide's install.yaml, without meshExpansion so that today's istioctl reads the rest of it.
    const guide = `apiVersion: install.istio.io/v1alpha1
kind: IstioOperator
spec:
  values:
    global:
      meshID: mesh1
      multiCluster:
        clusterName: alpha
      network: network1
      meshNetworks:
        network1:
        endpoints:
          - fromRegistry: alpha
        gateways:
          - registry_service_name: istio-ingressgateway.istio-system.svc.cluster.local
            port: 443
`;
    const ran = await generate(guide);
    expect(ran.code).toBe(0);
    const made = documentsOf(ran.stdout);
    const networks: unknown = parse(find(made, 'ConfigMap', 'istio').data?.meshNetworks ?? '');
    expect(networks).toMatchObject({
      networks: {endpoints: expect.any(Array) as unknown, gateways: expect.any(Array) as unknown},
    });
    expect(networks).not.toHaveProperty('networks.network1.endpoints');
  });
});
