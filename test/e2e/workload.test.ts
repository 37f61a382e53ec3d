/** A certificate made by `certs workload` beside those that real istiods issue: the same kind, and accepted by the same peers. */
import {X509Certificate} from 'node:crypto';
import {mkdtempSync, readFileSync, writeFileSync} from 'node:fs';
import {tmpdir} from 'node:os';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {openssl} from '../helpers/openssl.js';
import type {Cluster} from './harness/cluster.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {bothWays} from './harness/mtls.js';
import {type Identity, spiffeId, startWorkload, type Workload} from './harness/workload.js';

let setting: Setting;
let clusters: readonly [Cluster, Cluster];
let workloads: readonly Workload[];

beforeAll(async () => {
  setting = await startSetting({name: 'one'}, {name: 'two'});
  clusters = [at(setting.clusters, 0), at(setting.clusters, 1)];
  const {cli} = setting;
  await cli.must('init', 'one=kwok-one', 'two=kwok-two');
  await cli.must('certs', 'generate', '--key-algorithm', 'ecdsa-p256');
  await cli.must('up');
  workloads = await Promise.all(clusters.map((cluster) => startWorkload(cluster)));
});
afterAll(() => setting.sandbox.close());

/** The machine outside of Kubernetes, with the files as `certs workload` left them. */
async function machine(name: string, cluster: string, ...flags: string[]): Promise<Identity> {
  await setting.cli.must('certs', 'workload', name, '--cluster', cluster, ...flags);
  const read = (file: string): string =>
    readFileSync(join(setting.cli.workDir, cluster, 'workloads', name, file), 'utf8');
  const certificates = read('cert-chain.pem');
  return {
    name,
    certificates,
    key: read('key.pem'),
    roots: read('root-cert.pem'),
    spiffeId: spiffeId(new X509Certificate(certificates).subjectAltName) ?? '',
  };
}

const identities = (): Promise<readonly Identity[]> => Promise.all(workloads.map((workload) => workload.identity()));
const accepted = {there: {ok: true}, back: {ok: true}};
const blocks = (text: string): string[] =>
  (text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []).map(
    (block) => new X509Certificate(block).fingerprint256,
  );

/** What openssl says of the leaf, without what differs from one to the next. */
function kindOf(certificates: string): readonly string[] {
  const file = join(mkdtempSync(join(tmpdir(), 'kmw-')), 'chain.pem');
  writeFileSync(file, certificates);
  const ext = 'basicConstraints,keyUsage,extendedKeyUsage,authorityKeyIdentifier';
  const text = openssl(['x509', '-in', file, '-noout', '-subject', '-issuer', '-ext', ext]);
  const names = openssl(['x509', '-in', file, '-noout', '-ext', 'subjectAltName']);
  // Each extension by itself: their order means nothing.
  return [...text.split(/^(?=X509v3)/m).map((part) => part.trim()), names.split('\n')[0] ?? ''].sort();
}

it('is accepted by workloads of both clusters, and accepts them, in both directions', async () => {
  const peers = await identities();
  for (const cluster of ['one', 'two']) {
    const vm = await machine('vms/database', cluster);
    expect(vm.spiffeId).toBe('spiffe://cluster.local/ns/vms/sa/database');
    for (const peer of peers) expect(await bothWays(vm, peer), `${cluster} and ${peer.name}`).toEqual(accepted);
  }
});

it('is of the kind that istiod issues: subject, issuer, extensions, criticality', async () => {
  const [issued] = await identities();
  const made = await machine('vms/database', 'one');
  expect(kindOf(made.certificates)).toEqual(kindOf(issued?.certificates ?? ''));
});

it("brings the chain of istiod's answer", async () => {
  const [issued] = await identities();
  const made = await machine('vms/database', 'one');
  // istiod puts the root behind a chain that may end with it already.
  const answer = [...new Set(blocks(issued?.certificates ?? '').slice(1))];
  expect(blocks(made.certificates).slice(1)).toEqual(answer);
  expect(made.roots.trimEnd()).toBe(issued?.roots.trimEnd());
});

it('control experiment: one of another mesh is accepted by nobody', async () => {
  const root = join(mkdtempSync(join(tmpdir(), 'kmw-')), 'mesh');
  await setting.cli.must('certs', 'generate', 'one', '--key-algorithm', 'ecdsa-p256', '-w', root);
  await setting.cli.must('certs', 'workload', 'vms/database', '--cluster', 'one', '-w', root);
  const read = (file: string): string => readFileSync(join(root, 'one/workloads/vms/database', file), 'utf8');
  const vm = {...(await machine('vms/database', 'one')), certificates: read('cert-chain.pem'), key: read('key.pem')};
  for (const peer of await identities()) {
    const {there, back} = await bothWays(vm, peer);
    expect([there.ok, back.ok]).toEqual([false, false]);
  }
});
