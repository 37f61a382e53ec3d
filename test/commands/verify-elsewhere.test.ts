import {readdir, rm} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {annotations} from '../../src/domain/trust/cacerts.js';
import type {Row} from '../../src/domain/checks/report.js';
import {secret} from '../helpers/fake-kubectl/fake-cluster.js';
import {textsOf} from '../helpers/trust-mesh.js';
import {bundleOf, tinyLeaf} from '../helpers/tiny-ca.js';
import {findingsIn, verifiedMesh, verifyJson, type VerifiedMesh} from '../helpers/verify-mesh.js';
import type {AsJson} from '../helpers/suggestions.js';

let mesh: VerifiedMesh;

beforeEach(async () => {
  mesh = await verifiedMesh('c1', 'c2');
});
afterEach(() => mesh.stop());

const verify = (...argv: string[]) => verifyJson(mesh, ...argv);

const bad = (checks: readonly AsJson<Row>[]): readonly string[] =>
  findingsIn(checks).map(({id, cluster, result, observed, reason}) =>
    [id, cluster, result, observed || reason].join(' '),
  );

/** The Secret that cert-manager writes for a Certificate with `isCA: true`. */
function certManagers(
  name: string,
  change: (data: Record<string, string>) => Record<string, string> = (data) => data,
): void {
  const {ca, kube} = mesh.one(name);
  const texts = textsOf(bundleOf(ca, [mesh.root]));
  const data = {
    'tls.crt': texts['ca-cert.pem'] ?? '',
    'tls.key': texts['ca-key.pem'] ?? '',
    'ca.crt': texts['root-cert.pem'] ?? '',
  };
  const metadata = {
    name: 'cacerts',
    namespace: 'istio-system',
    annotations: {'cert-manager.io/certificate-name': 'istio-ca'},
  };
  kube.remove('Secret', 'istio-system/cacerts');
  kube.put(secret('istio-system/cacerts', change(data), {type: 'kubernetes.io/tls', metadata}));
}

async function keepOnly(...names: readonly string[]): Promise<void> {
  for (const name of await readdir(mesh.dir)) {
    if (!names.includes(name)) await rm(join(mesh.dir, name), {recursive: true});
  }
}

const rowsOf = async (id: string, ...argv: string[]) => {
  const {rows: checks} = await verify('c1', ...argv);
  return checks.filter((row) => row.id === id).map(({result}) => result);
};

describe('a mesh whose CAs cert-manager issues, and a work directory with mesh.yaml only', () => {
  beforeEach(async () => {
    for (const {name} of mesh.clusters) certManagers(name);
    await keepOnly('mesh.yaml');
  });

  it('is ok, and reports why no CA is expected', async () => {
    const {code, rows: checks} = await verify();
    expect([code, ...bad(checks)]).toEqual([0]);
    expect(checks.filter(({id}) => id === 'MESH102')).toMatchObject([
      {
        result: 'skipped',
        reason: 'Secret cacerts is managed by cert-manager Certificate istio-ca, and c1/ holds no CA',
      },
      {result: 'skipped'},
    ]);
    // Without a comparison, nothing is reported as equal.
    for (const {expected} of checks.filter(({id}) => id === 'MESH301')) expect(expected).toMatch(/none to compare/);
  });

  it.each<[string, (data: Record<string, string>) => Record<string, string>]>([
    [
      'lacks the root',
      ({'tls.crt': certificate = '', 'tls.key': key = ''}) => ({'tls.crt': certificate, 'tls.key': key}),
    ],
    [
      'has the key of another certificate',
      (data) => ({...data, 'tls.key': textsOf(mesh.bundle('c1'))['ca-key.pem'] ?? ''}),
    ],
  ])('is an error of MESH301 if the Secret %s, fixed by cert-manager and never by a push', async (_, change) => {
    certManagers('c1', change);
    const {rows: checks} = await verify();
    const wrong = checks.filter(({result}) => result === 'error');
    expect(wrong.map(({id, cluster}) => `${id} ${cluster ?? ''}`)).toContain('MESH301 c1');
    expect(wrong.find(({id}) => id === 'MESH301')?.fix).toBe('cmctl --context ctx-c1 renew -n istio-system istio-ca');
    expect(wrong.filter(({fix}) => /trust push|certs generate/.test(fix))).toEqual([]);
  });

  it('is fixed by a restart if istiod did not load it, not by a push', async () => {
    mesh.one('c1').present([await tinyLeaf(mesh.one('c2').ca), mesh.one('c2').ca, mesh.root]);
    const {rows: checks} = await verify();
    expect(checks.find(({id, result}) => id === 'MESH303' && result === 'error')?.fix).toBe(
      'kubectl --context ctx-c1 -n istio-system rollout restart deployment -l app=istiod',
    );
  });

  it('is not checked for CA files with --no-secrets, and lacks them with --offline', async () => {
    expect(await rowsOf('MESH102', '--no-secrets')).toEqual(['skipped']);
    expect(await rowsOf('MESH102', '--offline')).toEqual(['error']);
  });

  it('is unknown if the Secret cannot be read: the missing permission is the cause', async () => {
    mesh.one('c1').kube.deny({resource: 'secrets', name: 'cacerts'});
    const {code, rows: checks} = await verify('c1');
    expect(code).toBe(4);
    expect(checks.find(({id}) => id === 'MESH102')).toMatchObject({result: 'unknown', impliedBy: 'MESH202'});
    expect(bad(checks).map((row) => row.slice(0, 7))).toEqual(['MESH202']);
  });

  it('is unknown if the API server does not respond', async () => {
    mesh.one('c1').kube.fault({}, 'drop', 999);
    const {code, rows: checks} = await verify('c1', '--request-timeout', '5s');
    expect([code, ...bad(checks).map((row) => row.slice(0, 7))]).toEqual([4, 'MESH201']);
  });
});

describe('an empty cluster directory', () => {
  beforeEach(() => keepOnly('mesh.yaml'));

  it('is an error if the cluster has no cacerts either', async () => {
    mesh.one('c1').kube.remove('Secret', 'istio-system/cacerts');
    expect(await rowsOf('MESH102')).toEqual(['error']);
  });

  it('is an error if the Secret is incomplete and not managed', async () => {
    mesh.one('c1').kube.put(secret('istio-system/cacerts', {'ca-cert.pem': mesh.one('c1').ca.certificate.pem}));
    expect(await rowsOf('MESH102')).toEqual(['error']);
  });

  it('is an error if the Secret was pushed from a work directory', async () => {
    const {kube, ca} = mesh.one('c1');
    const metadata = {
      name: 'cacerts',
      namespace: 'istio-system',
      annotations: {[annotations.writtenBy]: 'kubectl-mesh'},
    };
    kube.put(secret('istio-system/cacerts', textsOf(bundleOf(ca, [mesh.root])), {metadata}));
    expect(await rowsOf('MESH102')).toEqual(['error']);
  });

  it('is ok if a complete Secret was created manually', async () => {
    expect(await rowsOf('MESH102')).toEqual(['skipped']);
  });
});

describe('a checkout without keys', () => {
  beforeEach(async () => {
    for (const {name} of mesh.clusters) await rm(join(mesh.dir, name, 'ca-key.pem'));
  });

  it('is ok', async () => {
    const {code, rows: checks} = await verify();
    expect([code, ...bad(checks)]).toEqual([0]);
  });

  it('is ok if cert-manager writes the same certificates: the layout does not matter', async () => {
    for (const {name} of mesh.clusters) certManagers(name);
    const {code, rows: checks} = await verify();
    expect([code, ...bad(checks)]).toEqual([0]);
  });
});
