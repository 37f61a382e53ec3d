import {chmod, mkdir, readFile, rename, rm, symlink, writeFile} from 'node:fs/promises';
import {dirname, join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import CertsPassphrase from '../../src/commands/certs/passphrase.js';
import Verify from '../../src/commands/verify.js';
import type {Row} from '../../src/domain/checks/report.js';
import type {VerifyResult} from '../../src/operations/verify/verify.js';
import {configMap, namespace, secret} from '../helpers/fake-kubectl/fake-cluster.js';
import {openssl} from '../helpers/openssl.js';
import {answerOf, runCommand, type CommandRun} from '../helpers/run-command.js';
import {bundleOf, tinyClusterCa, tinyLeaf, tinyRoot} from '../helpers/tiny-ca.js';
import {istiod, pod, textsOf} from '../helpers/trust-mesh.js';
import {findingsIn, verifiedMesh, verifyJson, type VerifiedMesh} from '../helpers/verify-mesh.js';
import type {AsJson} from '../helpers/suggestions.js';

let mesh: VerifiedMesh;

beforeEach(async () => {
  mesh = await verifiedMesh('c1', 'c2');
});

afterEach(() => mesh.stop());

const verify = (...argv: string[]): Promise<CommandRun> => runCommand(Verify, argv, mesh.env);

/** `MESH301 c1 error`, without consequences. */
function bad({checks}: AsJson<VerifyResult>): readonly string[] {
  return findingsIn(checks).map(name);
}

function isBad({result}: AsJson<Row>): boolean {
  return result !== 'ok' && result !== 'skipped';
}

function name({id, cluster, result}: AsJson<Row>): string {
  return [id, ...(cluster === undefined ? [] : [cluster]), result].join(' ');
}

describe('a healthy mesh', () => {
  it('is ok, and the JSON output has the documented schema', async () => {
    const {code, result} = await verifyJson(mesh);
    expect(bad(result)).toEqual([]);
    expect([code, result.verdict]).toEqual([0, 'ok']);
    const shape = ['cluster', 'expected', 'fix', 'id', 'observed', 'result', 'scope', 'severity', 'title', 'vantage'];
    expect(Object.keys(result)).toEqual(['schemaVersion', 'verdict', 'checks', 'mesh', 'warnings']);
    for (const row of result.checks.filter(({result: one}) => one === 'ok')) {
      const keys = shape.filter((key) => key !== 'cluster' || row.scope !== 'mesh');
      expect(Object.keys(row).sort()).toEqual([...keys, ...(row.scope === 'pair' ? ['peer'] : [])].sort());
    }
  });

  it('uses one kubectl for each cluster and one for each istiod pod, and changes nothing', async () => {
    await verify();
    const calls = mesh.kube.calls;
    expect(calls.map(({args}) => args.find((arg) => !arg.startsWith('-'))).sort()).toEqual([
      // The API servers in the kubeconfig.
      'config',
      'config',
      'port-forward',
      'port-forward',
      'proxy',
      'proxy',
    ]);
    expect(mesh.clusters.flatMap(({kube}) => kube.writes)).toEqual([]);
  });

  it('reads Secrets by name only', async () => {
    await verify();
    const secrets = mesh.one('c1').kube.requests.filter(({resource}) => resource === 'secrets');
    expect(secrets.map(({verb, name: one}) => `${verb} ${one ?? ''}`).sort()).toEqual([
      'get cacerts',
      'get cacerts-previous',
      'get istio-ca-secret',
      'get istio-remote-secret-c1',
      'get istio-remote-secret-c2',
    ]);
  });

  it('never prints a key', async () => {
    const run = await verify('-o', 'json');
    expect(run.stdout + run.stderr).not.toMatch(/PRIVATE KEY/);
  });

  it('prints nothing with -o short', async () => {
    expect(await verify('-o', 'short')).toMatchObject({code: 0, stdout: ''});
  });

  it('is checked for the given cluster only', async () => {
    const {result} = await verifyJson(mesh, 'c2');
    expect(new Set(result.checks.map(({cluster}) => cluster))).toEqual(new Set([undefined, 'c2']));
    expect(mesh.one('c1').kube.requests).toEqual([]);
  });
});

describe('a finding', () => {
  it('of another CA in the cluster: MESH301, exit 3, and a push that fixes it', async () => {
    const other = await tinyRoot();
    const foreign = await tinyClusterCa(other, 'c1');
    const files = textsOf(bundleOf(foreign, [other]));
    const {kube, publish, present} = mesh.one('c1');
    kube.put(secret('istio-system/cacerts', files));
    publish(files['root-cert.pem'] ?? '');
    present([await tinyLeaf(foreign), foreign, other]);
    const {code, result} = await verifyJson(mesh);
    expect(code).toBe(3);
    expect(new Set(bad(result))).toEqual(new Set(['MESH301 c1 error']));
    const row = result.checks.find(({id, result: one}) => id === 'MESH301' && one === 'error');
    expect(row?.fix).toBe('kubectl mesh trust push c1 --restart-istiod --yes');
  });

  it.each([
    ['1.31.0', 'kubectl mesh trust push c1 --yes'],
    ['1.11.8', 'kubectl mesh trust push c1 --restart-istiod --yes'],
  ])('of a renewal that was not pushed suggests a restart only if istiod %s requires one', async (version, fix) => {
    mesh.one('c1').kube.put(istiod(version, {CLUSTER_ID: 'c1'}));
    await mesh.writeCa('c1', textsOf(bundleOf(await tinyClusterCa(mesh.root, 'c1'), [mesh.root])));
    const {result} = await verifyJson(mesh, 'c1', '--only', 'MESH301');
    expect(result.checks.map((row) => row.fix)).toEqual([fix]);
  });

  it('is a warning if only the order of the chain differs, which istiod and proxies accept', async () => {
    const ca = await tinyClusterCa(mesh.root, 'c1');
    const files = textsOf(bundleOf(ca, [mesh.root]));
    await mesh.writeCa('c1', files);
    const reversed = files['cert-chain.pem']?.match(/-----BEGIN[^-]*-----[^-]*-----END[^-]*-----\n/g)?.toReversed();
    expect(reversed).toHaveLength(2);
    mesh.one('c1').kube.put(secret('istio-system/cacerts', {...files, 'cert-chain.pem': reversed?.join('') ?? ''}));
    const {result} = await verifyJson(mesh, 'c1', '--only', 'MESH301');
    expect(result.checks.map((row) => row.result)).toEqual(['warning']);
  });

  it('is unknown if it is unknown what istiod mounts', async () => {
    mesh.one('c1').kube.deny({verb: 'list', resource: 'deployments'});
    await mesh.writeCa('c1', textsOf(bundleOf(await tinyClusterCa(mesh.root, 'c1'), [mesh.root])));
    const {result} = await verifyJson(mesh, 'c1', '--only', 'MESH301');
    expect(result.checks.map(({result: one, fix}) => [one, fix])).toEqual([
      ['unknown', 'kubectl auth can-i list deployments.apps -n istio-system --context ctx-c1'],
    ]);
  });

  it('of an istiod that created its own root: MESH304, and all its consequences', async () => {
    const own = await tinyRoot();
    const {kube, publish, present} = mesh.one('c1');
    kube.put(secret('istio-system/istio-ca-secret', {'ca-cert.pem': own.certificate.pem}, {type: 'istio.io/ca-root'}));
    publish(own.certificate.pem);
    present([await tinyLeaf(own), own]);
    const {code, result} = await verifyJson(mesh);
    expect(code).toBe(3);
    expect(bad(result)).toEqual(['MESH304 c1 error']);
    expect(result.checks.filter(({impliedBy}) => impliedBy === 'MESH304').map(name)).toEqual([
      'MESH302 c1 error',
      'MESH303 c1 error',
      'MESH307 c1 error',
      'MESH307 c2 error',
    ]);
    const row = result.checks.find(({id, cluster}) => id === 'MESH304' && cluster === 'c1');
    expect(row?.fix).toBe('kubectl mesh trust push c1 --restart-istiod --yes');
  });

  it('of a bundle that is not a certificate: MESH302; MESH304 is not ok', async () => {
    const {kube, publish, ca} = mesh.one('c1');
    kube.put(secret('istio-system/istio-ca-secret', {'ca-cert.pem': ca.certificate.pem}));
    publish('garbage');
    const {result} = await verifyJson(mesh, 'c1', '--only', 'MESH302,MESH304');
    expect(result.checks.map(name)).toEqual(['MESH302 c1 error', 'MESH304 c1 skipped']);
  });

  it('of an istiod that still serves the CA from before a renewal: MESH303', async () => {
    const before = await tinyClusterCa(mesh.root, 'c1');
    mesh.one('c1').present([await tinyLeaf(before), before, mesh.root]);
    const {code, result} = await verifyJson(mesh);
    expect([code, ...bad(result)]).toEqual([3, 'MESH303 c1 error']);
  });

  it('of no running pods: MESH402, and unknown results are its consequence', async () => {
    const {kube} = mesh.one('c1');
    kube.put(
      pod(
        'istio-system/istiod-1',
        {
          status: {
            phase: 'Pending',
            conditions: [
              {type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message: '0/0 nodes are available'},
            ],
          },
        },
        {app: 'istiod'},
      ),
    );
    const {code, result} = await verifyJson(mesh);
    expect([code, ...bad(result)]).toEqual([3, 'MESH402 c1 error']);
    const row = result.checks.find(({id, result: one}) => id === 'MESH402' && one === 'error');
    expect(row?.observed).toMatch(/istiod-1 is Pending: Unschedulable: 0\/0 nodes/);
    const live = result.checks.find(({id, cluster}) => id === 'MESH303' && cluster === 'c1');
    expect(live).toMatchObject({result: 'unknown', impliedBy: 'MESH402'});
  });

  it('of renamed contexts: MESH203, and the observations belong to another cluster', async () => {
    await writeFile(join(mesh.dir, 'contexts.yaml'), 'c1: ctx-c2\nc2: ctx-c1\n');
    const {code, result} = await verifyJson(mesh);
    expect(code).toBe(3);
    expect(bad(result)).toEqual(['MESH203 c1 error', 'MESH203 c2 error']);
    expect(result.checks.find(({id, cluster}) => id === 'MESH404' && cluster === 'c1')).toMatchObject({
      result: 'error',
      impliedBy: 'MESH203',
    });
  });

  it('of two names for one cluster: MESH204', async () => {
    const uid = mesh.one('c1').kube.uid;
    mesh.one('c2').kube.put({...namespace('kube-system'), metadata: {name: 'kube-system', uid}});
    const {code, result} = await verifyJson(mesh);
    expect([code, ...bad(result)]).toEqual([3, 'MESH204 error']);
  });

  it('of a key that other users can read: MESH106, with a chmod of the file', async () => {
    await chmod(join(mesh.dir, 'c1/ca-key.pem'), 0o644);
    const {code, result} = await verifyJson(mesh);
    expect([code, ...bad(result)]).toEqual([3, 'MESH106 error']);
    const row = result.checks.find(isBad);
    expect(row?.fix).toBe(`chmod 600 ${join(mesh.dir, 'c1/ca-key.pem')}`);
  });

  it.each(['k8s-root-key.pem', 'c1/selfSigned-ca-key.pem', 'c1/ca-key.pem', 'c1/workloads/shop/cart/key.pem'])(
    "of a key by any of the names of Istio's Makefiles and ours: %s",
    async (path) => {
      await mkdir(dirname(join(mesh.dir, path)), {recursive: true});
      await writeFile(join(mesh.dir, path), 'key', {mode: 0o644});
      await chmod(join(mesh.dir, path), 0o644);
      const {result} = await verifyJson(mesh, '--offline', '--only', 'MESH106');
      expect(result.checks.map(({observed}) => observed)).toEqual([`${path} has mode 0644`]);
    },
  );

  it.each([
    [0o600, 'MESH106 ok'],
    [0o640, 'MESH106 error'],
  ])('of a key behind a link names the target of the link: %o', async (mode, row) => {
    const key = join(mesh.dir, 'c1/ca-key.pem');
    const elsewhere = join(mesh.dir, 'vault');
    await mkdir(elsewhere);
    await rename(key, join(elsewhere, 'secret'));
    await chmod(join(elsewhere, 'secret'), mode);
    await symlink(join(elsewhere, 'secret'), key);
    await symlink(join(elsewhere, 'nowhere'), join(mesh.dir, 'old-key.pem'));
    const {result} = await verifyJson(mesh, '--offline', '--only', 'MESH106');
    expect(result.checks.map(name)).toEqual([row]);
  });

  it.each([
    [{iter: '2048'}, 'MESH107 warning'],
    [{iter: '600000'}, 'MESH107 ok'],
  ])('of a root key whose passphrase is cheap to guess, and its fix: %o', async ({iter}, row) => {
    const key = join(mesh.dir, 'root-key.pem');
    const pass = ['-passin', 'pass:old', '-passout', 'pass:old'];
    openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'ec_paramgen_curve:P-256', '-out', key]);
    const kdf = ['-v2', 'aes-256-cbc', '-v2prf', 'hmacWithSHA256', '-iter', iter];
    openssl(['pkcs8', '-topk8', ...kdf, '-in', key, '-out', `${key}.enc`, ...pass]);
    await rename(`${key}.enc`, key);
    const before = await verifyJson(mesh, '--offline', '--only', 'MESH107');
    expect(before.result.checks.map(name)).toEqual([row]);
    const [found] = before.result.checks;
    if (found?.fix === undefined || found.result === 'ok') return;
    const words = found.fix.split(' ');
    expect(words.slice(0, 4)).toEqual(['kubectl', 'mesh', 'certs', 'passphrase']);
    const env = {...mesh.env, KUBECTL_MESH_PASSPHRASE: 'old', KUBECTL_MESH_NEW_PASSPHRASE: 'new'};
    expect((await runCommand(CertsPassphrase, words.slice(4), env)).code).toBe(0);
    const after = await verifyJson(mesh, '--offline', '--only', 'MESH107');
    expect(after.result.checks.map(name)).toEqual(['MESH107 ok']);
  });

  it('of mesh.yaml has line and column, and is invalid input', async () => {
    await writeFile(join(mesh.dir, 'mesh.yaml'), 'apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\nmeshid: x\n');
    const {code, result} = await verifyJson(mesh);
    expect([code, ...bad(result)]).toEqual([2, 'MESH101 error']);
    expect(result.checks.find(({id}) => id === 'MESH101')?.observed).toMatch(/^mesh\.yaml:3:1: /);
  });

  it('that is a warning fails only with --fail-on warning', async () => {
    const {kube} = mesh.one('c1');
    await writeFile(
      join(mesh.dir, 'root-key.pem'),
      textsOf(bundleOf(mesh.one('c1').ca, [mesh.root]))['ca-key.pem'] ?? '',
      {mode: 0o600},
    );
    const lenient = await verifyJson(mesh);
    expect([lenient.code, lenient.result.verdict, ...bad(lenient.result)]).toEqual([0, 'warning', 'MESH107 warning']);
    expect((await verify('--fail-on', 'warning')).code).toBe(3);
    expect(kube.writes).toEqual([]);
  });

  it('prints commands for the given mesh', async () => {
    mesh.one('c1').kube.remove('Secret', 'istio-system/cacerts');
    const env = {PATH: mesh.kube.path, WORK_DIR: ''};
    const run = await runCommand(Verify, ['c1', '-w', mesh.dir, '--context', 'ctx-c1', '-o', 'json'], env);
    const row = (answerOf(run) as AsJson<VerifyResult>).checks.find(({id}) => id === 'MESH301');
    expect(row?.fix).toBe(`kubectl mesh trust push c1 --restart-istiod --yes -w ${mesh.dir} --context ctx-c1`);
  });
});

