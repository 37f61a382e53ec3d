/** Missing permissions of verify: each of its requests is denied in turn. */
import {afterEach, beforeEach, describe, expect, it} from 'vitest';
import {verifyRights, type Right} from '../../src/domain/facts/rights.js';
import type {FakeRequest, RequestMatch} from '../helpers/fake-kubectl/fake-cluster.js';
import {rowsOfRight} from '../helpers/rows-of-right.js';
import {eastWestService, meshOfNetworks} from '../helpers/verify-networks.js';
import {verifyJson, type VerifiedMesh} from '../helpers/verify-mesh.js';

const rights = verifyRights([{name: 'c1'}, {name: 'c2'}]);
const istioNamespace = 'istio-system';
let mesh: VerifiedMesh;

beforeEach(async () => {
  mesh = await meshOfNetworks();
});
afterEach(() => mesh.stop());

const verify = () => verifyJson(mesh, '--access');

/** A denial that matches exactly this request. */
function matchOf(request: FakeRequest): RequestMatch {
  const {verb, resource, namespace, name} = request;
  return {verb, resource, ...(namespace === undefined ? {clusterWide: true} : {namespace}), ...(name && {name})};
}

/** Distinct requests of one cluster, without `/version`, which requires no permission. */
function sentTo(cluster: string): readonly FakeRequest[] {
  const sent = mesh.one(cluster).kube.requests.filter(({resource}) => !resource.startsWith('/'));
  const keyOf = (request: FakeRequest): string => JSON.stringify([matchOf(request), nameOf(request), groupOf(request)]);
  return [...new Map(sent.map((request) => [keyOf(request), request])).values()];
}

/** The single name that a list selects. */
function nameOf({name, query}: FakeRequest): string | undefined {
  return name ?? /^metadata\.name=([^,]+)$/.exec(query.get('fieldSelector') ?? '')?.[1];
}

/** The API group in its path. */
function groupOf({url}: FakeRequest): string {
  return /^\/apis\/([^/]+)\//.exec(url)?.[1] ?? '';
}

function covers({verb, group, resource, name, where}: Right, request: FakeRequest): boolean {
  return (
    verb === request.verb &&
    group === groupOf(request) &&
    resource === request.resource &&
    name === nameOf(request) &&
    (where === 'everywhere' ? request.namespace !== istioNamespace : request.namespace === istioNamespace)
  );
}

/** Whether a row depends on a request: each remote secret is about one pair. */
function dependsOn({cluster, peer}: {cluster?: string; peer?: string}, request: FakeRequest, sentTo: string): boolean {
  const about = /^istio-remote-secret-(.+)$/.exec(request.name ?? '')?.[1];
  return about === undefined || peer === undefined || (cluster === sentTo && peer === about);
}

describe('the healthy mesh across two networks', () => {
  it('is ok', async () => {
    const {code, result} = await verify();
    expect(result.checks.filter(({result: one}) => one !== 'ok' && one !== 'skipped')).toEqual([]);
    expect([code, result.verdict]).toEqual([0, 'ok']);
  });

  it('sends only requests whose permissions are in the list, and uses all permissions in the list', async () => {
    await verify();
    const requests = [...sentTo('c1'), ...sentTo('c2')];
    for (const request of requests) {
      expect(
        rights.filter((right) => covers(right, request)),
        request.url,
      ).toHaveLength(1);
    }
    const unused = rights.filter((right) => !requests.some((request) => covers(right, request)));
    expect(unused.map(({verb, resource, where}) => `${verb} ${resource} ${where}`)).toEqual([
      // For clusters with another control plane.
      'list configmaps everywhere',
      // Of kubectl port-forward, a separate program.
      'get pods Istio namespace',
      'create pods/portforward Istio namespace',
      // For meshes with recently changed roots, and for Istio 1.7.
      'list pods everywhere',
      'get services everywhere',
    ]);
  });
});

describe('a gateway between networks outside the Istio namespace', () => {
  it('is unknown without permission to list its pods, which is in the list', async () => {
    const {kube} = mesh.one('c1');
    kube.remove('Service', 'istio-system/istio-eastwestgateway');
    const service = eastWestService('network1');
    kube.put({...service, metadata: {...service.metadata, namespace: 'shop'}});
    kube.deny({verb: 'list', resource: 'pods', namespace: 'shop'});
    const {result} = await verify();
    const [request] = sentTo('c1').filter(({namespace}) => namespace === 'shop');
    const granted = rights.filter((right) => request && covers(right, request));
    expect(granted.map(({facts}) => facts.includes('networkGateways'))).toEqual([true]);
    expect(result.checks.find(({id}) => id === 'MESH411')).toMatchObject({result: 'unknown', impliedBy: 'MESH202'});
  });
});

describe('each forbidden request', () => {
  it.each(['c1', 'c2'])(
    'in %s: no check that depends on it is ok, exit 4, and the reason names verb and resource',
    {timeout: 120_000},
    async (cluster) => {
      const {kube} = mesh.one(cluster);
      await verify();
      for (const request of sentTo(cluster)) {
        const what = `${request.verb} ${request.url}`;
        const allow = kube.deny(matchOf(request));
        const {code, result} = await verify();
        allow();
        expect.soft([code, result.verdict], what).toEqual([4, 'unknown']);
        const right = rights.find((one) => covers(one, request));
        if (!right) throw new Error(`no right for ${what}`);
        const resting = rowsOfRight(right, cluster, result.checks).filter((row) => dependsOn(row, request, cluster));
        // A remote secret for the own cluster only adds to what istiod reports, and the reader's account to a fix.
        const isOptional = [`istio-remote-secret-${cluster}`, 'istio-reader-service-account'].includes(
          request.name ?? '',
        );
        expect.soft(resting.length, what)[isOptional ? 'toBe' : 'toBeGreaterThan'](0);
        const notUnknown = resting
          .filter(({result: one}) => one !== 'unknown')
          .map(({id, result: one}) => `${id} ${one}`);
        expect.soft(notUnknown, what).toEqual([]);
        const unknown = result.checks.filter(({result: one}) => one === 'unknown');
        for (const row of unknown) {
          expect.soft(row.reason, what).toContain(`${request.verb} ${request.resource}`);
          expect.soft(row.error?.code, what).toBe('FORBIDDEN');
        }
        expect
          .soft(
            unknown.map(({id}) => id),
            what,
          )
          .toContain('MESH202');
        // Checks that depend on other facts still run.
        const elsewhere = result.checks.filter((row) => row.cluster !== undefined && row.cluster !== cluster);
        const spoilt = elsewhere.filter(({peer, result: one}) => peer !== cluster && one !== 'ok' && one !== 'skipped');
        expect.soft(spoilt, what).toEqual([]);
      }
    },
  );
});
