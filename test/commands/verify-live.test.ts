/** How verify handles the debug endpoints and metrics of running istiods. */
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {istiod, pod} from '../helpers/trust-mesh.js';
import type {IstiodWords} from '../helpers/fake-istiod.js';
import {type Verified, verifiedMesh, verifyJson, type VerifiedMesh} from '../helpers/verify-mesh.js';

const live = 'MESH303,MESH308,MESH309,MESH412';
let mesh: VerifiedMesh;

beforeEach(async () => {
  mesh = await verifiedMesh('c1', 'c2');
});

afterEach(() => mesh.stop());

const verify = (only = live, ...argv: string[]) => verifyJson(mesh, 'c1', '--only', only, ...argv);

const results = (rows: Verified['rows']): readonly string[] => rows.map(({id, result}) => `${id} ${result}`);

describe("istiod's debug endpoints", () => {
  it('are read through one port-forward for each pod', async () => {
    const {code, rows} = await verify();
    expect([code, results(rows)]).toEqual([0, ['MESH303 ok', 'MESH308 ok', 'MESH309 ok', 'MESH412 ok']]);
    const forwards = mesh.kube.calls.filter(({args}) => args.includes('port-forward'));
    expect(forwards).toHaveLength(1);
  });

  it('are not read with --no-live', async () => {
    const {rows} = await verify(live, '--no-live');
    expect(results(rows)).toEqual(['MESH303 skipped', 'MESH308 skipped', 'MESH309 skipped', 'MESH412 skipped']);
    expect(mesh.kube.calls.filter(({args}) => args.includes('port-forward'))).toEqual([]);
  });

  it.each<[string, (says: IstiodWords) => void, string, number]>([
    ['another CA in its metrics', (says) => (says.caEnd = 2_000_000_000), 'MESH308 error', 3],
    ['another root in its metrics', (says) => (says.rootEnd = 2_000_000_000), 'MESH308 error', 3],
    ['requests that it could not sign', (says) => (says.signingErrors = {TTL_ERROR: 3}), 'MESH309 warning', 0],
    ['its own cluster, which it has not read', (says) => (says.clusters = [own('syncing')]), 'MESH412 error', 3],
    [
      'another name',
      (says) => (says.clusters = [{id: 'Kubernetes', secretName: '', syncStatus: 'synced'}]),
      'MESH412 error',
      3,
    ],
  ])('result in a finding: %s', async (_, spoil, row, exitCode) => {
    spoil(mesh.one('c1').says);
    const {code, rows} = await verify();
    expect(results(rows).filter((one) => !one.endsWith(' ok'))).toEqual([row]);
    expect(code).toBe(exitCode);
    expect(rows.find(({result}) => result !== 'ok')?.observed).toMatch(/^istiod-1 /);
  });

  it('are skipped, with the reason, if this istiod does not have them', async () => {
    const {kube, says} = mesh.one('c1');
    kube.put(istiod('1.10.6', {CLUSTER_ID: 'c1'}));
    says.instead['/debug/clusterz'] = {status: 404, text: ''};
    const {code, rows} = await verify('MESH412');
    expect([code, results(rows)]).toEqual([0, ['MESH412 skipped']]);
    expect(rows[0]?.reason).toContain('1.11');
  });
});

describe('unavailable debug endpoints', () => {
  it('that are disabled are unknown: exit 4, and the reason names the variable', async () => {
    mesh.one('c1').says.instead['/debug/clusterz'] = {status: 404, text: '404 page not found\n'};
    const {code, rows} = await verify();
    expect([code, results(rows)]).toEqual([4, ['MESH303 ok', 'MESH308 ok', 'MESH309 ok', 'MESH412 unknown']]);
    const row = rows.find(({result}) => result === 'unknown');
    expect(row).toMatchObject({error: {code: 'ENDPOINT_OFF'}});
    expect(row?.reason).toContain('ENABLE_DEBUG_ON_HTTP');
    expect(row?.fix).toBe('kubectl --context ctx-c1 -n istio-system set env deployment/istiod ENABLE_DEBUG_ON_HTTP-');
  });

  it.each<[string, IstiodWords['instead'], string, string]>([
    ['401', {'/debug/clusterz': {status: 401, text: ''}}, 'MESH412', 'UNAUTHORIZED'],
    ['403', {'/debug/clusterz': {status: 403, text: ''}}, 'MESH412', 'FORBIDDEN'],
    ['500', {'/debug/clusterz': {status: 500, text: 'boom'}}, 'MESH412', 'API_ERROR'],
    ['a redirect', {'/debug/clusterz': {status: 302, text: ''}}, 'MESH412', 'API_ERROR'],
    ['no JSON', {'/debug/clusterz': {status: 200, text: '<html>'}}, 'MESH412', 'API_ERROR'],
    ['another shape', {'/debug/clusterz': {status: 200, text: '{"id":1}'}}, 'MESH412', 'API_ERROR'],
    ['too much', {'/debug/clusterz': {status: 200, text: ' '.repeat(1024 * 1024 + 1)}}, 'MESH412', 'API_ERROR'],
    ['metrics of something else', {'/metrics': {status: 200, text: 'up 1\n'}}, 'MESH308', 'API_ERROR'],
    ['disabled metrics', {'/metrics': {status: 403, text: ''}}, 'MESH309', 'FORBIDDEN'],
  ])('that respond with %s are unknown', async (_, instead, id, code) => {
    Object.assign(mesh.one('c1').says.instead, instead);
    const run = await verify();
    expect(run.code).toBe(4);
    expect(run.rows.find((row) => row.id === id)).toMatchObject({result: 'unknown', error: {code}});
    expect(run.rows.find((row) => row.id === 'MESH303')).toMatchObject({result: 'ok'});
    // A command for further inspection.
    for (const row of run.rows.filter(({result}) => result === 'unknown')) {
      expect(row.fix).toBe('kubectl --context ctx-c1 -n istio-system describe pod -l app=istiod');
    }
  });
});

