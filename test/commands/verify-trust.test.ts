/** Checks across clusters, of webhooks and of the age of the roots: MESH306, MESH307, MESH310. */
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {type FakeObject, configMap, secret} from '../helpers/fake-kubectl/fake-cluster.js';
import {tinyClusterCa, tinyLeaf, tinyRoot, type TinyOptions} from '../helpers/tiny-ca.js';
import {istiod, pod} from '../helpers/trust-mesh.js';
import {
  bundleNamespaces,
  publishedBundle,
  rowName,
  verifiedMesh,
  verifyJson,
  webhooksOf,
  type VerifiedMesh,
} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;

beforeEach(async () => {
  mesh = await verifiedMesh('c1', 'c2');
});
afterEach(() => mesh.stop());

const verify = (only: string, ...argv: string[]) => verifyJson(mesh, '--only', only, ...argv);

/** Another revision in c1, whose bundle has its own name; undefined: it was not written. */
function putCanary(bundle: string | undefined): void {
  const {kube} = mesh.one('c1');
  const canary = istiod('1.31.0', {CLUSTER_ID: 'c1', PILOT_CA_CERT_CONFIGMAP: 'our-roots'});
  const labels = {...canary.metadata.labels, 'istio.io/rev': 'canary'};
  kube.put({...canary, metadata: {...canary.metadata, name: 'istiod-canary', labels}});
  if (bundle !== undefined) kube.put(configMap('istio-system/our-roots', {'root-cert.pem': bundle}));
}

describe("istiod's self-signed root (MESH304)", () => {
  it('is found in the bundle of any revision', async () => {
    const {certificate} = await tinyRoot();
    mesh.one('c1').kube.put(secret('istio-system/istio-ca-secret', {'ca-cert.pem': certificate.pem}));
    putCanary(certificate.pem);
    const {rows} = await verify('MESH304');
    expect(rows.map(rowName)).toEqual(['MESH304 c1 error', 'MESH304 c2 ok']);
  });
});

