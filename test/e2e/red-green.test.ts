/**
 * What goes wrong in the field, each on real control planes: red with the right check and exit code, and green again after
 * the command that the finding names, typed as it is printed.
 */
import {mkdirSync, readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterEach, beforeAll, beforeEach, describe, expect, it} from 'vitest';
import {interceptSecrets} from './harness/admission.js';
import type {DataResource, Resource} from './harness/api.js';
import {writeKubeconfigWithToken, type Cluster} from './harness/cluster.js';
import {controlPlanes} from './harness/control-planes.js';
import {at, startSetting, trustVersions, type Setting} from './harness/mesh.js';
import {findings, type CheckRow, type MeshCli, type Verdict} from './harness/mesh-cli.js';
import {eventually, output} from './harness/processes.js';

let setting: Setting;
let cli: MeshCli;
let cluster: Cluster;

// The first build takes longer than a test may.
beforeAll(async () => {
  await controlPlanes();
});
afterEach(() => setting.sandbox.close());

/** Makes clusters a mesh, up to where the test begins. */
async function begin(...options: Parameters<typeof startSetting>): Promise<void> {
  setting = await startSetting(...options);
  cli = setting.cli;
  cluster = at(setting.clusters, 0);
  await cli.must('init', ...setting.clusters.map(({name, context}) => `${name}=${context}`));
}

/** The one finding that everything else follows from. */
function theFinding(verdict: Verdict, id: string): CheckRow {
  const found = findings(verdict);
  expect([...new Set(found.map((row) => row.id))]).toEqual([id]);
  return at(found, 0);
}

/** Types the fix as it is printed, and waits for green. */
async function fixWith(finding: CheckRow): Promise<void> {
  const fix = finding.fix ?? '';
  const {code, stdout, stderr} = await cli.shell(fix);
  expect(code, `${fix}\n${stdout}${stderr}`).toBe(0);
  await expectGreen();
}

async function expectGreen(): Promise<void> {
  const verdict = await cli.verify('--wait', '--timeout', '2m');
  expect(findings(verdict)).toEqual([]);
  expect([verdict.verdict, verdict.code]).toEqual(['ok', 0]);
}

/** The guide's own way to put files into Secret cacerts, without us. */
async function createSecretByHand(directory: string): Promise<void> {
  const files = ['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem'];
  const from = files.map((file) => `--from-file=${join(directory, file)}`);
  await cluster.kubectl('-n', 'istio-system', 'delete', 'secret', 'cacerts', '--ignore-not-found');
  await cluster.kubectl('-n', 'istio-system', 'create', 'secret', 'generic', 'cacerts', ...from);
}

/** A root and cluster CA that have nothing to do with the mesh. */
async function makeForeignCa(): Promise<string> {
  const directory = join(setting.sandbox.dir, 'foreign');
  mkdirSync(directory);
  const openssl = (...args: string[]): Promise<string> => output('openssl', args, {cwd: directory});
  const key = ['ecparam', '-name', 'prime256v1', '-genkey', '-noout', '-out'];
  await openssl(...key, 'root-key.pem');
  await openssl(
    ...['req', '-x509', '-new', '-key', 'root-key.pem', '-subj', '/O=Foreign/CN=Root', '-days', '900'],
    ...['-addext', 'keyUsage=critical,keyCertSign,cRLSign', '-out', 'root-cert.pem'],
  );
  await openssl(...key, 'ca-key.pem');
  await openssl('req', '-new', '-key', 'ca-key.pem', '-subj', '/O=Foreign/CN=CA', '-out', 'ca.csr');
  writeFileSync(
    join(directory, 'extensions'),
    'basicConstraints=critical,CA:true,pathlen:0\nkeyUsage=critical,keyCertSign,cRLSign,digitalSignature\n',
  );
  await openssl(
    ...['x509', '-req', '-in', 'ca.csr', '-CA', 'root-cert.pem', '-CAkey', 'root-key.pem', '-CAcreateserial'],
    ...['-days', '700', '-extfile', 'extensions', '-out', 'ca-cert.pem'],
  );
  await output('sh', ['-c', 'cat ca-cert.pem root-cert.pem > cert-chain.pem'], {cwd: directory});
  return directory;
}

describe('trust', () => {
  it('another root in one cluster: MESH301, and the push it names makes it green', async () => {
    await begin({name: 'c1'});
    await cli.must('up');
    const foreign = await makeForeignCa();
    await createSecretByHand(foreign);
    await cluster.kubectl('-n', 'istio-system', 'rollout', 'restart', 'deployment/istiod');
    await cluster.kubectl('-n', 'istio-system', 'rollout', 'status', 'deployment/istiod');
    const foreignRoot = readFileSync(join(foreign, 'root-cert.pem'), 'utf8');
    // The new istiod publishes its bundle when it has taken over its predecessor's lease.
    await eventually('the foreign bundle', async () => {
      const path = '/api/v1/namespaces/default/configmaps/istio-ca-root-cert';
      return (await cluster.api.find<DataResource>(path))?.data?.['root-cert.pem'] === foreignRoot || undefined;
    });
    const verdict = await cli.verify();
    expect([verdict.verdict, verdict.code]).toEqual(['error', 3]);
    await fixWith(theFinding(verdict, 'MESH301'));
  });

  it('istiod self-signed, because cacerts came late: MESH304, and the restart it names makes it green', async () => {
    await begin({name: 'c1'});
    await cli.must('certs', 'generate');
    await cli.must('install', 'render');
    await cluster.kubectl('create', 'namespace', 'istio-system');
    await cluster.istioctl('install', '-f', join(cli.workDir, 'c1', 'install.yaml'), '-y');
    await eventually('the self-signed root', () =>
      cluster.api.find<DataResource>('/api/v1/namespaces/istio-system/configmaps/istio-ca-root-cert'),
    );
    await createSecretByHand(join(cli.workDir, 'c1'));
    await cluster.kubectl('label', 'namespace', 'istio-system', 'topology.istio.io/network=network1');
    const verdict = await cli.verify();
    expect(verdict.code).toBe(3);
    await fixWith(theFinding(verdict, 'MESH304'));
  });
});

