/** What shows that an istiod has lost a cluster that it reads, and what does not. */
import {describe, expect, it} from 'vitest';
import {hazardsCheck} from '../../../src/domain/checks/control-plane/hazards.js';
import {tokenCheck} from '../../../src/domain/checks/discovery/token.js';
import {PerCluster, PerPod, type ClusterEndpoints, type IstiodDiscovery} from '../../../src/domain/facts/facts.js';
import {problem} from '../../../src/domain/errors.js';
import {known} from '../../../src/domain/observed.js';
import {judgedText} from '../../helpers/suggestions.js';
import {
  clusters,
  controlPlane,
  daysFromNow,
  endpointsIn,
  evidence,
  istiodClusters,
  istiodMetrics,
  networks,
  pod,
  readCluster,
  remoteCredential,
  services,
  workload,
  type ClusterValues,
  type Overrides,
} from './healthy.js';

const startedAt = daysFromNow(-2);
const [before, after] = [daysFromNow(-3), daysFromNow(-1)];
const omitted = (why: string) => ({omitted: why}) as const;
const unread = {unknown: problem('ENDPOINT_OFF', 'the debug endpoint is disabled')};

/** istiod of cluster1 in a version that loses clusters. */
const running = (patch = 3, discoverySelectors: readonly object[] = []) => [
  controlPlane('cluster1', {
    tag: `1.30.${String(patch)}`,
    version: {major: 1, minor: 30, patch},
    workload: workload('istiod', {pods: [pod('istiod-1', {startedAt})]}),
    network: networks.cluster1,
    discoverySelectors,
  }),
];
const row = (status: string) => readCluster('cluster2', {status});
const clusterz = (status = 'synced') =>
  new PerPod([{name: 'istiod-1', observed: known(istiodClusters('cluster1', row(status)))}]);
const discovery = (...others: readonly ClusterEndpoints[]): IstiodDiscovery => ({
  endpoints: [endpointsIn('cluster1', ...services), ...others],
  gatewayNetworks: Object.values(networks),
});
const seen = (value: IstiodDiscovery) => new PerPod([{name: 'istiod-1', observed: known(value)}]);
const all = endpointsIn('cluster2', ...services);
const some = endpointsIn('cluster2', 'shop/cart');
const changedAt = (time: Date | 'never') => [remoteCredential('cluster2', {changedAt: time})];

/** A mesh in which cluster1 reads cluster2, and has lost nothing. */
const intact: Partial<ClusterValues> = {
  controlPlanes: running(),
  istiodClusters: clusterz(),
  istiodDiscovery: seen(discovery(all)),
  remoteCredentials: changedAt(after),
};
const withoutAccess = {remoteCredentials: omitted('without --access')};

function results(overrides: Overrides, check = hazardsCheck): readonly string[] {
  return judgedText([check], evidence(overrides))
    .checks.filter(({cluster}) => cluster === 'cluster1')
    .map(({result}) => result);
}

describe('an istiod that may have lost a cluster', () => {
  it.each<[string, Partial<ClusterValues>, Overrides['facts1'], readonly string[]]>([
    ['has all endpoints and gateways', {}, {}, ['ok']],
    ['has them, and the time of the change is not read', {}, withoutAccess, ['ok']],
    ['has no endpoints', {istiodDiscovery: seen(discovery())}, {}, ['error']],
    ['has none, and the time is not read', {istiodDiscovery: seen(discovery())}, withoutAccess, ['error']],
    [
      'has none, but has not reread the cluster',
      {istiodDiscovery: seen(discovery()), remoteCredentials: changedAt(before)},
      {},
      ['ok'],
    ],
    [
      'has none, but its remote secret is still the first',
      {istiodDiscovery: seen(discovery()), remoteCredentials: changedAt('never')},
      {},
      ['ok'],
    ],
    [
      'has none, but serves selected namespaces only, of which the cluster may have none',
      {istiodDiscovery: seen(discovery()), controlPlanes: running(3, [{matchLabels: {mesh: 'on'}}])},
      {},
      ['unknown'],
    ],
    [
      'has none, but istiod does not read the namespace of the API servers here either',
      {istiodDiscovery: seen({...discovery(), endpoints: [{...some, cluster: 'cluster1'}]})},
      {},
      ['unknown'],
    ],
    ['has only endpoints that changed later', {istiodDiscovery: seen(discovery(some))}, {}, ['error']],
    ['has only some, and the time is not read', {istiodDiscovery: seen(discovery(some))}, withoutAccess, ['unknown']],
    [
      'has no endpoints of any API server',
      {istiodDiscovery: seen({...discovery(some), endpoints: [{...some, cluster: 'cluster1'}, some]})},
      {},
      ['ok'],
    ],
    [
      'has some, but serves selected namespaces only',
      {istiodDiscovery: seen(discovery(some)), controlPlanes: running(3, [{matchLabels: {mesh: 'on'}}])},
      {},
      ['ok'],
    ],
    [
      'has no gateway of the other network',
      {istiodDiscovery: seen({...discovery(all), gatewayNetworks: ['network1']})},
      {},
      ['error'],
    ],
    [
      'has no gateway of it, which may never have existed',
      {istiodDiscovery: seen({...discovery(all), gatewayNetworks: ['network1']})},
      withoutAccess,
      ['unknown'],
    ],
    ['runs a fixed version', {istiodDiscovery: seen(discovery()), controlPlanes: running(4)}, {}, ['ok']],
    ['has not synced the cluster, which MESH506 reports', {istiodClusters: clusterz('timeout')}, {}, ['ok']],
    [
      'waits for itself since the change',
      {istiodClusters: clusterz('syncing'), controlPlanes: running(2)},
      {},
      ['warning'],
    ],
    [
      'reads no other cluster',
      {istiodClusters: new PerPod([{name: 'istiod-1', observed: known({...istiodClusters('cluster1'), known: []})}])},
      {},
      ['ok'],
    ],
  ])('%s', (_, cluster1, facts1, expected) => {
    expect(results({cluster1: {...intact, ...cluster1}, ...(facts1 && {facts1})})).toEqual(expected);
  });

  it('needs no gateway of a cluster on its own network', () => {
    const [one, two] = clusters;
    if (!one || !two) throw new Error('two clusters');
    const discovered = seen({...discovery(all), gatewayNetworks: ['network1']});
    const mesh = {clusters: [one, {...two, network: 'network1'}]};
    expect(results({cluster1: {...intact, istiodDiscovery: discovered}, mesh})).toEqual(['ok']);
  });
});

