/**
 * Workload certificates from a signer of Kubernetes' CertificateSigningRequests: no cacerts anywhere, and `up` makes a mesh.
 * Each cluster's signer has a CA of its own below the company's root: a deeper hierarchy.
 */
import {copyFileSync, readFileSync, rmSync, writeFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {opensslCa, opensslRoot, opensslServer, startCsrSigner} from './harness/csr-signer.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {findings} from './harness/mesh-cli.js';
import {meet} from './harness/meet.js';

const signerName = 'clusterissuers.example.com/mesh';
let setting: Setting;
let signers: readonly {stop(): void}[];

beforeAll(async () => {
  setting = await startSetting({name: 'one'}, {name: 'two'});
  const {clusters, cli, sandbox} = setting;
  const root = opensslRoot(sandbox.dir);
  signers = clusters.map((cluster) =>
    startCsrSigner(cluster, signerName, opensslCa(sandbox.dir, root, `/O=Company/CN=Issuing CA ${cluster.name}`)),
  );
  await cli.must('init', 'one=kwok-one', 'two=kwok-two');
  const meshYaml = join(cli.workDir, 'mesh.yaml');
  const signer = `trust:\n  signer: {type: external, issuer: kubernetes-csr, signerName: ${signerName}}\n`;
  writeFileSync(meshYaml, readFileSync(meshYaml, 'utf8') + signer);
  copyFileSync(root.certificate, join(cli.workDir, 'root-cert.pem'));
});
afterAll(async () => {
  for (const signer of signers) signer.stop();
  await setting.sandbox.close();
});

it('makes a mesh with up, without any CA in it, and verify is green', async () => {
  const {cli, clusters} = setting;
  const output = await cli.must('up');
  expect(output).toContain('Verdict: ok');
  const verdict = await cli.verify();
  expect(findings(verdict)).toEqual([]);
  expect(verdict.code).toBe(0);
  const resultOf = (id: string): readonly string[] =>
    verdict.checks.filter((row) => row.id === id).map(({result}) => result);
  // About a CA that nobody has here; and what is live is judged all the same.
  for (const id of ['MESH102', 'MESH301', 'MESH302', 'MESH303']) expect(resultOf(id)).toEqual(['skipped', 'skipped']);
  for (const id of ['MESH304', 'MESH307']) expect(resultOf(id)).toEqual(['ok', 'ok']);
  for (const cluster of clusters) {
    expect(await cluster.api.find('/api/v1/namespaces/istio-system/secrets/cacerts')).toBeUndefined();
    expect(await cluster.api.find('/api/v1/namespaces/istio-system/secrets/istio-ca-secret')).toBeUndefined();
  }
  expect((await cli.run(['trust', 'push'])).code).toBe(0);
  expect((await cli.run(['trust', 'diff'])).code).toBe(0);
  expect((await cli.run(['certs', 'generate', '--renew', '--yes'])).code).toBe(5);
});

it('lets workloads of both clusters meet by mutual TLS', async () => {
  const options = {proxyMetadata: {ISTIO_META_CERT_SIGNER: 'mesh'}};
  expect(await meet(at(setting.clusters, 0), at(setting.clusters, 1), options)).toEqual({
    there: {ok: true},
    back: {ok: true},
  });
});

it('finds a cacerts that was left behind', async () => {
  await at(setting.clusters, 0).kubectl(
    '-n',
    'istio-system',
    'create',
    'secret',
    'generic',
    'cacerts',
    '--from-literal=a=b',
  );
  const verdict = await setting.cli.verify('--fail-on', 'warning');
  expect(findings(verdict).map(({id, cluster, result}) => `${id} ${cluster ?? ''} ${result}`)).toEqual([
    'MESH301 one warning',
  ]);
  expect(verdict.code).toBe(3);
});

/**
 * What istio-csr leaves in a cluster, without istio-csr, which is a container image: istiod's certificate in Secret istiod-tls,
 * and the root in ConfigMap istio-ca-root-cert. That istiod takes both, and is no CA, shows; workloads have nobody to ask.
 */
it('installs an istiod that is no CA for istio-csr, and verify is green', async () => {
  const {cli, clusters, sandbox} = setting;
  for (const signer of signers) signer.stop();
  const root = opensslRoot(sandbox.dir, 'Root of istio-csr');
  const meshYaml = join(cli.workDir, 'mesh.yaml');
  const yaml = readFileSync(meshYaml, 'utf8').replace(/issuer: kubernetes-csr, signerName: [^}]+/, 'issuer: istio-csr');
  writeFileSync(meshYaml, yaml);
  rmSync(join(cli.workDir, 'root-cert.pem'));
  for (const cluster of clusters) {
    await cluster.kubectl('-n', 'istio-system', 'delete', 'secret', 'cacerts', '--ignore-not-found');
    const issuing = opensslCa(sandbox.dir, root, `/O=Company/CN=Issuing CA ${cluster.name}`);
    const {certificate, key} = opensslServer(sandbox.dir, issuing, 'istiod.istio-system.svc');
    const files = [`--cert=${certificate}`, `--key=${key}`];
    await cluster.kubectl('-n', 'istio-system', 'create', 'secret', 'tls', 'istiod-tls', ...files);
  }
  await cli.must('install', 'render');
  await cli.must('install', 'apply', '--yes');
  // The istiod of before wrote its own until it ended.
  const text = readFileSync(root.certificate, 'utf8');
  for (const cluster of clusters) {
    for (const namespace of ['default', 'istio-system', 'kube-system']) {
      await cluster.api.apply(`/api/v1/namespaces/${namespace}/configmaps/istio-ca-root-cert`, {
        apiVersion: 'v1',
        kind: 'ConfigMap',
        metadata: {name: 'istio-ca-root-cert', labels: {'istio.io/config': 'true'}},
        data: {'root-cert.pem': text},
      });
    }
  }
  const verdict = await cli.verify('--wait', '--timeout', '1m');
  expect(findings(verdict)).toEqual([]);
  expect(verdict.checks.filter(({id}) => id === 'MESH307').map(({result}) => result)).toEqual(['ok', 'ok']);
});