describe('acceptance between clusters (MESH307)', () => {
  it('is checked in both directions', async () => {
    const {code, rows} = await verify('MESH307');
    expect([code, ...rows.map(rowName)]).toEqual([0, 'MESH307 c1 c2 ok', 'MESH307 c2 c1 ok']);
  });

  it('does not apply to one cluster', async () => {
    expect((await verify('MESH307', 'c1')).rows).toEqual([]);
  });

  it('fails if an istiod presents a chain of another root, and names the clusters, the root and the push', async () => {
    const other = await tinyRoot();
    const ca = await tinyClusterCa(other, 'c2');
    mesh.one('c2').present([await tinyLeaf(ca), ca, other]);
    const {code, rows} = await verify('MESH307');
    expect([code, ...rows.map(rowName)]).toEqual([3, 'MESH307 c1 c2 error', 'MESH307 c2 c1 ok']);
    expect(rows[0]?.observed).toMatch(/^istiod-1 of c2 presents .*L=c2.*: .*L=c2" is not signed by any of these roots/);
    expect(rows[0]?.fix).toBe('kubectl mesh trust push c2 --restart-istiod --yes');
  });

  it('attributes the finding to the side whose roots differ from the work directory', async () => {
    mesh.one('c1').publish((await tinyRoot()).certificate.pem);
    const {rows} = await verify('MESH307');
    expect(rows.map(rowName)).toEqual(['MESH307 c1 c2 error', 'MESH307 c2 c1 ok']);
    expect(rows[0]?.fix).toBe('kubectl mesh trust push c1 --restart-istiod --yes');
  });

  it('is ok during a rotation: bundles differ but contain the root of the other side', async () => {
    const next = await tinyRoot();
    mesh.one('c1').publish(next.certificate.pem + mesh.root.certificate.pem);
    const {code} = await verify('MESH307,MESH306');
    expect(code).toBe(0);
  });

  it.each(['root', 'cluster CA'])('checks dates: an expired %s is rejected, even with equal bytes', async (expired) => {
    const past = new Date(Date.now() - 20 * 86_400_000);
    const until = (what: string): TinyOptions => ({
      now: past,
      change: (template) => ({
        ...template,
        notAfter: new Date(Date.now() + (what === expired ? -1 : 1) * 86_400_000),
      }),
    });
    const root = await tinyRoot(until('root'));
    const ca = await tinyClusterCa(root, 'c2', until('cluster CA'));
    const chain = [await tinyLeaf(ca, until('leaf')), ca, root];
    mesh.one('c1').publish(root.certificate.pem);
    mesh.one('c2').present(chain);
    const {rows} = await verify('MESH307');
    expect(rows.map(rowName)).toContain('MESH307 c1 c2 error');
    expect(rows[0]?.observed).toMatch(/expired on/);
  });

  it('is unknown, with the reason, if the trusted roots are unknown; the other direction is known', async () => {
    mesh.one('c1').kube.remove('ConfigMap', 'istio-system/istio-ca-root-cert');
    const {code, rows} = await verify('MESH307');
    expect([code, ...rows.map(rowName)]).toEqual([4, 'MESH307 c1 c2 unknown', 'MESH307 c2 c1 ok']);
    expect(rows[0]?.reason).toMatch(/ConfigMap istio-ca-root-cert not found/);
  });

  it('reads the bundle under the name that istiod uses', async () => {
    const {kube} = mesh.one('c1');
    kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1', PILOT_CA_CERT_CONFIGMAP: 'our-roots'}));
    kube.remove('ConfigMap', 'istio-system/istio-ca-root-cert');
    kube.put(configMap('istio-system/our-roots', {'root-cert.pem': mesh.root.certificate.pem}));
    expect((await verify('MESH307')).rows.map(rowName)).toEqual(['MESH307 c1 c2 ok', 'MESH307 c2 c1 ok']);
  });

  it.each([
    ['the same', true, 'ok'],
    ['another root', false, 'error'],
  ])('uses the roots in all bundles if revisions use different names: %s', async (_, isSame, result) => {
    putCanary((isSame ? mesh.root : await tinyRoot()).certificate.pem);
    const {rows} = await verify('MESH307');
    expect(rows.map(rowName)).toEqual([`MESH307 c1 c2 ${result}`, 'MESH307 c2 c1 ok']);
  });

  it('is unknown, and names the revision, if its bundle is missing', async () => {
    putCanary(undefined);
    const {rows} = await verify('MESH307');
    expect(rows.map(rowName)).toEqual(['MESH307 c1 c2 unknown', 'MESH307 c2 c1 ok']);
    expect(rows[0]?.reason).toMatch(/ConfigMap our-roots not found in/);
  });

  it('is skipped if a ClusterTrustBundle contains the roots, and reports what was not verified', async () => {
    mesh.one('c1').kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1', ENABLE_CLUSTER_TRUST_BUNDLE_API: 'true'}));
    const {rows} = await verify('MESH307');
    expect(rows.map(rowName)).toEqual(['MESH307 c1 c2 skipped', 'MESH307 c2 c1 ok']);
    expect(rows[0]?.reason).toMatch(/whether c1 trusts c2 is unknown/);
  });
});

describe('webhooks (MESH306)', () => {
  const foreign = async (): Promise<readonly FakeObject[]> => webhooksOf((await tinyRoot()).certificate.pem);

  it.each([
    ['istio-sidecar-injector', 0],
    ['istio-revision-tag-prod', 1],
    ['istio-validator-istio-system', 2],
  ] as const)('of %s with another caBundle are an error that names it', async (configuration, index) => {
    const object = (await foreign())[index];
    if (!object) throw new Error('a webhook');
    mesh.one('c1').kube.put(object);
    const {code, rows} = await verify('MESH306', 'c1');
    expect([code, ...rows.map(rowName)]).toEqual([3, 'MESH306 c1 error']);
    expect(rows[0]?.observed).toContain(configuration);
    expect(rows[0]?.fix).toBe('kubectl --context ctx-c1 -n istio-system rollout restart deployment/istiod');
  });

  it.each([
    ['', 'an empty caBundle'],
    ['garbage', 'an unreadable caBundle'],
  ])('with the caBundle "%s" are an error', async (text, words) => {
    for (const object of webhooksOf(text).slice(0, 1)) mesh.one('c1').kube.put(object);
    const {rows} = await verify('MESH306', 'c1');
    expect(rows.map(rowName)).toEqual(['MESH306 c1 error']);
    expect(rows[0]?.observed).toContain(words);
  });

  it('that no istiod manages are fixed with the label that istiod selects', async () => {
    const [object] = await foreign();
    if (!object) throw new Error('a webhook');
    mesh.one('c1').kube.put({...object, metadata: {...object.metadata, labels: {}}});
    const {rows} = await verify('MESH306', 'c1');
    expect(rows[0]?.fix).toBe(
      'kubectl --context ctx-c1 label mutatingwebhookconfiguration istio-sidecar-injector istio.io/rev=default --overwrite',
    );
  });

  it('in another order and with other bytes between certificates are equal', async () => {
    const next = await tinyRoot();
    const {kube, publish} = mesh.one('c1');
    publish(mesh.root.certificate.pem + next.certificate.pem);
    for (const object of webhooksOf(`${next.certificate.pem}\n\n${mesh.root.certificate.pem}`)) kube.put(object);
    expect((await verify('MESH306', 'c1')).rows.map(rowName)).toEqual(['MESH306 c1 ok']);
  });

  it.each<[string, (object: FakeObject) => FakeObject]>([
    ['point to a URL', (object) => withClient(object, {url: 'https://other.example/inject'})],
    ['point to another namespace', (object) => withClient(object, {service: {namespace: 'istio-two', name: 'istiod'}})],
    ['point to another program', (object) => withClient(object, {service: {namespace: 'istio-system', name: 'kiali'}})],
  ])('that %s are ok', async (_, change) => {
    for (const object of await foreign()) {
      const changed = change(object);
      mesh.one('c1').kube.put({...changed, metadata: {...changed.metadata, name: `other-${object.metadata.name}`}});
    }
    expect((await verify('MESH306', 'c1')).rows.map(rowName)).toEqual(['MESH306 c1 ok']);
  });

  it('are skipped if istiod does not run', async () => {
    mesh.one('c1').kube.remove('Deployment', 'istio-system/istiod');
    for (const object of await foreign()) mesh.one('c1').kube.put(object);
    expect((await verify('MESH306', 'c1')).rows.map(rowName)).toEqual(['MESH306 c1 skipped']);
  });
});

function withClient(object: FakeObject, client: object): FakeObject {
  const webhooks = object.webhooks as readonly {readonly clientConfig: {readonly caBundle: string}}[];
  return {
    ...object,
    webhooks: webhooks.map((one) => ({...one, clientConfig: {caBundle: one.clientConfig.caBundle, ...client}})),
  };
}

describe('proxies (MESH310)', () => {
  const hoursAgo = (hours: number): string => new Date(Date.now() - hours * 3_600_000).toISOString();
  const ownedBy = (kind: string, owner: string): object => ({
    ownerReferences: [{apiVersion: 'apps/v1', kind, name: owner, uid: '1'}],
  });
  const proxied = (path: string, createdAt: string, more: object = {}, owner: object = {}): FakeObject => {
    const object = pod(path, {status: {phase: 'Running'}, ...more}, {'service.istio.io/canonical-name': 'x'});
    const annotations = {'sidecar.istio.io/status': '{}'};
    return {...object, metadata: {...object.metadata, ...owner, annotations, creationTimestamp: createdAt}};
  };
  const changed = (hours: number): void => {
    mesh.one('c1').kube.put(publishedBundle('istio-system', mesh.root.certificate.pem, hoursAgo(hours)));
  };
  const lists = (): readonly string[] =>
    mesh
      .one('c1')
      .kube.requests.filter(({resource, namespace}) => resource === 'pods' && namespace === undefined)
      .map(({url}) => url);

  it('are not listed if the roots never changed', async () => {
    mesh.one('c1').kube.put(proxied('shop/old', hoursAgo(2000)));
    const {code, rows} = await verify('MESH310', 'c1');
    expect([code, ...rows.map(rowName), ...lists()]).toEqual([0, 'MESH310 c1 ok']);
  });

  it('that are older than a change of today result in unknown: how many, until when, and the fix', async () => {
    changed(1);
    mesh.one('c1').kube.put(proxied('shop/old', hoursAgo(5), {}, ownedBy('DaemonSet', 'agent')));
    mesh.one('c1').kube.put(proxied('shop/new', hoursAgo(0.5)));
    const {code, rows} = await verify('MESH310', 'c1');
    expect([code, ...rows.map(rowName)]).toEqual([4, 'MESH310 c1 unknown']);
    expect(rows[0]?.error?.code).toBe('TOO_EARLY');
    expect(rows[0]?.reason).toContain('1 proxy started before that (shop/old)');
    expect(rows[0]?.reason).toContain(hoursAgo(1 - 24).slice(0, 10));
    expect(rows[0]?.fix).toBe('kubectl --context ctx-c1 -n shop rollout restart daemonset/agent');
    expect(lists()).toHaveLength(2);
  });

  it.each([
    ['every certificate of that time has expired', () => changed(25), hoursAgo(30), {}],
    ['it started after the change', () => changed(3), hoursAgo(2), {}],
    ['it has completed', () => changed(3), hoursAgo(9), {status: {phase: 'Succeeded'}}],
  ])('are ok if %s', async (_, change, createdAt, more) => {
    change();
    mesh.one('c1').kube.put(proxied('shop/one', createdAt, more));
    expect((await verify('MESH310', 'c1')).rows.map(rowName)).toEqual(['MESH310 c1 ok']);
  });

  it('without an annotation of the injector do not count: anyone can set its label', async () => {
    changed(1);
    const {metadata, ...rest} = proxied('shop/plain', hoursAgo(9));
    mesh.one('c1').kube.put({...rest, metadata: {...metadata, annotations: {}}});
    expect((await verify('MESH310', 'c1')).rows.map(rowName)).toEqual(['MESH310 c1 ok']);
  });

  it('that are ztunnels count as well', async () => {
    changed(1);
    const ztunnel = pod('istio-system/ztunnel-1', {status: {phase: 'Running'}}, {app: 'ztunnel'});
    mesh.one('c1').kube.put({...ztunnel, metadata: {...ztunnel.metadata, creationTimestamp: hoursAgo(9)}});
    const {rows} = await verify('MESH310', 'c1');
    expect(rows.map(rowName)).toEqual(['MESH310 c1 unknown']);
    // Nothing else in istiod's namespace: its restart may result in another root.
    expect(rows[0]?.fix).toBe('kubectl --context ctx-c1 -n istio-system rollout restart daemonset/ztunnel');
  });

  it('of both kinds are restarted with one command, ztunnel by the name of its DaemonSet', async () => {
    changed(1);
    const {kube} = mesh.one('c1');
    const ztunnel = pod('kube-system/x-1', {status: {phase: 'Running'}}, {app: 'ztunnel'});
    const metadata = {...ztunnel.metadata, creationTimestamp: hoursAgo(9), ...ownedBy('DaemonSet', 'my-ztunnel')};
    kube.put({...ztunnel, metadata});
    kube.put(proxied('shop/old', hoursAgo(5), {}, ownedBy('StatefulSet', 'db')));
    const {rows} = await verify('MESH310', 'c1');
    expect(rows[0]?.fix.split(' && ')).toEqual([
      'kubectl --context ctx-c1 -n shop rollout restart statefulset/db',
      'kubectl --context ctx-c1 -n kube-system rollout restart daemonset/my-ztunnel',
    ]);
  });

  describe('with a recreated bundle', () => {
    const made = (hours: number, ...namespaces: readonly string[]): void => {
      const [at, {kube}] = [hoursAgo(hours), mesh.one('c1')];
      for (const space of namespaces) {
        const path = `${space}/istio-ca-root-cert`;
        kube.remove('ConfigMap', path);
        const object = publishedBundle(space, mesh.root.certificate.pem, at);
        kube.put({...object, metadata: {...object.metadata, creationTimestamp: at}});
      }
    };

    it.each<[string, string, number, readonly string[], number]>([
      ['unknown', 'they are older than all bundles of these roots', 1, bundleNamespaces, 5],
      ['ok', 'other bundles show that the roots are older', 1, ['istio-system'], 5],
      ['ok', 'they came a moment earlier, as in a new mesh', 1, bundleNamespaces, 1 + 30 / 3600],
      ['ok', 'every certificate of that time has expired', 25, bundleNamespaces, 30],
    ])('are %s if %s', async (result, _, hours, namespaces, age) => {
      made(hours, ...namespaces);
      mesh.one('c1').kube.put(proxied('shop/old', hoursAgo(age), {}, ownedBy('StatefulSet', 'db')));
      const {rows} = await verify('MESH310', 'c1');
      expect(rows.map(rowName)).toEqual([`MESH310 c1 ${result}`]);
    });

    it('can be ztunnels that wait for their first bundle', async () => {
      made(1, ...bundleNamespaces);
      const ztunnel = pod('istio-system/ztunnel-1', {status: {phase: 'Running'}}, {app: 'ztunnel'});
      mesh.one('c1').kube.put({...ztunnel, metadata: {...ztunnel.metadata, creationTimestamp: hoursAgo(9)}});
      expect((await verify('MESH310', 'c1')).rows.map(rowName)).toEqual(['MESH310 c1 ok']);
    });
  });

  describe('that istiod pushes roots to', () => {
    const pushes = (reportedAt: string): void => {
      const {kube} = mesh.one('c1');
      kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1', ISTIO_MULTIROOT_MESH: 'true'}));
      const config = 'defaultConfig:\n  proxyMetadata:\n    PROXY_CONFIG_XDS_AGENT: "true"\n';
      const object = configMap('istio-system/istio', {mesh: config});
      const managedFields = [
        {manager: 'istio-operator', operation: 'Apply', time: reportedAt, fieldsV1: {'f:data': {'f:mesh': {}}}},
      ];
      kube.put({...object, metadata: {...object.metadata, managedFields}});
    };

    it('have received them', async () => {
      pushes(hoursAgo(100));
      changed(1);
      mesh.one('c1').kube.put(proxied('shop/old', hoursAgo(5)));
      expect((await verify('MESH310', 'c1')).rows.map(rowName)).toEqual(['MESH310 c1 ok']);
    });

    it('receive them only if they started with that setting', async () => {
      pushes(hoursAgo(2));
      changed(1);
      mesh.one('c1').kube.put(proxied('shop/old', hoursAgo(5)));
      expect((await verify('MESH310', 'c1')).rows.map(rowName)).toEqual(['MESH310 c1 unknown']);
    });
  });

  it.each([
    ['SECRET_TTL', {}, 'defaultConfig:\n  proxyMetadata:\n    SECRET_TTL: 48h\n'],
    ['DEFAULT_WORKLOAD_CERT_TTL', {DEFAULT_WORKLOAD_CERT_TTL: '48h0m0s'}, ''],
  ])('have the certificate lifetime of set in %s', async (_, env, config) => {
    const {kube} = mesh.one('c1');
    kube.put(istiod('1.31.0', {CLUSTER_ID: 'c1', ...env}));
    kube.put(configMap('istio-system/istio', {mesh: config}));
    changed(30);
    kube.put(proxied('shop/old', hoursAgo(40)));
    expect((await verify('MESH310', 'c1')).rows.map(rowName)).toEqual(['MESH310 c1 unknown']);
  });

  it('are unknown if the API server does not record managed fields', async () => {
    mesh.one('c1').kube.put(configMap('istio-system/istio-ca-root-cert', {'root-cert.pem': mesh.root.certificate.pem}));
    expect((await verify('MESH310', 'c1')).rows.map(rowName)).toEqual(['MESH310 c1 skipped']);
  });
});