describe('an istiod that was not queried', () => {
  const off = {istiodClusters: omitted('--no-live'), istiodDiscovery: omitted('--no-live')};

  it.each<[string, Partial<ClusterValues>, Overrides['facts1'], readonly string[]]>([
    ['gets warnings if a remote secret changed since it started', {}, off, ['warning', 'warning']],
    ['is ok if none did', {remoteCredentials: changedAt(before)}, off, ['ok']],
    ['is ok if they are the first', {remoteCredentials: changedAt('never')}, off, ['ok']],
    ['is not judged if that is not read either', {}, {...off, ...withoutAccess}, ['skipped']],
    ['is not judged in fixed versions', {controlPlanes: running(4)}, {...off, ...withoutAccess}, ['ok']],
    ['is unknown if its debug endpoint is disabled', {}, {istiodDiscovery: unread, ...withoutAccess}, ['unknown']],
    ['gets warnings even then', {}, {istiodDiscovery: unread}, ['warning', 'warning']],
    ['is unknown if its clusters are', {}, {istiodClusters: unread, ...withoutAccess}, ['unknown']],
  ])('%s', (_, cluster1, facts1, expected) => {
    expect(results({cluster1: {...intact, ...cluster1}, ...(facts1 && {facts1})})).toEqual(expected);
  });

  it('is ok in a mesh of one cluster', () => {
    const [one] = clusters;
    const mesh = {clusters: one ? [one] : []};
    expect(results({cluster1: intact, facts1: {...off, ...withoutAccess}, mesh})).toEqual(['ok']);
  });
});

describe('the fix', () => {
  it('of a loss is a restart of the istiod, with a note about the fixed versions', () => {
    const lost = evidence({cluster1: {...intact, istiodDiscovery: seen(discovery())}});
    expect(judgedText([hazardsCheck], lost).checks[0]).toMatchObject({
      fix: 'kubectl --context kind-cluster1 -n istio-system rollout restart deployment/istiod',
      note: expect.stringContaining('1.30.4') as string,
    });
  });

  const rejected = {
    acceptedTokens: new PerCluster([{name: 'cluster1', observed: known({accepted: false as const})}]),
  };
  const linkOf = (cluster1: Partial<ClusterValues>): unknown =>
    judgedText([tokenCheck], evidence({cluster1: {...intact, ...cluster1}, cluster2: rejected})).checks[0]?.fix;

  it('of a remote secret restarts the istiod that would lose endpoints, even if only the process names such a version', () => {
    const own = running().map((one) => ({
      ...one,
      ...{tag: 'ours', versionStatus: 'unparsed' as const, version: {major: 1, minor: 32}},
    }));
    const metrics = istiodMetrics('cluster1', {version: '1.30.2'});
    const istiodMetric = new PerPod([{name: 'istiod-1', observed: known(metrics)}]);
    expect(linkOf({controlPlanes: own, istiodMetrics: istiodMetric})).toMatch(/--restart-istiod/);
  });

  it.each([
    [3, true],
    [4, false],
  ])('of a remote secret under 1.30.%i includes that restart: %j', (patch, isIncluded) => {
    expect(String(linkOf({controlPlanes: running(patch)})).includes('--restart-istiod')).toBe(isIncluded);
  });
});