describe('control plane', () => {
  it('no nodes: nothing Running, MESH402; green when there are some', async () => {
    await begin({name: 'c1', nodes: 0});
    await cli.must('certs', 'generate');
    await cli.must('trust', 'push');
    await cli.must('install', 'render');
    const applied = await cli.run(['install', 'apply', '--timeout', '30s']);
    expect([1, 124]).toContain(applied.code);
    const verdict = await cli.verify();
    expect(verdict.code).toBe(3);
    expect(findings(verdict).map(({id}) => id)).toContain('MESH402');
    await cluster.scaleNodes(2);
    await cli.must('install', 'apply');
    await expectGreen();
  });

  it('apply without cacerts is refused, and nothing is installed', async () => {
    await begin({name: 'c1'});
    await cli.must('certs', 'generate');
    await cli.must('install', 'render');
    const applied = await cli.run(['install', 'apply', '-o', 'json']);
    expect(applied.code).toBe(5);
    expect(applied.stdout).toContain('NO_CACERTS');
    const deployments = await cluster.api.list<Resource>('/apis/apps/v1/deployments');
    expect(deployments).toEqual([]);
    await cli.must('trust', 'push');
    await cli.must('install', 'apply');
    await expectGreen();
  });
});

describe('access', () => {
  it('a service account that may not read Secrets: unknown (4), and the right that is missing is named', async () => {
    await begin({name: 'c1'});
    await cli.must('up');
    await cluster.kubectl('create', 'serviceaccount', 'auditor');
    await cluster.kubectl(
      'create',
      'clusterrolebinding',
      'auditor',
      '--clusterrole=view',
      '--serviceaccount=default:auditor',
    );
    writeKubeconfigWithToken(cli.kubeconfig, cluster, await cluster.api.token('default', 'auditor'));
    const verdict = await cli.verify();
    expect([verdict.verdict, verdict.code]).toEqual(['unknown', 4]);
    const unknown = verdict.checks.filter(({result}) => result === 'unknown');
    expect(unknown.map(({id}) => id)).toEqual(expect.arrayContaining(['MESH202', 'MESH301']));
    expect(JSON.stringify(unknown)).toMatch(/secrets/);
    expect(verdict.checks.filter(({result}) => result === 'error')).toEqual([]);
    const right = ['--clusterrole=cluster-admin', '--serviceaccount=default:auditor'];
    await cluster.kubectl('create', 'clusterrolebinding', 'auditor-admin', ...right);
    await expectGreen();
  });

  it('API server stopped: unknown (4), never ok; green when it is back', async () => {
    await begin({name: 'c1'});
    await cli.must('up');
    await cluster.stop();
    const verdict = await cli.verify();
    expect([verdict.verdict, verdict.code]).toEqual(['unknown', 4]);
    expect(findings(verdict).map(({id}) => id)).toContain('MESH201');
    expect((await cli.run(['trust', 'push'])).code).toBe(4);
    await cluster.start();
    await expectGreen();
  });

  it('a context renamed to another cluster: refused (5), nothing written', async () => {
    await begin({name: 'c1'}, {name: 'c2'});
    const [c1, c2] = [at(setting.clusters, 0), at(setting.clusters, 1)];
    await cli.must('certs', 'generate');
    await cli.must('trust', 'push');
    cli.useContexts({'kwok-c1': c2, 'kwok-c2': c1});
    // Something to write, so that only the rule holds it back.
    await cli.must('certs', 'generate', '--renew', '--yes');
    const before = [await trustVersions(c1), await trustVersions(c2)];
    const pushed = await cli.run(['trust', 'push', '--yes', '--allow-root-change', '-o', 'json']);
    expect(pushed.code).toBe(5);
    expect(pushed.stdout).toContain('UID_MISMATCH');
    expect([await trustVersions(c1), await trustVersions(c2)]).toEqual(before);
    expect((await cli.verify()).checks.filter(({id, result}) => id === 'MESH203' && result === 'error')).toHaveLength(
      2,
    );
    cli.useContexts({'kwok-c1': c1, 'kwok-c2': c2});
    await cli.must('trust', 'push', '--yes');
  });
});

describe('a push that is killed', () => {
  beforeEach(async () => {
    await begin({name: 'c1'}, {name: 'c2'});
    await cli.must('certs', 'generate');
  });

  it('between two clusters leaves one done and one untouched, and running it again does the rest', async () => {
    const [c1, c2] = [at(setting.clusters, 0), at(setting.clusters, 1)];
    const written = async (on: Cluster): Promise<boolean> => (await trustVersions(on)).cacerts !== undefined;
    let kill: (() => void) | undefined;
    await interceptSecrets(c2, () => {
      const isFirst = kill !== undefined;
      kill?.();
      kill = undefined;
      return !isFirst;
    });
    const killed = await cli.run(['trust', 'push', '--concurrency', '1'], {
      ownGroup: true,
      onStart: (child) => {
        kill = () => child.kill('SIGKILL');
      },
    });
    expect(killed.signal).toBe('SIGKILL');
    expect([await written(c1), await written(c2)]).toEqual([true, false]);
    const first = await trustVersions(c1);
    await cli.must('trust', 'push');
    expect((await trustVersions(c1)).cacerts).toBe(first.cacerts);
    expect(await written(c2)).toBe(true);
    await cli.must('up');
    await expectGreen();
  });
});
