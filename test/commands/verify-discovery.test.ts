/** verify MESH5xx: remote secrets, their tokens and addresses, and what istiods have read. */
import {readFile, writeFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {namespace} from '../helpers/fake-kubectl/fake-cluster.js';
import type {IstiodWords} from '../helpers/fake-istiod.js';
import {kubeconfigOf, readerToken, remoteSecretOf} from '../helpers/remote-secrets.js';
import {findingsIn, rowName, verifiedMesh, verifyJson, type VerifiedMesh} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;

beforeEach(async () => {
  mesh = await verifiedMesh('c1', 'c2');
});
afterEach(() => mesh.stop());

const verify = (...argv: readonly string[]) => verifyJson(mesh, '--only', 'MESH2,MESH5', ...argv);
const secret = 'istio-system/istio-remote-secret-c2';

/** The remote secret for c2 in c1 with another kubeconfig. */
function replaceKubeconfig(kubeconfig: string): void {
  mesh.one('c1').kube.put(remoteSecretOf(mesh.one('c1'), mesh.one('c2'), kubeconfig));
}

describe('a mesh of one cluster', () => {
  it('is not read for remote secrets', async () => {
    const path = join(mesh.dir, 'mesh.yaml');
    const text = await readFile(path, 'utf8');
    await writeFile(path, text.slice(0, text.indexOf('  - name: c2')));
    const {kube, says} = mesh.one('c1');
    says.clusters.pop();
    kube.deny({verb: 'get', resource: 'secrets', name: 'istio-remote-secret-c1'});
    const {code, rows} = await verify();
    expect(findingsIn(rows).map(rowName)).toEqual([]);
    expect(code).toBe(0);
    expect(kube.requests.flatMap(({name}) => (name?.startsWith('istio-remote-secret') === true ? [name] : []))).toEqual(
      [],
    );
  });
});

describe('a linked mesh', () => {
  it('is ok in both directions', async () => {
    const {code, rows} = await verify();
    expect(code).toBe(0);
    const judged = rows.filter(({id}) => id.startsWith('MESH5'));
    expect(new Set(judged.map(({result}) => result))).toEqual(new Set(['ok']));
    expect(judged.filter(({id}) => id === 'MESH503').map(rowName)).toEqual(['MESH503 c1 c2 ok', 'MESH503 c2 c1 ok']);
  });

  it.each([
    ['--no-secrets', ['MESH501', 'MESH503', 'MESH504', 'MESH505']],
    ['--no-live', ['MESH502', 'MESH506', 'MESH507']],
  ])('is judged as far as possible with %s', async (flag, skipped) => {
    const {code, rows} = await verify(flag);
    expect(code).toBe(0);
    const ids = rows.filter(({id, result}) => id.startsWith('MESH5') && result === 'skipped').map(({id}) => id);
    expect([...new Set(ids)]).toEqual(skipped);
    const reviews = mesh.one('c2').kube.requests.filter(({resource}) => resource === 'tokenreviews');
    expect(reviews).toHaveLength(flag === '--no-secrets' ? 0 : 1);
  });

  it('shows no token', async () => {
    const token = readerToken(mesh.one('c2'));
    replaceKubeconfig(kubeconfigOf(mesh.one('c2'), token));
    const {output} = await verify('--access');
    expect(output).toContain('MESH503');
    expect(output).not.toContain(token.slice(0, token.indexOf('.') + 20));
  });
});

describe('a fault of discovery', () => {
  const link = 'kubectl mesh link c1 --yes';

  it.each<[string, () => void, readonly string[], string]>([
    [
      'without a remote secret',
      () => {
        const {kube, says} = mesh.one('c1');
        kube.remove('Secret', secret);
        says.clusters.pop();
      },
      ['MESH501 c1 c2 error'],
      link,
    ],
    [
      "with the reader's own token in it",
      () => {
        replaceKubeconfig(kubeconfigOf(mesh.one('c2'), readerToken(mesh.one('c1'))));
      },
      ['MESH503 c1 c2 error'],
      link,
    ],
    [
      'without the service account in the peer',
      () => {
        mesh.one('c2').kube.remove('ServiceAccount', 'istio-system/istio-reader-service-account');
        replaceKubeconfig(kubeconfigOf(mesh.one('c2'), readerToken(mesh.one('c1'))));
      },
      ['MESH503 c1 c2 error'],
      `kubectl mesh install apply c2 --yes && ${link}`,
    ],
    [
      'with an expired token',
      () => {
        replaceKubeconfig(kubeconfigOf(mesh.one('c2'), readerToken(mesh.one('c2'), {exp: 1_700_000_000})));
      },
      ['MESH503 c1 c2 error'],
      link,
    ],
    [
      'with a server that istiod does not reach',
      () => {
        const kubeconfig = kubeconfigOf(mesh.one('c2')).replace(/server: .*/, 'server: https://old.example');
        replaceKubeconfig(kubeconfig);
        statusOf('timeout');
      },
      ['MESH505 c1 c2 error'],
      link,
    ],
    [
      'without endpoints',
      () => {
        delete mesh.one('c1').says.endpoints.c2;
      },
      ['MESH507 c1 c2 error'],
      'kubectl --context ctx-c1 -n istio-system rollout restart deployment/istiod',
    ],
  ])('is one finding with its fix: %s', async (_, spoil, expected, fix) => {
    spoil();
    const {code, rows} = await verify();
    expect(findingsIn(rows).map(rowName)).toEqual(expected);
    expect(findingsIn(rows).map((row) => row.fix)).toEqual([fix]);
    expect(code).toBe(3);
  });

  it('shows a Secret that another tool manages, which link refuses to change', async () => {
    const token = readerToken(mesh.one('c1'));
    const remote = remoteSecretOf(mesh.one('c1'), mesh.one('c2'), kubeconfigOf(mesh.one('c2'), token));
    const ownerReferences = [{kind: 'ExternalSecret', name: 'c2', uid: '1', apiVersion: 'external-secrets.io/v1'}];
    mesh.one('c1').kube.put({...remote, metadata: {...remote.metadata, ownerReferences}});
    const {rows} = await verify();
    expect(findingsIn(rows)).toMatchObject([
      {
        id: 'MESH503',
        fix: 'kubectl --context ctx-c1 -n istio-system describe secret istio-remote-secret-c2',
        note: expect.stringMatching(/^ExternalSecret c2 manages/) as unknown,
      },
    ]);
  });

  it('is a remote secret of a cluster that is not in mesh.yaml', async () => {
    const gone = {id: 'gone', secretName: 'istio-system/istio-remote-secret-gone', syncStatus: 'timeout'};
    mesh.one('c1').says.clusters.push(gone);
    const {rows} = await verify();
    expect(findingsIn(rows).map(rowName)).toEqual(['MESH502 c1 error']);
    expect(findingsIn(rows)[0]?.fix).toBe(
      'kubectl --context ctx-c1 -n istio-system delete secret istio-remote-secret-gone --ignore-not-found',
    );
  });
});

describe('a service that istiod of one cluster lacks', () => {
  const names = ['default/kubernetes', 'istio-system/istiod', 'shop/cart'];
  const ofPeer = (services: readonly string[]): object =>
    Object.fromEntries(
      names.map((service) => {
        const [namespace = '', name = ''] = service.split('/');
        const peer = services.includes(service) ? {'Kubernetes/c2': [{}]} : {};
        return [`${name}.${namespace}.svc.cluster.local`, {[namespace]: {Shards: {'Kubernetes/c1': [{}], ...peer}}}];
      }),
    );

  it.each<readonly [string, readonly string[], readonly string[]]>([
    ['still, is a finding', names.slice(0, 2), ['MESH507 c1 c2 warning']],
    ['only at first, has just been created', names, []],
  ])('%s', async (_, second, expected) => {
    let requests = 0;
    mesh.one('c1').says.current['/debug/endpointShardz'] = () => {
      requests += 1;
      return ofPeer(requests === 1 ? names.slice(0, 2) : second);
    };
    const {rows} = await verify();
    expect(findingsIn(rows).map(rowName)).toEqual(expected);
    expect(requests).toBe(2);
  });
});

describe('the credentials of a proxy', () => {
  it('are in no output', async () => {
    const server = 'server: https://lb.example.com\n      proxy-url: http://user:hunter2@proxy.example.com:3128';
    replaceKubeconfig(kubeconfigOf(mesh.one('c2')).replace(/server: .*/, server));
    statusOf('timeout');
    const {rows, output} = await verify('--access');
    expect(findingsIn(rows).map(rowName)).toEqual(['MESH505 c1 c2 error']);
    expect(output).not.toContain('hunter2');
  });
});

describe('what is not observed', () => {
  it.each(['c1', 'c2'])('no token is sent by or to %s if its context points to another cluster', async (name) => {
    const {kube: other} = mesh.one(name);
    other.remove('Namespace', 'kube-system');
    other.put(namespace('kube-system'));
    const {rows} = await verify();
    expect(findingsIn(rows).map(rowName)).toEqual([`MESH203 ${name} error`]);
    expect(rows.filter(({id}) => id === 'MESH503').map(({result}) => result)).toEqual(['unknown', 'unknown']);
    const reviews = mesh.clusters.flatMap(({kube}) =>
      kube.requests.filter(({resource}) => resource === 'tokenreviews'),
    );
    expect(reviews).toEqual([]);
  });

  it('is unknown for one pair if the peer forbids TokenReviews', async () => {
    mesh.one('c2').kube.deny({verb: 'create', resource: 'tokenreviews'});
    const {code, rows} = await verify();
    expect(code).toBe(4);
    const unknown = rows.filter(({result}) => result === 'unknown');
    expect(unknown.map(rowName)).toEqual(['MESH202 c2 unknown', 'MESH503 c1 c2 unknown']);
    expect(unknown[1]).toMatchObject({error: {code: 'FORBIDDEN'}, impliedBy: 'MESH202'});
  });

  it('is unknown, and no missing Secret, if reading the remote secret is forbidden', async () => {
    mesh.one('c1').kube.deny({verb: 'get', resource: 'secrets', name: 'istio-remote-secret-c2'});
    const {rows} = await verify();
    const ids = rows.filter(({result}) => result === 'unknown').map(rowName);
    expect(ids).toEqual([
      'MESH202 c1 unknown',
      ...['MESH501', 'MESH503', 'MESH504', 'MESH505'].map((id) => `${id} c1 c2 unknown`),
    ]);
  });

  it('is unknown if a missing Secret may have another name', async () => {
    mesh.one('c1').kube.remove('Secret', secret);
    const {rows} = await verify('--no-live');
    expect(findingsIn(rows).map(rowName)).toEqual(['MESH501 c1 c2 unknown']);
  });
});

/** istiod of c1 reports c2 like this. */
function statusOf(syncStatus: IstiodWords['clusters'][number]['syncStatus']): void {
  const {says} = mesh.one('c1');
  says.clusters = says.clusters.map((one) => (one.id === 'c2' ? {...one, syncStatus} : one));
}