describe('port-forward refused', () => {
  const who =
    'User "auditor" cannot create resource "pods/portforward" in API group "" in the namespace "istio-system"';

  it.each([
    `error: error upgrading connection: pods "istiod-1" is forbidden: ${who}`,
    `error: unable to upgrade connection: pods "istiod-1" is forbidden: ${who}`,
  ])('is unknown, and the permission is named: %s', async (words) => {
    mesh.one('c1').kube.forwards['istiod-1'] = words;
    const {code, rows} = await verify();
    expect(code).toBe(4);
    for (const row of rows) {
      expect(row).toMatchObject({result: 'unknown', error: {code: 'FORBIDDEN'}});
      expect(row.reason).toContain('cannot create pods/portforward');
      expect(row.fix).toBe('kubectl auth can-i create pods --subresource=portforward -n istio-system --context ctx-c1');
    }
  });

  it('without permission to read the pod names that permission', async () => {
    mesh.one('c1').kube.forwards['istiod-1'] =
      'Error from server (Forbidden): pods "istiod-1" is forbidden: User "auditor" cannot get resource "pods" in API group "" in the namespace "istio-system"';
    const {rows} = await verify();
    for (const row of rows) expect(row.reason).toContain('cannot get pods "istiod-1"');
  });
});

describe("an istiod that may lose other clusters' endpoints", () => {
  const shard = (...shards: readonly string[]) => ({Shards: Object.fromEntries(shards.map((one) => [one, [{}]]))});
  const shardz = (...shards: readonly string[]) => ({
    status: 200,
    text: JSON.stringify({'kubernetes.default.svc.cluster.local': {default: shard(...shards)}}),
  });

  /** istiod of c1 with this version, which reads c2. */
  function runs(version: string, endpoints: IstiodWords['instead'][string]): void {
    const {kube, says} = mesh.one('c1');
    kube.put(istiod(version, {CLUSTER_ID: 'c1'}));
    says.instead['/debug/endpointShardz'] = endpoints;
  }

  it.each<[string, string, IstiodWords['instead'][string], string]>([
    ['has them', '1.30.3', shardz('Kubernetes/c1', 'Kubernetes/c2'), 'ok'],
    ['has lost them', '1.30.3', shardz('Kubernetes/c1'), 'error'],
    ['does not say', '1.30.3', {status: 404, text: ''}, 'unknown'],
    ['returns something else', '1.30.3', {status: 200, text: '[]'}, 'unknown'],
    ['does not say, and runs a fixed version', '1.30.4', {status: 404, text: ''}, 'ok'],
  ])('%s', async (_, version, endpoints, result) => {
    runs(version, endpoints);
    expect(results((await verify('MESH410')).rows)).toEqual([`MESH410 ${result}`]);
  });

  it.each([
    ['1.30.3', 'error'],
    ['1.30.4', 'ok'],
    ['unknown', 'warning'],
  ])('is queried if only it reports the version: %s', async (version, result) => {
    runs('ours', version === '1.30.3' ? shardz('Kubernetes/c1') : {status: 404, text: ''});
    mesh.one('c1').says.version = version;
    expect(results((await verify('MESH410')).rows)).toEqual([`MESH410 ${result}`]);
  });

  it('is skipped with --no-live', async () => {
    runs('1.30.3', shardz('Kubernetes/c1'));
    expect(results((await verify('MESH410', '--no-live')).rows)).toEqual(['MESH410 skipped']);
  });
});

describe('two replicas', () => {
  it('of which one is unreachable: the other is checked, and the result is unknown', async () => {
    mesh.one('c1').kube.put(pod('istio-system/istiod-2', {}, {app: 'istiod'}));
    mesh.one('c1').says.signingErrors = {CERT_GEN_ERROR: 1};
    const {code, rows} = await verify();
    expect(code).toBe(4);
    expect(results(rows)).toEqual([
      'MESH303 unknown',
      'MESH308 unknown',
      'MESH309 warning',
      'MESH309 unknown',
      'MESH412 unknown',
    ]);
  });
});

function own(syncStatus: string): IstiodWords['clusters'][number] {
  return {id: 'c1', secretName: '', syncStatus};
}