/** The facts that require a running istiod in c1; MESH308 follows from MESH303. */
const nothingLive = ['MESH303', 'MESH309', 'MESH412', 'MESH502', 'MESH506'].map((id) => `${id} c1 unknown`);

describe('an unknown result', () => {
  it('occurs without permission to list the bundles of all namespaces', async () => {
    const {kube} = mesh.one('c1');
    kube.fault(
      {verb: 'list', resource: 'configmaps'},
      {
        status: 403,
        message:
          'configmaps is forbidden: User "test" cannot list resource "configmaps" in API group "" at the cluster scope',
      },
      1,
    );
    const {code, result} = await verifyJson(mesh, 'c1', '--only', 'MESH302,MESH202', '--no-live');
    expect(code).toBe(4);
    expect(bad(result)).toContain('MESH202 c1 unknown');
  });

  it('covers all permissions with MESH202 alone', async () => {
    mesh.one('c1').kube.deny({});
    const {code, result} = await verifyJson(mesh, 'c1', '--only', 'MESH202');
    expect([code, ...bad(result)]).toEqual([4, 'MESH202 c1 unknown']);
  });

  it('occurs if the API server does not respond: one cause, all others are consequences', async () => {
    mesh.one('c1').kube.fault({}, 'drop', 999);
    const {code, result} = await verifyJson(mesh, '--request-timeout', '5s');
    expect([code, result.verdict, ...bad(result)]).toEqual([4, 'unknown', 'MESH201 c1 unknown']);
  });

  it('occurs if the port-forward has no listener', async () => {
    const {kube} = mesh.one('c1');
    kube.forwards['istiod-1'] = {'15012': 1, '15014': 1};
    const {code, result} = await verifyJson(mesh);
    expect(code).toBe(4);
    expect(bad(result)).toEqual(expect.arrayContaining(nothingLive));
    // The peer's own istiod shows which services exist there.
    expect(bad(result).filter((row) => !row.endsWith('c1 unknown'))).toEqual(['MESH507 c2 unknown']);
  });

  it('occurs if port-forward is forbidden', async () => {
    Reflect.deleteProperty(mesh.one('c1').kube.forwards, 'istiod-1');
    const {code, result} = await verifyJson(mesh);
    expect(code).toBe(4);
    expect(bad(result)).toEqual(expect.arrayContaining(nothingLive));
    // The peer's own istiod shows which services exist there.
    expect(bad(result).filter((row) => !row.endsWith('c1 unknown'))).toEqual(['MESH507 c2 unknown']);
  });

  it('occurs if kubectl is not installed, with the reason', async () => {
    const run = await runCommand(Verify, ['-o', 'json'], {PATH: '/nowhere', WORK_DIR: mesh.dir});
    const {checks} = answerOf(run) as AsJson<VerifyResult>;
    expect(run.code).toBe(4);
    expect(checks.find(({id}) => id === 'MESH201')).toMatchObject({result: 'unknown', error: {code: 'TOOL_MISSING'}});
  });

  it('does not hide an error, which determines the exit code', async () => {
    mesh.one('c1').kube.deny({verb: 'list', resource: 'pods'});
    mesh.one('c2').kube.remove('Secret', 'istio-system/cacerts');
    const {code, result} = await verifyJson(mesh);
    expect([code, result.verdict]).toEqual([3, 'error']);
  });
});

