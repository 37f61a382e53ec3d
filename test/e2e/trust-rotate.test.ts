/** trust rotate cluster-ca on real istiods, two of them in each cluster: what each presents, and what the old root says of it. */
import {readFileSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {parseCertificates} from '../../src/domain/x509/certificate.js';
import {openssl} from '../helpers/openssl.js';
import type {Cluster} from './harness/cluster.js';
import type {PlayedPod} from './harness/kubelet.js';
import {meet} from './harness/meet.js';
import {at, changeTimes, startMesh, type Setting} from './harness/mesh.js';
import {findings} from './harness/mesh-cli.js';
import {eventually} from './harness/processes.js';

interface Answer {
  readonly clusters: readonly {
    readonly name: string;
    readonly outcome: string;
    readonly step?: string;
    readonly proven?: boolean;
    readonly rollback?: {readonly outcome: string};
    readonly before?: {readonly clusterCa: {readonly fingerprint: string}};
    readonly after?: {readonly clusterCa: {readonly fingerprint: string}};
  }[];
}

let setting: Setting;
let one: Cluster;
let two: Cluster;
/** The mesh's root, as it was before any rotation. */
let root: string;

beforeAll(async () => {
  setting = await startMesh('one', 'two');
  [one, two] = [at(setting.clusters, 0), at(setting.clusters, 1)];
  for (const cluster of setting.clusters) {
    // It would scale the Deployment back.
    await cluster.kubectl('-n', 'istio-system', 'delete', 'hpa', 'istiod', '--ignore-not-found');
    await cluster.kubectl('-n', 'istio-system', 'scale', 'deployment/istiod', '--replicas=2');
  }
  for (const cluster of setting.clusters) await istiods(cluster);
  root = join(setting.sandbox.dir, 'root-before.pem');
  writeFileSync(root, readFileSync(join(setting.cli.workDir, 'root-cert.pem')));
}, 900_000);
afterAll(() => setting.sandbox.close());

/** The two ready istiods of a cluster. */
function istiods(cluster: Cluster): Promise<readonly PlayedPod[]> {
  return eventually(`two istiods in ${cluster.name}`, () => {
    const pods = cluster.kubelet?.pods ?? [];
    return pods.length === 2 && pods.every(({ready}) => ready) ? pods : undefined;
  });
}

/** The fingerprints of the CAs that the istiods present, verified by openssl against the root from before. */
async function presented(cluster: Cluster): Promise<readonly string[]> {
  const pods = await istiods(cluster);
  return pods.map(({ports}) => {
    const server = ['-connect', `127.0.0.1:${String(ports[15012])}`, '-servername', 'istiod.istio-system.svc'];
    const output = openssl(['s_client', ...server, '-showcerts', '-CAfile', root, '-verify_return_error'], '');
    expect(output).toContain('Verify return code: 0 (ok)');
    const chain = parseCertificates(output.slice(output.indexOf('-----BEGIN')), 'chain').certificates;
    return at(chain, 1).fingerprint;
  });
}

async function rotate(...args: string[]): Promise<{code: number | null; answer: Answer}> {
  const ran = await setting.cli.run(['trust', 'rotate', 'cluster-ca', ...args, '-o', 'json']);
  return {code: ran.code, answer: JSON.parse(ran.stdout) as Answer};
}

const inSecret = async (cluster: Cluster): Promise<string> => {
  const path = 'jsonpath={.data.ca-cert\\.pem}';
  const encoded = await cluster.kubectl('-n', 'istio-system', 'get', 'secret', 'cacerts', '-o', path);
  return at(parseCertificates(Buffer.from(encoded, 'base64').toString(), 'cacerts').certificates, 0).fingerprint;
};

it('gives every istiod of every cluster a new CA, which the old root verifies; workloads of before and after meet', async () => {
  const old = [await inSecret(one), await inSecret(two)];
  expect([await presented(one), await presented(two)]).toEqual(old.map((fingerprint) => [fingerprint, fingerprint]));
  const {code, answer} = await rotate('--yes');
  expect([code, answer.clusters.map(({name, outcome, proven}) => [name, outcome, proven])]).toEqual([
    0,
    [
      ['one', 'done', true],
      ['two', 'done', true],
    ],
  ]);
  for (const [index, cluster] of [one, two].entries()) {
    const {before, after} = at(answer.clusters, index);
    expect(before?.clusterCa.fingerprint).toBe(old[index]);
    expect(after?.clusterCa.fingerprint).not.toBe(old[index]);
    const now = await inSecret(cluster);
    expect([await presented(cluster), after?.clusterCa.fingerprint]).toEqual([[now, now], now]);
  }
  expect(await meet(one, two)).toEqual({there: {ok: true}, back: {ok: true}});
  const verdict = await setting.cli.verify('--wait', '--timeout', '2m');
  expect([verdict.code, findings(verdict)]).toEqual([0, []]);
});

it('does nothing and writes nothing for CAs that are not due', async () => {
  const before = changeTimes(setting.cli.workDir);
  const {code, answer} = await rotate('--within', '30%');
  expect([code, answer.clusters.map(({outcome}) => outcome)]).toEqual([0, ['unchanged', 'unchanged']]);
  expect(changeTimes(setting.cli.workDir)).toEqual(before);
});

it('continues after a run that ended before it pushed, and after one that ended before its proof', async () => {
  await setting.cli.must('certs', 'generate', 'one', '--renew', '--yes');
  const issued = readFileSync(join(setting.cli.workDir, 'one/ca-cert.pem'), 'utf8');
  const {fingerprint} = at(parseCertificates(issued, 'one').certificates, 0);
  const held = at(await istiods(one), 0).name;
  one.kubelet?.holdVolumes(held);
  const ended = await setting.cli.run(['trust', 'rotate', 'cluster-ca', 'one', '--yes', '--timeout', '20s']);
  expect([ended.code, await inSecret(one)]).toEqual([124, fingerprint]);
  one.kubelet?.releaseVolumes(held);
  const {code, answer} = await rotate('one', '--within', '30%');
  expect(code).toBe(0);
  // The kubelet may have been faster than this run.
  expect(['prove', 'none']).toContain(at(answer.clusters, 0).step);
  expect(await presented(one)).toEqual([fingerprint, fingerprint]);
});

it('restores the CA of a cluster with an istiod that does not load the new one, and leaves the next cluster alone', async () => {
  const [before, other] = [await inSecret(one), await inSecret(two)];
  const held = at(await istiods(one), 1).name;
  one.kubelet?.holdVolumes(held);
  const {code, answer} = await rotate('--yes', '--rollback-on-failure');
  one.kubelet?.releaseVolumes(held);
  expect([code, answer.clusters.map(({outcome}) => outcome)]).toEqual([1, ['failed', 'skipped']]);
  expect(answer.clusters[0]).toMatchObject({proven: false, rollback: {outcome: 'done'}});
  expect([await inSecret(one), await inSecret(two)]).toEqual([before, other]);
  expect(await presented(one)).toEqual([before, before]);
}, 900_000);
