import {describe, expect, it} from 'vitest';
import {PerCluster, PerPod} from '../../../src/domain/facts/facts.js';
import {judge} from '../../../src/domain/checks/judge.js';
import {topologyOf, type ClusterTopology} from '../../../src/domain/checks/topology.js';
import {checks} from '../../../src/domain/checks/registry.js';
import type {ErrorReport} from '../../../src/domain/errors.js';
import {known} from '../../../src/domain/observed.js';
import {
  endpointsIn,
  evidence,
  istiodClusters,
  liveRoots,
  now,
  readCluster,
  realChain,
  remoteSecret,
  remoteSecretsOf,
  servedChain,
  services,
  type Overrides,
} from './healthy.js';
import {clustersOf} from './faults/builders.js';

const error: ErrorReport = {code: 'UNREACHABLE', message: 'no route', hints: []};

function topology(overrides: Overrides = {}, selected = checks): readonly ClusterTopology[] {
  const gathered = evidence(overrides);
  return topologyOf(gathered, judge(selected, gathered)).clusters;
}

/** `cluster1: ok, 1 roots, 1 CAs, yes` for each cluster. */
const summaries = (clusters: readonly ClusterTopology[]): readonly string[] =>
  clusters.map(({name, verdict, roots, clusterCas, accepts}) =>
    [
      `${name}: ${verdict}`,
      roots === undefined ? 'no roots' : `${String(roots.length)} roots`,
      clusterCas === undefined ? 'no CAs' : `${String(clusterCas.length)} CAs`,
      ...accepts.map(({result}) => result),
    ].join(', '),
  );

const parts = (...observed: PerPod<ReturnType<typeof servedChain>>['parts'][number]['observed'][]) =>
  new PerPod(observed.map((one, index) => ({name: `istiod-${String(index + 1)}`, observed: one})));
const foreign = {...servedChain('cluster2'), certificates: realChain('foreign')};

describe('discovery in the topology', () => {
  const own = (id: string) => ({known: [{id, secretName: '', status: 'synced'}], listsItself: true});
  const rejected = new PerCluster([{name: 'cluster1', observed: known({accepted: false as const})}]);
  const fresh = {secrets: remoteSecret('cluster2', {writtenAt: now})};

  it.each<[string, Overrides, string]>([
    ['is what istiod reports', {}, 'yes'],
    ["is not istiod's own cluster with the name of the peer", {cluster1: clustersOf(own('cluster2'))}, 'no'],
    ['is refused if the peer rejects the token', {cluster2: {acceptedTokens: rejected}}, 'no'],
    [
      'is unknown while istiod follows a new remote secret',
      {
        cluster1: {
          remoteSecrets: remoteSecretsOf('cluster1', fresh.secrets),
          istiodDiscovery: new PerPod([
            {name: 'istiod-1', observed: known({endpoints: [endpointsIn('cluster1', ...services)]})},
          ]),
        },
      },
      'unknown',
    ],
  ])('%s', (_, overrides, expected) => {
    expect(topology(overrides)[0]?.discovers.map(({result}) => result)).toEqual([expected]);
  });

  it('is unknown while one of two istiods is unreachable, also if no check of the pair is selected', () => {
    const reported = known(istiodClusters('cluster1', readCluster('cluster2')));
    const partly = new PerPod([
      {name: 'istiod-1', observed: reported},
      {name: 'istiod-2', observed: {unknown: error}},
    ]);
    for (const selected of [checks, []]) {
      const [one] = topology({cluster1: {istiodClusters: partly}}, selected);
      expect(one?.discovers).toEqual([{cluster: 'cluster2', result: 'unknown'}]);
    }
  });
});

describe('the topology of a mesh', () => {
  it.each<[string, Overrides, readonly string[]]>([
    ['that is healthy', {}, ['cluster1: ok, 1 roots, 1 CAs, yes', 'cluster2: ok, 1 roots, 1 CAs, yes']],
    [
      'in which one cluster publishes a different root',
      {cluster1: {liveRoots: liveRoots('foreign'), webhooks: []}},
      ['cluster1: error, 1 roots, 1 CAs, no', 'cluster2: ok, 1 roots, 1 CAs, yes'],
    ],
    [
      'with one of two istiods under a different root',
      {cluster2: {servedChains: parts(known(servedChain('cluster2')), known(foreign))}},
      ['cluster1: error, 1 roots, 1 CAs, no', 'cluster2: ok, 1 roots, 2 CAs, yes'],
    ],
    [
      'with one of two istiods unreachable',
      {cluster2: {servedChains: parts(known(servedChain('cluster2')), {unknown: error})}},
      ['cluster1: unknown, 1 roots, 1 CAs, unknown', 'cluster2: unknown, 1 roots, 1 CAs, yes'],
    ],
    [
      'with a cluster that runs no istiod',
      {cluster2: {servedChains: parts()}},
      ['cluster1: ok, 1 roots, 1 CAs, none', 'cluster2: ok, 1 roots, 0 CAs, yes'],
    ],
    [
      'in which the proxies of one cluster are configured with another CA',
      {
        cluster2: {
          proxyCas: [
            {
              injector: 'ConfigMap istio-sidecar-injector',
              addresses: [
                {name: 'values.global.caAddress', object: 'ConfigMap istio-sidecar-injector', value: 'a.b:1'},
              ],
              providers: [],
              istiodHosts: [],
            },
          ],
        },
      },
      ['cluster1: ok, 1 roots, 1 CAs, unknown', 'cluster2: error, 1 roots, 1 CAs, unknown'],
    ],
    [
      'with an unreachable cluster',
      {facts1: {liveRoots: {unknown: error}, servedChains: {unknown: error}}},
      ['cluster1: unknown, no roots, no CAs, unknown', 'cluster2: unknown, 1 roots, 1 CAs, unknown'],
    ],
    [
      'that does not publish roots in a ConfigMap',
      {cluster1: {liveRoots: 'ClusterTrustBundle'}},
      ['cluster1: unknown, no roots, 1 CAs, unknown', 'cluster2: ok, 1 roots, 1 CAs, yes'],
    ],
    [
      "in which an istiod's certificate is not signed by its own CA",
      {cluster2: {servedChains: parts(known({...foreign, signedBy: 'kubernetes'}))}},
      ['cluster1: ok, 1 roots, 1 CAs, unknown', 'cluster2: unknown, 1 roots, no CAs, yes'],
    ],
  ])('%s', (_, overrides, expected) => {
    expect(summaries(topology(overrides))).toEqual(expected);
  });

  it('contains the reason for unknown parts', () => {
    const [one, two] = topology({facts1: {servedChains: {omitted: '--no-live: istiod was not queried'}}});
    expect([one?.unseen, two?.unseen]).toEqual([['--no-live: istiod was not queried'], undefined]);
  });

  it('has the verdict unknown for a cluster without any check', () => {
    expect(topology({}, []).map(({verdict}) => verdict)).toEqual(['unknown', 'unknown']);
  });
});
