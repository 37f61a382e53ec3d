import {describe, expect, it} from 'vitest';
import {gatewayChainCheck} from '../../../src/domain/checks/live/gateway-chain.js';
import type {Row} from '../../../src/domain/checks/report.js';
import {readShards} from '../../../src/domain/facts/read/endpoint-shardz.js';
import {requestedName, sidecarServices} from '../../../src/domain/facts/read/sidecar-services.js';
import {judgedText} from '../../helpers/suggestions.js';
import {evidence, gatewayChain, liveRoots, realChain, type Overrides} from './healthy.js';

const nothing = {absent: 'no service'};
/** Of the mesh, where cluster2 presents nothing. */
const row = (overrides: Overrides): Row | undefined =>
  judgedText([gatewayChainCheck], evidence({...overrides, cluster2: {gatewayChains: nothing, ...overrides.cluster2}}))
    .checks[0];
const chains = (...gatewayChains: readonly ReturnType<typeof gatewayChain>[]): Overrides => ({
  cluster1: {gatewayChains},
});
const silent = {...gatewayChain('cluster1'), certificates: []};

describe('the chain that a gateway presents', () => {
  it.each<[string, Overrides, RegExp]>([
    [
      'of another mesh',
      chains(gatewayChain('foreign')),
      /^cluster1: 192\.0\.2\.1:15443 presents a certificate signed by .*not signed by any of these roots/,
    ],
    [
      'without its issuer',
      chains(gatewayChain('cluster1', {certificates: realChain('cluster1').slice(0, 1)})),
      /without its issuer/,
    ],
    [
      'in another trust domain',
      {...chains(gatewayChain('cluster1')), mesh: {trustDomain: 'example.org'}},
      /spiffe:\/\/cluster\.local\/.* is not in trust domain example\.org/,
    ],
    ['of a CA', chains(gatewayChain('cluster1', {certificates: realChain('cluster1').slice(1)})), /no SPIFFE ID/],
    [
      'of one of two gateways',
      chains(gatewayChain('cluster1'), gatewayChain('foreign', {address: '[2001:db8::1]:15443'})),
      /^cluster1: \[2001:db8::1\]:15443/,
    ],
  ])('is an error if it is %s', (_, overrides, observed) => {
    const found = row(overrides);
    expect(found).toMatchObject({result: 'error', observed: expect.stringMatching(observed) as unknown});
    expect(found?.fix).toMatch(
      /^: \| openssl s_client -connect \S+ -servername outbound_\.80_\._\.cart\.shop\.svc\.cluster\.local /,
    );
  });

  it.each<[string, Overrides, Row['result']]>([
    ['is ok if it is the mesh’s', {}, 'ok'],
    ['is ok if only another cluster trusts it', {cluster1: {liveRoots: liveRoots('foreign')}}, 'ok'],
    ['is ok if another gateway presents nothing', chains(gatewayChain('cluster1'), silent), 'ok'],
    ['is skipped if there is none', chains(silent), 'skipped'],
    ['is skipped if no service is exposed', {cluster1: {gatewayChains: nothing}}, 'skipped'],
    [
      'is skipped if the roots are not read',
      {cluster1: {liveRoots: 'ClusterTrustBundle'}, cluster2: {liveRoots: 'ClusterTrustBundle'}},
      'skipped',
    ],
  ])('%s', (_, overrides, result) => {
    expect(row(overrides)?.result).toBe(result);
  });
});

describe('the services that a gateway exposes', () => {
  const read = (shards: Record<string, readonly object[]>, host = 'cart.shop.svc.cluster.local') =>
    sidecarServices(readShards(JSON.stringify({[host]: {shop: {Shards: shards}}}), 'istiod-1'), new Set(['one']));
  const sidecar = {TLSMode: 'istio', HealthStatus: 1};

  it('have a sidecar in the cluster', () => {
    expect(read({'Kubernetes/one': [{TLSMode: 'disabled'}, sidecar], 'Kubernetes/two': [sidecar]})).toEqual(
      new Map([['one', ['cart.shop.svc.cluster.local']]]),
    );
  });

  it.each<[string, Record<string, readonly object[]>, string?]>([
    ['ServiceEntries', {'External/one': [sidecar]}],
    ['other hosts', {'Kubernetes/one': [sidecar]}, 'example.com'],
    ['services whose endpoints are not ready', {'Kubernetes/one': [{...sidecar, HealthStatus: 2}]}],
  ])('are not %s', (_, shards, host) => {
    expect(read(shards, host).size).toBe(0);
  });

  it('are at most three of a cluster', () => {
    const hosts = ['a', 'b', 'c', 'd'].map((name) => `${name}.shop.svc.cluster.local`);
    const text = JSON.stringify(
      Object.fromEntries(hosts.map((host) => [host, {shop: {Shards: {'Kubernetes/one': [sidecar]}}}])),
    );
    expect(sidecarServices(readShards(text, 'istiod-1'), new Set(['one'])).get('one')).toEqual(hosts.slice(0, 3));
  });

  it('are requested by port and host', () => {
    expect(requestedName({host: 'cart.shop.svc.cluster.local', port: 80})).toBe(
      'outbound_.80_._.cart.shop.svc.cluster.local',
    );
  });
});
