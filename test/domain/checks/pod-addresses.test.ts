import {describe, expect, it} from 'vitest';
import {podAddressesCheck} from '../../../src/domain/checks/control-plane/pod-addresses.js';
import {PerPod, type PodAddress, type SharedAddresses} from '../../../src/domain/facts/facts.js';
import {readShards} from '../../../src/domain/facts/read/endpoint-shardz.js';
import {podAddresses} from '../../../src/domain/facts/read/pods.js';
import {configuredBy, networksShared, sharedAddresses} from '../../../src/domain/facts/read/shared-addresses.js';
import type {PodObject} from '../../../src/domain/kube/objects.js';
import {known} from '../../../src/domain/observed.js';
import {judgedText} from '../../helpers/suggestions.js';
import {clusters, evidence, istiodDiscovery, type Overrides} from './healthy.js';

const mesh = {clusters: clusters.map((cluster) => ({...cluster, network: 'network2'}))};
const declared1 = {network: 'network2'};
const rows = (overrides: Overrides) => judgedText([podAddressesCheck], evidence({declared1, ...overrides})).checks;
const pods = (...addresses: readonly string[]): readonly PodAddress[] =>
  addresses.map((address, index) => ({pod: `pod-${String(index + 1)}`, address}));
const listing = (...all: readonly Partial<SharedAddresses>[]) => ({
  istiodDiscovery: new PerPod([
    {
      name: 'istiod-1',
      observed: known(
        istiodDiscovery({
          sharedAddresses: all.map((change) => ({
            clusters: ['cluster1', 'cluster2'],
            count: 7,
            examples: ['10.1.0.8', '10.1.0.9', '10.1.0.10'],
            services: ['cart.shop.svc.cluster.local'],
            ...change,
          })),
        }),
      ),
    },
  ]),
});

describe('pods with the same addresses', () => {
  it.each<[string, Overrides, string]>([
    [
      'in Istio’s namespace',
      {cluster1: {podAddresses: pods('10.1.0.4', '10.1.0.5')}, cluster2: {podAddresses: pods('10.1.0.5')}},
      'pods of cluster1 and cluster2 have the same addresses: 10.1.0.5 (pod-2 of cluster1, pod-1 of cluster2)',
    ],
    [
      'among the endpoints',
      {cluster2: listing({})},
      'pods of cluster1 and cluster2 have the same addresses: 10.1.0.8, 10.1.0.9, 10.1.0.10 and 4 more (cart.shop.svc.cluster.local)',
    ],
  ])('are an error: %s', (_, overrides, observed) => {
    expect(rows(overrides)).toMatchObject([
      {result: 'error', observed, fix: expect.stringMatching(/mesh\.yaml && kubectl mesh up --yes$/) as unknown},
    ]);
  });

  it('are one error, however many istiods report them', () => {
    const same = {podAddresses: pods('10.1.0.4')};
    const reverse = listing({clusters: ['cluster2', 'cluster1']});
    expect(rows({cluster1: {...same, ...listing({})}, cluster2: {...same, ...reverse}})).toHaveLength(1);
  });

  it.each<[string, Overrides, string]>([
    ['none has', {}, 'ok'],
    ['one endpoint has, which may have moved', {cluster1: listing({count: 1})}, 'ok'],
    ['they belong to a cluster that is not in mesh.yaml', {cluster1: listing({clusters: ['cluster1', 'other']})}, 'ok'],
    [
      'the clusters are on different networks',
      {declared1: {}, cluster1: {podAddresses: pods('10.1.0.4')}, cluster2: {podAddresses: pods('10.1.0.4')}},
      'ok',
    ],
  ])('are not reported if %s', (_, overrides, result) => {
    expect(rows(overrides).map((row) => row.result)).toEqual([result]);
  });

  it('are not compared if only one of several clusters was checked', () => {
    const {clusters: all, ...rest} = evidence({declared1});
    const one = judgedText([podAddressesCheck], {...rest, clusters: all.slice(0, 1)});
    expect(one.checks.map(({result}) => result)).toEqual(['skipped']);
  });
});