describe('selection', () => {
  it('--only sends only the requests of its checks', async () => {
    const {result} = await verifyJson(mesh, '--only', 'MESH203');
    expect(new Set(result.checks.map(({id}) => id))).toEqual(new Set(['MESH203']));
    expect(mesh.one('c1').kube.requests.map(({resource, name: one}) => `${resource} ${one ?? ''}`)).toEqual([
      // The session's own first request.
      '/version ',
      'namespaces kube-system',
    ]);
  });

  it('--skip omits checks', async () => {
    const {result} = await verifyJson(mesh, '--skip', 'MESH1,MESH303', '--skip', 'MESH4');
    expect(result.checks.every(({id}) => /^MESH[235]/.test(id) && id !== 'MESH303')).toBe(true);
  });

  it('--no-secrets reads no Secret, and compares with the work directory', async () => {
    const {code, result} = await verifyJson(mesh, '--no-secrets');
    expect(code).toBe(0);
    expect(mesh.one('c1').kube.requests.filter(({resource}) => resource === 'secrets')).toEqual([]);
    const results = Object.fromEntries(
      result.checks.filter(({cluster}) => cluster === 'c1').map(({id, result: one}) => [id, one]),
    );
    expect(results).toMatchObject({
      MESH301: 'skipped',
      MESH302: 'ok',
      MESH303: 'ok',
      MESH304: 'skipped',
      MESH305: 'skipped',
    });
  });

  it('--no-live opens no connection to istiod', async () => {
    const {code, result} = await verifyJson(mesh, '--no-live');
    expect(code).toBe(0);
    expect(mesh.kube.calls.every(({args}) => !args.includes('port-forward'))).toBe(true);
    expect(result.checks.find(({id}) => id === 'MESH303')).toMatchObject({
      result: 'skipped',
      reason: expect.stringContaining('--no-live') as unknown,
    });
  });

  it('--offline starts no kubectl', async () => {
    const {code, result} = await verifyJson(mesh, '--offline');
    expect(code).toBe(0);
    expect(mesh.kube.calls).toEqual([]);
    expect(result.checks.filter(({id}) => !id.startsWith('MESH1')).every(({result: one}) => one === 'skipped')).toBe(
      true,
    );
  });

  it.each(['MESH9', 'MESH999', 'cacerts'])('of %s is a usage error', async (word) => {
    const run = await verify('--only', word, '--json');
    expect(run.code).toBe(2);
    expect(answerOf(run)).toMatchObject({error: {code: 'UNKNOWN_ID'}});
  });
});

