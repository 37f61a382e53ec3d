/** The guide's page on one cluster: as the five commands of the example script, and as `up`. */
import {X509Certificate} from 'node:crypto';
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {fileURLToPath} from 'node:url';
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import type {DataResource, Resource} from './harness/api.js';
import type {Cluster} from './harness/cluster.js';
import {at, changeTimes, startSetting, trustVersions, type Setting} from './harness/mesh.js';
import {MeshCli, findings} from './harness/mesh-cli.js';

const example = fileURLToPath(new URL('../../examples/first-cluster.sh', import.meta.url));
const secretKeys = ['ca-cert.pem', 'ca-key.pem', 'cert-chain.pem', 'root-cert.pem'];

let setting: Setting;
let alpha: Cluster;
let beta: Cluster;
let gamma: Cluster;
let byScript: MeshCli;
let byUp: MeshCli;

beforeAll(async () => {
  setting = await startSetting({name: 'alpha'}, {name: 'beta'}, {name: 'gamma'});
  [alpha, beta, gamma] = [at(setting.clusters, 0), at(setting.clusters, 1), at(setting.clusters, 2)];
  byScript = setting.cli;
  byUp = new MeshCli(setting.sandbox, alpha.planes, {[beta.context]: beta}, 'other');
});
afterAll(() => setting.sandbox.close());

/** What must be true of a cluster after the guide's page, however it was done. */
async function expectDone(cluster: Cluster, cli: MeshCli): Promise<void> {
  const pods = await cluster.kubectl('-n', 'istio-system', 'get', 'pods', '-o', 'jsonpath={.items[*].status.phase}');
  expect(pods.split(' ').length).toBeGreaterThanOrEqual(2);
  expect(new Set(pods.split(' '))).toEqual(new Set(['Running']));
  const secret = await cluster.api.get<DataResource>('/api/v1/namespaces/istio-system/secrets/cacerts');
  expect(Object.keys(secret.data ?? {}).sort()).toEqual(secretKeys);
  for (const key of secretKeys) {
    const onDisk = readFileSync(join(cli.workDir, cluster.name, key));
    expect(Buffer.from(secret.data?.[key] ?? '', 'base64').equals(onDisk)).toBe(true);
  }
  const bundle = await cluster.api.get<DataResource>('/api/v1/namespaces/default/configmaps/istio-ca-root-cert');
  expect(bundle.data?.['root-cert.pem']).toBe(readFileSync(join(cli.workDir, 'root-cert.pem'), 'utf8'));
  const namespace = await cluster.api.get<Resource>('/api/v1/namespaces/istio-system');
  expect(namespace.metadata.labels).toMatchObject({'topology.istio.io/network': 'network1'});
  const verdict = await cli.verify(cluster.name);
  expect(findings(verdict)).toEqual([]);
  expect([verdict.verdict, verdict.code]).toEqual(['ok', 0]);
}

describe('examples/first-cluster.sh', () => {
  const variables = {MESH: 'mesh1', CLUSTER_1: 'alpha', CTX_1: 'kwok-alpha', NETWORK_1: 'network1'};

  it('takes one cluster from nothing to proven, with the guide’s variables', async () => {
    await byScript.script(example, variables);
    await expectDone(alpha, byScript);
  });

  it('names the mesh and the cluster as the variables say', async () => {
    const environment = await alpha.kubectl(
      ...['-n', 'istio-system', 'get', 'deployment', 'istiod'],
      ...['-o', 'jsonpath={.spec.template.spec.containers[0].env[?(@.name=="CLUSTER_ID")].value}'],
    );
    expect(environment).toBe('alpha');
    const certificate = new X509Certificate(readFileSync(join(byScript.workDir, 'alpha', 'ca-cert.pem')));
    expect(certificate.subject).toContain('L=alpha');
  });

  it('changes neither files nor Secret nor namespace when it is run again', async () => {
    const files = changeTimes(byScript.workDir);
    const versions = await trustVersions(alpha);
    await byScript.script(example, variables);
    // Applying the same install.yaml again is a run of istioctl, and so an entry of the journal.
    expect({...changeTimes(byScript.workDir), 'journal.jsonl': 0}).toEqual({...files, 'journal.jsonl': 0});
    expect(await trustVersions(alpha)).toEqual(versions);
  });

  it('adds the next cluster of a loop to the same mesh', async () => {
    await byScript.script(example, {...variables, CLUSTER_1: 'gamma', CTX_1: 'kwok-gamma'});
    await expectDone(gamma, byScript);
    // The clusters do not read each other yet.
    expect(findings(await byScript.verify()).map(({id, result}) => `${id} ${result}`)).toEqual([
      'MESH501 error',
      'MESH501 error',
    ]);
    const [first, second] = ['alpha', 'gamma'].map((name) =>
      readFileSync(join(byScript.workDir, name, 'root-cert.pem')),
    );
    expect(first).toEqual(second);
  });

  it('needs the variables of the guide', async () => {
    await expect(byScript.script(example, {})).rejects.toThrow('MESH');
  });
});

