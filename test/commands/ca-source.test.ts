/** The CA that istiod mounts is not always Secret cacerts: verify, trust diff, trust push and certs adopt follow its Deployment. */
import {mkdtemp, readFile, rm} from 'node:fs/promises';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsAdopt from '../../src/commands/certs/adopt.js';
import TrustDiff from '../../src/commands/trust/diff.js';
import TrustPush from '../../src/commands/trust/push.js';
import type {AdoptResult} from '../../src/operations/certs/adopt.js';
import type {DiffResult} from '../../src/operations/trust/diff.js';
import type {PushResult} from '../../src/operations/trust/report-changes.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {configMap, secret} from '../helpers/fake-kubectl/fake-cluster.js';
import {answerOf, runCommand} from '../helpers/run-command.js';
import type {AsJson} from '../helpers/suggestions.js';
import {istiod} from '../helpers/trust-mesh.js';
import {tinyRoot} from '../helpers/tiny-ca.js';
import {findingsIn, rowName, verifiedMesh, verifyJson, type VerifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;

beforeEach(async () => {
  mesh = await verifiedMesh('c1', 'c2');
});
afterEach(() => mesh.stop());

const csi = {csi: {driver: 'secrets-store.csi.k8s.io', readOnly: true}};

/** istiod of c1 mounts its CA from Secret mesh-ca; there is no Secret cacerts. */
function mountMeshCa(): void {
  const {kube} = mesh.one('c1');
  kube.put(secret('istio-system/mesh-ca', kube.secretText('istio-system/cacerts')));
  kube.remove('Secret', 'istio-system/cacerts');
  kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1'}, 1, {secret: {secretName: 'mesh-ca'}}));
}

/** istiod of c1 reads its CA from a CSI volume; there is no Secret cacerts. */
function mountCsi(): void {
  const {kube} = mesh.one('c1');
  kube.remove('Secret', 'istio-system/cacerts');
  kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1'}, 1, csi));
}

/** istiod of c1 reads its CA from a directory without a volume. */
function readOtherDirectory(): void {
  mesh.one('c1').kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1', ROOT_CA_DIR: '/var/other-cacerts'}));
}

async function verify(): Promise<{code: number; bad: readonly string[]; result: AsJson<VerifyResult>}> {
  const {code, rows, result} = await verifyJson(mesh);
  return {code, bad: findingsIn(rows).map(rowName), result};
}

async function push(
  ...argv: string[]
): Promise<{code: number; cluster: AsJson<PushResult>['clusters'][number] | undefined}> {
  const run = await runCommand(TrustPush, ['c1', '-o', 'json', ...argv], mesh.env);
  return {code: run.code, cluster: (answerOf(run) as AsJson<PushResult>).clusters[0]};
}

describe('verify', () => {
  it.each([
    ['mounts another Secret with the CA of the work directory', mountMeshCa],
    ['reads a CSI volume', mountCsi],
  ])('finds nothing wrong in a mesh whose istiod %s', async (_, change) => {
    change();
    expect(await verify()).toMatchObject({code: 0, bad: []});
  });

  it('compares the other Secret with the work directory, and suggests no push, which could not change it', async () => {
    mountMeshCa();
    await mesh.renew('c1');
    const {code, bad, result} = await verify();
    expect([code, ...bad]).toEqual([3, 'MESH301 c1 error']);
    const row = result.checks.find(({id, cluster}) => id === 'MESH301' && cluster === 'c1');
    expect(row?.fix).toContain('describe secret/mesh-ca');
  });

  it('names the directory of an istiod that reads another one, and suggests neither a push nor a restart', async () => {
    readOtherDirectory();
    const {code, bad, result} = await verify();
    expect([code, ...bad]).toEqual([3, 'MESH301 c1 error']);
    const row = result.checks.find(({id, cluster}) => id === 'MESH301' && cluster === 'c1');
    expect(row?.observed).toContain('/var/other-cacerts');
    expect(row?.fix).toContain('describe deployment');
    for (const {fix} of result.checks) expect(fix).not.toMatch(/trust push|rollout restart/);
  });

  it('reports unknown where the other Secret must not be read', async () => {
    mountMeshCa();
    mesh.one('c1').kube.deny({verb: 'get', resource: 'secrets', name: 'mesh-ca'});
    const {code, bad, result} = await verify();
    expect([code, ...bad]).toEqual([4, 'MESH202 c1 unknown']);
    const row = result.checks.find(({id, cluster}) => id === 'MESH301' && cluster === 'c1');
    expect(row).toMatchObject({result: 'unknown', impliedBy: 'MESH202'});
  });
});

describe('trust push', () => {
  it.each([
    ['mounts another Secret', mountMeshCa],
    ['reads a CSI volume', mountCsi],
    ['reads another directory', readOtherDirectory],
  ])('refuses where istiod %s, and writes and restarts nothing', async (_, change) => {
    change();
    const {code, cluster} = await push('--restart-istiod', '--yes');
    expect([code, cluster?.error?.code, mesh.one('c1').kube.writes]).toEqual([5, 'CACERTS_NOT_MOUNTED', []]);
  });

  it('writes Secret cacerts with --allow-unmounted, and neither restarts that istiod nor waits for it', async () => {
    mountMeshCa();
    const {code, cluster} = await push('--allow-unmounted', '--yes');
    expect([code, cluster?.plan, cluster?.restarts]).toEqual([0, 'create', []]);
    expect(mesh.one('c1').kube.get('Secret', 'istio-system/cacerts')).toBeDefined();
  });
});

it('waits for the bundle under the name that istiod gives it', async () => {
  const {kube, name} = mesh.one('c1');
  kube.put(istiod('1.31.0', {CLUSTER_ID: name, PILOT_CA_CERT_CONFIGMAP: 'our-roots'}));
  kube.remove('ConfigMap', 'istio-system/istio-ca-root-cert');
  const {rootCert} = mesh.bundle('c1');
  kube.put(configMap('istio-system/our-roots', {'root-cert.pem': `# another\n${rootCert}`}));
  const {code, cluster} = await push('--dry-run', '--restart-istiod');
  expect([code, cluster?.plan, cluster?.restarts]).toEqual([0, 'unchanged', ['istiod']]);
});

describe('trust diff', () => {
  it('compares the Secret that istiod mounts, and names it', async () => {
    mountMeshCa();
    const run = await runCommand(TrustDiff, ['c1', '-o', 'json'], mesh.env);
    const {clusters, warnings} = answerOf(run) as AsJson<DiffResult>;
    expect([run.code, clusters[0]?.same]).toEqual([0, true]);
    expect(warnings.map(({message}) => message).join()).toContain('Secret mesh-ca');
  });
});

describe('certs adopt', () => {
  let dir: string;

  beforeEach(async () => {
    dir = await mkdtemp(join(tmpdir(), 'km-ca-source-'));
  });
  afterEach(() => rm(dir, {recursive: true, force: true}));

  const adopt = async (): Promise<{code: number; result: AsJson<AdoptResult>}> => {
    const run = await runCommand(CertsAdopt, ['c1=ctx-c1', '-o', 'json'], {...mesh.env, WORK_DIR: dir});
    return {code: run.code, result: answerOf(run) as AsJson<AdoptResult>};
  };

  it.each([
    ['another Secret', mountMeshCa, 'cacerts', 3],
    ['a CSI volume', mountCsi, 'elsewhere', 0],
  ])(
    'takes the live root from a mesh with %s, not that of an old istio-ca-secret',
    async (_, change, keptIn, files) => {
      change();
      const {certificate} = await tinyRoot();
      mesh.one('c1').kube.put(secret('istio-system/istio-ca-secret', {'ca-cert.pem': certificate.pem}));
      const {code, result} = await adopt();
      expect([code, result.clusters[0]?.keptIn, result.clusters[0]?.files.length]).toEqual([0, keptIn, files]);
      expect(await readFile(join(dir, 'root-cert.pem'), 'utf8')).toBe(mesh.root.certificate.pem);
      expect(await readFile(join(dir, 'mesh.yaml'), 'utf8')).not.toContain('signer');
    },
  );
});