describe('without a work directory and network', () => {
  const nowhere = {PATH: '/nowhere', WORK_DIR: '/nowhere'};

  it('lists all checks', async () => {
    const run = await runCommand(Verify, ['--list-checks'], nowhere);
    expect(run.code).toBe(0);
    expect(run.stdout.trim().split('\n').length).toBeGreaterThan(20);
  });

  it('explains a check', async () => {
    const run = await runCommand(Verify, ['--explain', 'MESH303', '--json'], nowhere);
    expect(run.code).toBe(0);
    expect(answerOf(run)).toMatchObject({id: 'MESH303', byHand: expect.stringContaining('openssl') as unknown});
  });

  it('rejects an unknown check', async () => {
    const run = await runCommand(Verify, ['--explain', 'MESH33'], nowhere);
    expect([run.code, run.stdout]).toEqual([2, '']);
    expect(run.stderr).toMatch(/MESH303/);
  });
});

describe('--wait', () => {
  it('ends when missing objects appear', async () => {
    const {kube} = mesh.one('c1');
    kube.put(pod('istio-system/istiod-1', {status: {phase: 'Pending'}}, {app: 'istiod'}));
    setTimeout(() => kube.put(pod('istio-system/istiod-1', {}, {app: 'istiod'})), 500);
    const {code, result} = await verifyJson(mesh, '--wait');
    expect([code, result.verdict]).toEqual([0, 'ok']);
  });

  it('ends at --timeout with the last rows, and exit 124', async () => {
    mesh.one('c1').kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1'}, 2));
    const {code, result} = await verifyJson(mesh, '--wait', '--timeout', '2s');
    expect([code, result.verdict, ...bad(result)]).toEqual([124, 'error', 'MESH402 c1 error']);
    expect(result.error?.code).toBe('TIMEOUT');
  });

  it('ends immediately on findings that waiting cannot resolve', async () => {
    await rm(join(mesh.dir, 'c1/ca-cert.pem'));
    const {code, result} = await verifyJson(mesh, '--wait');
    expect([code, ...bad(result)]).toContain('MESH102 c1 error');
    expect(result.error).toBeUndefined();
  });

  it('does not wait for warnings', async () => {
    await chmod(join(mesh.dir, 'c1'), 0o755);
    const {code, result} = await verifyJson(mesh, '--wait');
    expect([code, result.verdict]).toEqual([0, 'warning']);
  });
});