describe('kubectl mesh up', () => {
  it('does the same in one command', async () => {
    await byUp.must('init', 'beta=kwok-beta');
    await byUp.must('up');
    await expectDone(beta, byUp);
    const named = (cli: MeshCli, cluster: string): string[] =>
      Object.keys(changeTimes(cli.workDir)).map((file) => file.replace(cluster, 'CLUSTER'));
    expect(named(byUp, 'beta')).toEqual(
      expect.arrayContaining(['CLUSTER/install.yaml', 'CLUSTER/ca-cert.pem', 'mesh.yaml']),
    );
  });

  it('changes neither files nor Secret nor namespace when it is run again', async () => {
    const files = changeTimes(byUp.workDir);
    const versions = await trustVersions(beta);
    await byUp.must('up');
    expect({...changeTimes(byUp.workDir), 'journal.jsonl': 0}).toEqual({...files, 'journal.jsonl': 0});
    expect(await trustVersions(beta)).toEqual(versions);
  });
});

describe('install apply of a second revision', () => {
  interface Applied {
    readonly clusters?: readonly {
      readonly outcome: string;
      readonly alsoChanges?: readonly string[];
      readonly error?: {readonly code: string};
    }[];
    readonly error?: {readonly code: string};
  }
  const apply = async (...flags: string[]): Promise<Applied> =>
    JSON.parse((await byUp.run(['install', 'apply', 'beta', ...flags, '-o', 'json'])).stdout) as Applied;
  const shared = 'the base objects and ingress gateway of revision default';

  it('is unchanged before the revision is declared', async () => {
    expect((await apply()).clusters).toMatchObject([{outcome: 'unchanged'}]);
  });

  it('names the objects that it takes from the first, and requires confirmation', async () => {
    const path = join(byUp.workDir, 'mesh.yaml');
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, `${text}istio:\n  revisions: [default, other]\n`);
    await byUp.must('install', 'render', 'beta');
    expect((await apply()).error?.code).toBe('CONFIRMATION_NEEDED');
    expect((await apply('-y')).clusters).toMatchObject([{outcome: 'done', alsoChanges: [shared]}]);
    const labels = await beta.kubectl(
      ...['-n', 'istio-system', 'get', 'deployment', 'istio-ingressgateway', '-o', 'jsonpath={.metadata.labels}'],
    );
    expect(JSON.parse(labels)).toMatchObject({'istio.io/rev': 'other'});
    expect((await apply()).clusters).toMatchObject([{outcome: 'unchanged'}]);
  });

  it('refuses the shared objects of another document', async () => {
    const objects = ['crd/virtualservices.networking.istio.io', 'deployment/istio-ingressgateway'];
    for (const object of objects) {
      const owner = 'install.operator.istio.io/owning-resource=another';
      await beta.kubectl('-n', 'istio-system', 'label', object, owner, '--overwrite');
    }
    expect((await apply('-y')).clusters).toMatchObject([{outcome: 'refused', error: {code: 'FOREIGN_OWNER'}}]);
    expect((await apply('-y', '--take-over')).clusters).toMatchObject([{outcome: 'done'}]);
    expect((await apply()).clusters).toMatchObject([{outcome: 'unchanged'}]);
  });
});
