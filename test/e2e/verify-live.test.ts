/** Live proof: what verify learns from real istiods, two of them behind one Deployment, and what it says when it cannot. */
import {afterAll, beforeAll, describe, expect, it} from 'vitest';
import {requestCertificate} from './harness/certificate-request.js';
import {writeKubeconfigWithToken, type Cluster} from './harness/cluster.js';
import type {PlayedPod} from './harness/kubelet.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import type {CheckRow, MeshCli, Verdict} from './harness/mesh-cli.js';
import {eventually, type Sandbox} from './harness/processes.js';
import {fetchText} from './harness/port-forward.js';

/** All that verify reads. Not `*`: that has subresources in it, and a port-forward by WebSocket is a GET. */
const readable =
  'namespaces,pods,services,configmaps,secrets,deployments.apps,daemonsets.apps,mutatingwebhookconfigurations.admissionregistration.k8s.io,validatingwebhookconfigurations.admissionregistration.k8s.io';
const liveIds = ['MESH303', 'MESH308', 'MESH309', 'MESH412', 'MESH502', 'MESH506', 'MESH507'];
let sandbox: Sandbox;
let cli: MeshCli;
let cluster: Cluster;
let peer: Cluster;

beforeAll(async () => {
  const setting: Setting = await startSetting({name: 'c1'}, {name: 'c2'});
  ({sandbox, cli} = setting);
  [cluster, peer] = [at(setting.clusters, 0), at(setting.clusters, 1)];
  await cli.must('init', 'c1=kwok-c1', 'c2=kwok-c2');
  await cli.must('up', '--key-algorithm', 'ecdsa-p256');
  // It would scale the Deployment back.
  await cluster.kubectl('-n', 'istio-system', 'delete', 'hpa', 'istiod', '--ignore-not-found');
  await scale(2);
});

afterAll(async () => {
  await sandbox.close();
});

/** Waits for so many ready istiods in the first cluster, and no other. */
async function istiods(count: number): Promise<readonly PlayedPod[]> {
  return eventually(`${String(count)} istiods`, () => {
    const pods = cluster.kubelet?.pods ?? [];
    return pods.length === count && pods.every(({ready}) => ready) ? pods : undefined;
  });
}

async function scale(count: number): Promise<readonly PlayedPod[]> {
  await cluster.kubectl('-n', 'istio-system', 'scale', 'deployment/istiod', `--replicas=${String(count)}`);
  return istiods(count);
}

/** The rows about the first cluster, of what only istiod can say. */
function live({checks}: Pick<Verdict, 'checks'>): CheckRow[] {
  return checks.filter(({id, cluster: of}) => liveIds.includes(id) && of === 'c1');
}

/** Types the fix of a finding as it is printed, and expects the mesh to be green soon after. */
async function fix(row: CheckRow | undefined): Promise<void> {
  const ran = await cli.shell(row?.fix ?? 'false');
  expect([row?.fix, ran.code, ran.stderr]).toEqual([row?.fix, 0, expect.anything()]);
  await expectGreen();
}

async function expectGreen(): Promise<void> {
  const green = await cli.verify('--wait', '--timeout', '150s', '--fail-on', 'warning');
  expect(green.checks.filter(({result}) => !['ok', 'skipped'].includes(result))).toEqual([]);
  expect(live(green).map(({id, result}) => `${id} ${result}`)).toEqual(liveIds.map((id) => `${id} ok`));
}

describe('two replicas', () => {
  it('are both checked, and both pass', async () => {
    const pods = await istiods(2);
    const green = await cli.verify();
    expect([green.code, green.verdict]).toEqual([0, 'ok']);
    for (const row of live(green)) {
      expect(row.result).toBe('ok');
      if (row.id === 'MESH412' || row.id === 'MESH502') continue;
      for (const {name} of pods) expect(`${row.id} ${row.observed ?? ''}`).toContain(name);
    }
  });

  it('of which one keeps the old CA: exactly that pod is named, and the printed fix fixes it', async () => {
    const held = at(await istiods(2), 1).name;
    cluster.kubelet?.holdVolumes(held);
    await cli.must('certs', 'generate', 'c1', '--renew', '--yes');
    // It waits for every istiod, and this one will not come.
    expect((await cli.run(['trust', 'push', 'c1', '--yes', '--timeout', '20s'])).code).not.toBe(0);
    const seen = await cli.verify();
    expect(seen.code).toBe(3);
    const errors = live(seen).filter(({result}) => result !== 'ok');
    expect(errors.map(({id, result, impliedBy}) => [id, result, impliedBy])).toEqual([
      ['MESH303', 'error', undefined],
      ['MESH308', 'error', 'MESH303'],
    ]);
    for (const {observed} of errors) expect(observed).toMatch(new RegExp(`^${held} `));
    await fix(errors[0]);
  });

  it('of which one made a CA of its own, with nothing pushed to compare with: both are named', async () => {
    await scale(1);
    await cluster.kubectl('-n', 'istio-system', 'delete', 'secret', 'cacerts');
    const pods = await scale(2);
    const seen = await cli.verify();
    const rows = live(seen).filter(({id}) => id === 'MESH303');
    expect(rows.map(({result}) => result)).toEqual(['error', 'error']);
    for (const {name} of pods) expect(rows.filter(({observed}) => observed?.startsWith(name))).toHaveLength(1);
    await fix(rows[0]);
    await istiods(2);
  });
});