describe("a user's cluster", () => {
  it('with namespaces that istiod does not select is ok', async () => {
    const {kube} = mesh.one('c1');
    kube.put(
      configMap('istio-system/istio', {
        mesh: 'discoverySelectors:\n- matchExpressions:\n  - {key: team, operator: DoesNotExist}\n',
      }),
    );
    kube.put(namespace('theirs', {team: 'x'}));
    const {result} = await verifyJson(mesh, 'c1');
    expect(bad(result)).toEqual([]);
  });

  it('whose istiod excludes its own namespace is ok: its roots are read where it writes them', async () => {
    const {kube} = mesh.one('c1');
    const selectors = 'discoverySelectors:\n- matchLabels: {team: x}\n';
    kube.put(configMap('istio-system/istio', {mesh: selectors}));
    kube.put(namespace('theirs', {team: 'x'}));
    const bundle = await readFile(join(mesh.dir, 'c1/root-cert.pem'), 'utf8');
    for (const space of ['default', 'istio-system', 'kube-system', 'shop']) {
      kube.remove('ConfigMap', `${space}/istio-ca-root-cert`);
    }
    kube.put(configMap('theirs/istio-ca-root-cert', {'root-cert.pem': bundle}));
    const {result} = await verifyJson(mesh);
    expect(bad(result)).toEqual([]);
  });

  it('whose istiod writes the bundle with another name is ok', async () => {
    const {kube} = mesh.one('c1');
    kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1', PILOT_CA_CERT_CONFIGMAP: 'our-roots'}));
    const bundle = await readFile(join(mesh.dir, 'c1/root-cert.pem'), 'utf8');
    for (const space of ['default', 'istio-system', 'kube-system', 'shop']) {
      kube.remove('ConfigMap', `${space}/istio-ca-root-cert`);
      kube.put(configMap(`${space}/our-roots`, {'root-cert.pem': bundle}));
    }
    const {result} = await verifyJson(mesh, 'c1');
    expect(bad(result)).toEqual([]);
  });

  it('with invalid YAML is unknown, not ok', async () => {
    mesh.one('c1').kube.put(configMap('istio-system/istio', {mesh: '{{{'}));
    const {code, result} = await verifyJson(mesh, 'c1');
    expect([code, result.verdict]).toEqual([4, 'unknown']);
  });
});

