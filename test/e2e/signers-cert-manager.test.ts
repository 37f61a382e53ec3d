/**
 * cert-manager fills Secret cacerts. What it would do with the Certificate that is printed for it is done here by openssl,
 * into the Secret that it would write: tls.crt with the CAs below the root, ca.crt with the root. A company's root, an
 * issuing CA, a CA for each cluster.
 */
import {readFileSync} from 'node:fs';
import {join} from 'node:path';
import {afterAll, beforeAll, expect, it} from 'vitest';
import {parse} from 'yaml';
import type {Cluster} from './harness/cluster.js';
import {type FileCa, opensslCa, opensslRoot} from './harness/csr-signer.js';
import {at, startSetting, type Setting} from './harness/mesh.js';
import {findings, MeshCli} from './harness/mesh-cli.js';
import {meet} from './harness/meet.js';

const signer = '{type: external, issuer: cert-manager}';
let setting: Setting;
let root: FileCa;
let issuing: FileCa;

beforeAll(async () => {
  setting = await startSetting({name: 'one'}, {name: 'two'});
  root = opensslRoot(setting.sandbox.dir);
  issuing = opensslCa(setting.sandbox.dir, root, '/O=Company/CN=Issuing CA');
  await setting.cli.must('init', 'one=kwok-one', 'two=kwok-two');
});
afterAll(() => setting.sandbox.close());

interface Certificate {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: {readonly name: string; readonly namespace: string};
  readonly spec: {
    readonly secretName: string;
    readonly isCA: boolean;
    readonly commonName: string;
    readonly subject: {readonly organizations: string[]; readonly localities: string[]};
    readonly issuerRef: {readonly name: string; readonly kind: string};
  };
}

/** What cert-manager does with a Certificate: a new key, a certificate, both in the Secret that it names. */
async function issue(cluster: Cluster, certificate: Certificate): Promise<void> {
  const {metadata, spec} = certificate;
  const {organizations, localities} = spec.subject;
  const subject = `/O=${at(organizations, 0)}/CN=${spec.commonName}/L=${at(localities, 0)}`;
  const ca = opensslCa(setting.sandbox.dir, issuing, subject);
  const text = (...paths: string[]): string => paths.map((path) => readFileSync(path, 'utf8')).join('');
  const base64 = (value: string): string => Buffer.from(value).toString('base64');
  await cluster.api.apply(`/api/v1/namespaces/${metadata.namespace}/secrets/${spec.secretName}`, {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'kubernetes.io/tls',
    metadata: {
      name: spec.secretName,
      annotations: {
        'cert-manager.io/certificate-name': metadata.name,
        'cert-manager.io/issuer-name': spec.issuerRef.name,
        'cert-manager.io/issuer-kind': spec.issuerRef.kind,
      },
    },
    data: {
      'tls.crt': base64(text(ca.certificate, issuing.certificate)),
      'tls.key': base64(text(ca.key)),
      'ca.crt': base64(text(root.certificate)),
    },
  });
}

async function certificateOf(name: string): Promise<Certificate> {
  const {cli} = setting;
  return parse(
    await cli.must('certs', 'request', name, '--cert-manager', '--issuer', 'company', '-o', 'yaml'),
  ) as Certificate;
}

it('refuses to install before the Secret is there, and says how it comes about', async () => {
  const {cli} = setting;
  await cli.must('certs', 'generate', '--signer', signer);
  const run = await cli.run(['up', '-o', 'json']);
  expect(run.code).toBe(5);
  expect(run.stdout).toContain('NO_CACERTS');
  expect(run.stdout).toContain('certs request one --cert-manager');
});

it('makes a mesh with what cert-manager makes of the printed Certificate', async () => {
  const {cli, clusters} = setting;
  for (const cluster of clusters) {
    const certificate = await certificateOf(cluster.name);
    expect([certificate.apiVersion, certificate.kind, certificate.spec.isCA]).toEqual([
      'cert-manager.io/v1',
      'Certificate',
      true,
    ]);
    await cluster.kubectl('create', 'namespace', 'istio-system');
    await issue(cluster, certificate);
  }
  await cli.must('up', '--yes');
  const verdict = await cli.verify();
  expect(findings(verdict)).toEqual([]);
  expect(verdict.code).toBe(0);
  expect(await meet(at(clusters, 0), at(clusters, 1))).toEqual({there: {ok: true}, back: {ok: true}});
});

it('leaves the Secret to cert-manager: nothing to push, nothing to renew here, and a renewal of theirs is green', async () => {
  const {cli, clusters} = setting;
  const before = await at(clusters, 0).api.get('/api/v1/namespaces/istio-system/secrets/cacerts');
  expect((await cli.run(['trust', 'push', '--yes'])).code).toBe(0);
  expect(await at(clusters, 0).api.get('/api/v1/namespaces/istio-system/secrets/cacerts')).toEqual(before);
  expect((await cli.run(['certs', 'generate', '--renew', '--yes'])).code).toBe(5);
  await issue(at(clusters, 0), await certificateOf('one'));
  const verdict = await cli.verify('--wait', '--timeout', '90s');
  expect(findings(verdict)).toEqual([]);
  expect(verdict.code).toBe(0);
});

it('can be adopted: the CAs as files, and who makes them', async () => {
  const {sandbox, clusters} = setting;
  const contexts = Object.fromEntries(clusters.map((cluster) => [cluster.context, cluster]));
  const cli = new MeshCli(sandbox, at(clusters, 0).planes, contexts, 'adopter');
  await cli.must('certs', 'adopt', 'kwok-one', 'kwok-two');
  expect(readFileSync(join(cli.workDir, 'mesh.yaml'), 'utf8')).toContain('issuer: cert-manager');
  expect((await cli.run(['trust', 'diff'])).code).toBe(0);
  const verdict = await cli.verify();
  // True: what the first work directory's journal has is not in this one.
  expect(new Set(findings(verdict).map(({id, result}) => `${id} ${result}`))).toEqual(new Set(['MESH116 warning']));
  expect(verdict.code).toBe(0);
});