describe('the addresses of pods', () => {
  const pod = (name: string, status: object, spec: object = {}): PodObject => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {name},
    spec,
    status,
  });

  it('are those of running pods on the pod network', () => {
    const running = {phase: 'Running', podIP: '10.1.0.4'};
    const all = [
      pod('runs', running),
      pod('completed', {phase: 'Succeeded', podIP: '10.1.0.5'}),
      pod('waits', {phase: 'Pending'}),
      pod('on-host', running, {hostNetwork: true}),
    ];
    expect(podAddresses(all)).toEqual([{pod: 'runs', address: '10.1.0.4'}]);
  });
});

describe('the endpoints of istiod', () => {
  const networks = networksShared(mesh) ?? new Map<string, string>();
  const shards = (...all: readonly (readonly [string, ...object[]])[]) =>
    sharedAddresses(
      readShards(
        JSON.stringify({
          'cart.shop.svc.cluster.local': {shop: {Shards: Object.fromEntries(all.map(([key, ...list]) => [key, list]))}},
        }),
        'istiod-1',
      ),
      networks,
      new Set(['cluster1']),
    );
  const [one, two] = ['Kubernetes/cluster1', 'Kubernetes/cluster2'] as const;
  const at = (address: string, node: string, more: object = {}) => ({Addresses: [address], NodeName: node, ...more});

  it('have the same addresses', () => {
    const found = shards(
      [one, at('10.0.0.1', 'a'), at('10.0.0.2', 'a')],
      [two, at('10.0.0.2', 'b'), at('10.0.0.1', 'b')],
    );
    expect(found).toEqual([
      {
        clusters: ['cluster1', 'cluster2'],
        count: 2,
        examples: ['10.0.0.2', '10.0.0.1'],
        services: ['cart.shop.svc.cluster.local'],
      },
    ]);
  });

  it('of older versions have them as well', () => {
    const old = (node: string) => ({Address: '10.0.0.1', NodeName: node, Network: 'network1'});
    expect(shards([one, old('a')], [two, old('b')])).toMatchObject([{count: 1}]);
  });

  it.each<[string, readonly [string, ...object[]], readonly [string, ...object[]]]>([
    ['are no pods', [one, at('10.0.0.1', '')], [two, at('10.0.0.1', '')]],
    ['are on one machine', [one, at('10.0.0.1', 'a')], [two, at('10.0.0.1', 'a')]],
    [
      'come from ServiceEntries',
      ['External/cluster1', at('10.0.0.1', 'a')],
      ['External/cluster2', at('10.0.0.1', 'b')],
    ],
    ['are on other networks', [one, at('10.0.0.1', 'a', {Network: 'n1'})], [two, at('10.0.0.1', 'b', {Network: 'n2'})]],
    ['belong to other clusters', [one, at('10.0.0.1', 'a')], ['Kubernetes/other', at('10.0.0.1', 'b')]],
    ['are unreadable', [one, {Addresses: 1, NodeName: {}}], [two, at('10.0.0.1', 'b')]],
  ])('do not count if they %s', (_, first, second) => {
    expect(shards(first, second)).toEqual([]);
  });

  it('are compared for the clusters that istiod configures', () => {
    const all = [...clusters, {name: 'three', role: 'remote', primary: 'cluster1'} as const];
    const [first] = clusters;
    expect(first && configuredBy(first, {clusters: all})).toEqual(new Set(['cluster1', 'three']));
    expect(shards([two, at('10.0.0.1', 'a')], ['Kubernetes/cluster3', at('10.0.0.1', 'b')])).toEqual([]);
  });

  it('are not compared if every cluster has its own network', () => {
    expect(networksShared({clusters})).toBeUndefined();
  });
});
