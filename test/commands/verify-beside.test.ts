/** What verify reports besides the CA that istiod has loaded: MESH302 of injected namespaces, MESH415, MESH416. */
import {readFile} from 'node:fs/promises';
import {join} from 'node:path';
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import type {Row} from '../../src/domain/checks/report.js';
import {configMap, namespace} from '../helpers/fake-kubectl/fake-cluster.js';
import type {AsJson} from '../helpers/suggestions.js';
import {istiod} from '../helpers/trust-mesh.js';
import {
  findingsIn,
  publishedBundle,
  rowName,
  verifiedMesh,
  verifyJson,
  type VerifiedMesh,
} from '../helpers/verify-mesh.js';

let mesh: VerifiedMesh;

beforeEach(async () => {
  mesh = await verifiedMesh('c1');
});
afterEach(() => mesh.stop());

/** The rows that are neither ok nor skipped, without consequences. */
async function findings(): Promise<readonly AsJson<Row>[]> {
  return findingsIn((await verifyJson(mesh)).rows);
}

const kube = () => mesh.one('c1').kube;

describe('an injected namespace outside discoverySelectors', () => {
  beforeEach(() => {
    kube().put(configMap('istio-system/istio', {mesh: 'discoverySelectors:\n- matchLabels: {mesh: "yes"}\n'}));
    for (const name of ['default', 'istio-system', 'shop']) {
      kube().put(namespace(name, {mesh: 'yes', 'topology.istio.io/network': 'network1'}));
    }
  });

  it('is an error without a bundle, which a label of the namespace fixes', async () => {
    kube().put(namespace('late', {'istio-injection': 'enabled'}));
    expect(await findings()).toMatchObject([
      {id: 'MESH302', result: 'error', fix: 'kubectl --context ctx-c1 label namespace late mesh=yes'},
    ]);
  });

  it('is an error with an old bundle, and a warning with the current one', async () => {
    const current = await readFile(join(mesh.dir, 'c1/root-cert.pem'), 'utf8');
    kube().put(namespace('old', {'istio.io/rev': 'prod'}));
    kube().put(publishedBundle('old', 'another bundle', '2026-01-01T00:00:00Z'));
    kube().put(namespace('same', {'istio.io/rev': 'default'}));
    kube().put(publishedBundle('same', current, '2026-01-01T00:00:00Z'));
    expect((await findings()).map(({id, result}) => `${id} ${result}`)).toEqual(['MESH302 error', 'MESH302 warning']);
  });

  it('is none if its label names no control plane of this mesh', async () => {
    kube().put(namespace('theirs', {'istio.io/rev': 'other'}));
    kube().put(namespace('off', {'istio-injection': 'disabled'}));
    expect(await findings()).toEqual([]);
  });
});

describe('another CA in the configuration of proxies', () => {
  it('is an error that names the address and where it is set', async () => {
    const values = {global: {meshID: 'mesh1', network: 'network1', caAddress: 'csr.cert-manager.svc:443'}};
    kube().put(configMap('istio-system/istio-sidecar-injector', {values: JSON.stringify(values)}));
    const [finding, ...others] = await findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({id: 'MESH415', result: 'error'});
    expect(finding?.observed).toMatch(/ConfigMap istio-sidecar-injector: .*caAddress.* csr\.cert-manager\.svc:443/);
  });
});

describe('a control plane in another namespace', () => {
  const other = 'istio-system-174';
  beforeEach(() => {
    kube().put(namespace(other));
    const leader = {holderIdentity: 'istiod-174', holderKey: 'default', renewTime: new Date().toISOString()};
    const lock = configMap(`${other}/istio-namespace-controller-election`, {});
    const annotations = {'control-plane.alpha.kubernetes.io/leader': JSON.stringify(leader)};
    kube().put({...lock, metadata: {...lock.metadata, annotations}});
  });

  it('that writes another bundle is the cause, and its namespace is shown instead of a restart', async () => {
    kube().put(publishedBundle(other, 'another bundle', new Date().toISOString()));
    kube().put(publishedBundle('istio-system', 'another bundle', new Date().toISOString()));
    const [finding, ...others] = await findings();
    expect(others).toEqual([]);
    expect(finding).toMatchObject({id: 'MESH416', result: 'error'});
    expect(finding?.observed).toContain(other);
    expect(finding?.fix).not.toMatch(/restart|push/);
  });

  it('that serves other namespaces is fine', async () => {
    const own = 'discoverySelectors:\n- matchExpressions:\n  - {key: team, operator: DoesNotExist}\n';
    kube().put(configMap('istio-system/istio', {mesh: own}));
    kube().put(configMap(`${other}/istio`, {mesh: 'discoverySelectors:\n- matchLabels: {team: x}\n'}));
    kube().put(namespace(other, {team: 'x'}));
    kube().put(publishedBundle(other, 'another bundle', new Date().toISOString()));
    const deployment = istiod('1.30.0', {CLUSTER_ID: 'c1'});
    kube().put({...deployment, metadata: {...deployment.metadata, namespace: other}});
    expect(await findings()).toEqual([]);
  });

  it('is unknown, not absent, without permission to list Deployments in all namespaces', async () => {
    kube().deny({verb: 'list', resource: 'deployments', clusterWide: true});
    const {code, rows} = await verifyJson(mesh, '--only', 'MESH202,MESH416');
    expect([code, ...rows.map(rowName)]).toEqual([4, 'MESH202 c1 unknown', 'MESH416 c1 unknown']);
  });
});