describe('an unknown version', () => {
  it('is treated as the newest known one, which is reported once and is a warning', async () => {
    for (const name of ['c1', 'c2']) mesh.one(name).kube.put(istiod('1.99.0', {CLUSTER_ID: name}));
    const {code, result} = await verifyJson(mesh);
    expect([code, result.verdict]).toEqual([0, 'warning']);
    expect(bad(result).toSorted()).toEqual(
      ['MESH205', 'MESH410'].flatMap((id) => [`${id} c1 warning`, `${id} c2 warning`]),
    );
    expect(result.warnings).toEqual([{message: expect.stringContaining('1.99.0') as string}]);
    const text = await verify();
    expect(text.stderr.split('\n').filter((line) => line.startsWith('Warning: '))).toHaveLength(1);
  });

  it('and an image without a release are reported for their cluster', async () => {
    mesh.one('c1').kube.put(istiod('1.99.0', {CLUSTER_ID: 'c1'}));
    mesh.one('c2').kube.put(istiod('latest', {CLUSTER_ID: 'c2'}));
    const {result} = await verifyJson(mesh);
    expect(result.warnings.map(({cluster}) => cluster)).toEqual(['c1', 'c2']);
    expect(result.verdict).toBe('warning');
  });

  it('is also reported for the version in mesh.yaml', async () => {
    const path = join(mesh.dir, 'mesh.yaml');
    await writeFile(path, `${await readFile(path, 'utf8')}istio: {version: "1.99"}\n`);
    const {result} = await verifyJson(mesh, '--offline');
    expect(result.warnings).toEqual([{message: expect.stringContaining('1.99') as string}]);
  });

  it('is not reported if all versions are known', async () => {
    expect((await verifyJson(mesh)).result.warnings).toEqual([]);
  });
});