describe('an istiod that cannot sign', () => {
  it('says so in its metrics: a warning with the reason, and the printed fix fixes it', async () => {
    const pod = at(await istiods(2), 0);
    const token = await cluster.api.token('default', 'default', ['istio-ca']);
    const before = await fetchText(pod.ports[15014], '/metrics');
    expect(before).not.toContain('citadel_server_csr_sign_err_count');
    expect(await requestCertificate(pod, {csr: 'no request', token, clusterId: 'c1'})).not.toBe(0);
    const seen = await cli.verify('--fail-on', 'warning');
    const warnings = live(seen).filter(({result}) => result !== 'ok');
    expect(warnings.map(({id, result}) => [id, result])).toEqual([['MESH309', 'warning']]);
    expect(warnings[0]?.observed).toMatch(new RegExp(`^${pod.name} .*CSR_ERROR 1`));
    await fix(warnings[0]);
  });

  it('ignores a few unknown callers, but reports that no certificate is issued', async () => {
    const pod = at(await istiods(2), 0);
    const ask = () => requestCertificate(pod, {csr: 'no request', clusterId: 'c1'});
    await ask();
    expect(live(await cli.verify()).find(({id}) => id === 'MESH309')?.result).toBe('ok');
    await ask();
    await ask();
    const seen = live(await cli.verify()).find(({id}) => id === 'MESH309');
    expect(seen).toMatchObject({result: 'warning', observed: expect.stringMatching(/rejected 3 of 3/) as unknown});
    await fix(seen);
  });
});

describe('a peer', () => {
  it('that istiod cannot read is named, and the printed fix fixes it', async () => {
    const remote = async (...more: string[]): Promise<string> =>
      peer.istioctl('create-remote-secret', '--name', 'c2', '-n', 'istio-system', ...more);
    // A port that nobody listens on.
    await apply(await remote('--server', 'https://127.0.0.1:1'));
    const findings = async () => {
      const {checks} = await cli.verify('--only', 'MESH5');
      const bad = checks.filter(({cluster: of, result}) => of === 'c1' && !['ok', 'skipped'].includes(result));
      return bad.every(({result}) => result === 'error') && bad.length > 1 ? bad : undefined;
    };
    // Within a minute after the remote secret was written, it is unknown whether istiod follows it.
    const rows = await eventually('findings about c2', findings, 150_000);
    // One row of MESH506 for each istiod.
    expect(rows.map(({id, impliedBy}) => [id, impliedBy])).toEqual([
      ['MESH505', undefined],
      ['MESH506', 'MESH505'],
      ['MESH506', 'MESH505'],
    ]);
    for (const {observed} of rows.slice(1)) expect(observed).toMatch(/syncing|timeout/);
    await fix(rows[0]);
  });

  async function apply(text: string): Promise<void> {
    const ran = await cli.shell('kubectl --context kwok-c1 apply -f - <<<"$TEXT"', {TEXT: text});
    // kubectl warns that it did not create the Secret: link did.
    expect(ran.code, ran.stderr).toBe(0);
  }
});

describe('what cannot be seen', () => {
  it('with the debug endpoint off: unknown, exit 4, and the reason names the variable', async () => {
    const deployment = ['-n', 'istio-system', 'deployment/istiod'] as const;
    await cluster.kubectl('set', 'env', ...deployment, 'ENABLE_DEBUG_ON_HTTP=false');
    await cluster.kubectl('rollout', 'status', ...deployment, '--timeout=90s');
    await istiods(2);
    const seen = await eventually('nothing but unknown', async () => {
      const now = await cli.verify();
      return now.verdict === 'unknown' ? now : undefined;
    });
    expect(seen.code).toBe(4);
    const rows = live(seen).filter(({result}) => result !== 'ok');
    const unread = ['MESH412', 'MESH502', 'MESH506', 'MESH507'];
    expect(new Set(rows.map(({id, result}) => `${id} ${result}`))).toEqual(
      new Set(unread.map((id) => `${id} unknown`)),
    );
    for (const {reason} of rows) expect(reason).toContain('ENABLE_DEBUG_ON_HTTP');
    await fix(rows[0]);
  });

  it('with port-forward refused: unknown, exit 4, and the reason names the right', async () => {
    await cluster.kubectl('create', 'serviceaccount', 'auditor');
    await cluster.kubectl('create', 'clusterrole', 'auditor', '--verb=get,list,watch', `--resource=${readable}`);
    const binding = ['--clusterrole=auditor', '--serviceaccount=default:auditor'];
    await cluster.kubectl('create', 'clusterrolebinding', 'auditor', ...binding);
    writeKubeconfigWithToken(cli.kubeconfig, cluster, await cluster.api.token('default', 'auditor'));
    const seen = await cli.verify('c1');
    expect([seen.code, seen.verdict]).toEqual([4, 'unknown']);
    const rows = live(seen);
    expect(new Set(rows.map(({id, result}) => `${id} ${result}`))).toEqual(
      // What c2 has is not read.
      new Set(liveIds.map((id) => (id === 'MESH507' ? `${id} skipped` : `${id} unknown`))),
    );
    for (const {reason} of rows.filter(({result}) => result === 'unknown'))
      expect(reason).toContain('create pods/portforward');
    cli.useContexts({'kwok-c1': cluster, 'kwok-c2': peer});
  });
});
