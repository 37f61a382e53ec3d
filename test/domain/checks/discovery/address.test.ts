/** MESH505: the address and the CA in a remote secret, by what is known of the API server and by what istiod reports. */
import {describe, expect, it} from 'vitest';
import {addressCheck} from '../../../../src/domain/checks/discovery/address.js';
import type {ApiServerAddress, RemoteKubeconfig} from '../../../../src/domain/discovery/remote-kubeconfig.js';
import type {ApiServerFacts} from '../../../../src/domain/facts/facts.js';
import {judgedText} from '../../../helpers/suggestions.js';
import {
  apiServerOf,
  caOf,
  controlPlane,
  evidence,
  istiodClusters,
  now,
  pod,
  readCluster,
  remoteCredential,
  remoteKubeconfig,
  remoteSecret,
  remoteSecretsOf,
  workload,
  type Overrides,
} from '../healthy.js';
import {clustersOf} from '../faults/builders.js';

const pem = (body: string): string => `-----BEGIN CERTIFICATE-----\n${body}\n-----END CERTIFICATE-----\n`;
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const address = apiServerOf('cluster2');
const rootCa = caOf('cluster2');
const publicCa = base64(pem('cHVibGlj'));
const omitted = {istiodClusters: {omitted: '--no-live'}, istiodMetrics: {omitted: '--no-live'}} as const;

interface Given {
  /** The address in the remote secret. */
  readonly secret?: ApiServerAddress;
  readonly kubeconfig?: ApiServerFacts['kubeconfig'];
  readonly rootCa?: string;
  readonly declared?: ApiServerAddress;
  /** What istiod reports; absent: `synced`; `not queried`: --no-live. */
  readonly status?: string;
  /** How long ago the remote secret was written, and istiod has started. Milliseconds. */
  readonly writtenMs?: number;
  readonly startedMs?: number;
  readonly more?: Partial<RemoteKubeconfig>;
  /** link wrote it. */
  readonly isLinked?: boolean;
}

const ago = (ms: number): Date => new Date(now.getTime() - ms);

function rowsOf({secret = address, status = 'synced', writtenMs = 3_600_000, startedMs = 3_600_000, ...given}: Given) {
  const kubeconfig = remoteKubeconfig('cluster2', {address: secret, ...given.more});
  const remote = remoteSecret('cluster2', {
    isLinked: given.isLinked ?? false,
    writtenAt: ago(writtenMs),
    credentials: [remoteCredential('cluster2', {kubeconfig})],
  });
  const istiod = workload('istiod', {pods: [pod('istiod-1', {startedAt: ago(startedMs)})]});
  const overrides: Overrides = {
    cluster1: {
      remoteSecrets: remoteSecretsOf('cluster1', remote),
      controlPlanes: [controlPlane('cluster1', {network: 'network1', workload: istiod})],
      ...(status !== 'not queried' && clustersOf(istiodClusters('cluster1', readCluster('cluster2', {status})))),
    },
    cluster2: {apiServer: {kubeconfig: given.kubeconfig ?? address, rootCa: given.rootCa ?? rootCa}},
    ...(status === 'not queried' && {facts1: omitted}),
  };
  const all = evidence(overrides);
  const clusters = all.clusters.map((one) =>
    one.cluster.name === 'cluster2' && given.declared
      ? {...one, cluster: {...one.cluster, apiServer: given.declared}}
      : one,
  );
  const {checks} = judgedText([addressCheck], {
    ...all,
    clusters,
    mesh: {...all.mesh, clusters: clusters.map(({cluster}) => cluster)},
  });
  return checks.filter(({cluster, peer}) => cluster === 'cluster1' && peer === 'cluster2');
}

const resultsOf = (given: Given): readonly string[] => rowsOf(given).map(({result}) => result);

describe('a server that public roots verify, because the kubeconfig has no CA', () => {
  const kubeconfig = {url: address.url};

  it.each<readonly [string, Given, string]>([
    ['without a CA', {secret: {url: address.url}}, 'ok'],
    ['without a CA, not synced', {secret: {url: address.url}, status: 'timeout'}, 'ok'],
    ['with the public CA', {secret: {url: address.url, caData: publicCa}}, 'ok'],
    ["with the cluster's CA, as istioctl writes it, synced", {}, 'ok'],
    ["with the cluster's CA, as istioctl writes it, not synced", {status: 'timeout'}, 'error'],
    ['with another CA, not queried', {secret: {url: address.url, caData: publicCa}, status: 'not queried'}, 'skipped'],
    ["at another address with the cluster's CA, synced", {secret: {...address, url: 'https://10.0.0.1'}}, 'ok'],
  ])('%s', (_, given, expected) => {
    expect(resultsOf({...given, kubeconfig})).toEqual([expected]);
  });

  it('is expected without a CA', () => {
    expect(rowsOf({kubeconfig})[0]?.expected).toContain('public roots');
  });
});

describe('a CA', () => {
  const both = base64(rootCa + pem('b3RoZXI='));

  it.each<readonly [string, Given, string]>([
    ['in a bundle with others', {secret: {...address, caData: both}}, 'ok'],
    ['that is one of several', {kubeconfig: {...address, caData: both}, rootCa: pem('b3RoZXI=')}, 'ok'],
    ['other than the one in the kubeconfig', {secret: {...address, caData: publicCa}}, 'error'],
    [
      'other than the declared one',
      {
        declared: {...address, caData: publicCa},
        kubeconfig: {url: 'https://127.0.0.1', caData: publicCa},
        rootCa: pem('cHVibGlj'),
      },
      'error',
    ],
    ['of another address, synced', {secret: {url: 'https://lb.example.com', caData: publicCa}}, 'ok'],
  ])('%s', (_, given, expected) => {
    expect(resultsOf(given)).toEqual([expected]);
  });
});

describe('a field that differs from the kubeconfig', () => {
  const kubeconfig = {...address, tlsServerName: 'api.internal', proxyUrl: 'http://proxy.example.com:3128'};

  it.each<readonly [string, string]>([
    ['synced', 'ok'],
    ['timeout', 'error'],
    ['closed', 'error'],
    ['syncing', 'error'],
    ['not queried', 'skipped'],
  ])('is judged by what istiod reports: %s', (status, expected) => {
    expect(resultsOf({kubeconfig, status})).toEqual([expected]);
    expect(resultsOf({secret: {...address, url: 'https://old.example.com'}, status})).toEqual([expected]);
  });

  it.each<readonly [string, Given]>([
    ['the remote secret was written', {writtenMs: 3000}],
    ['the remote secret was written, by a clock that is ahead', {writtenMs: -30_000}],
    ['istiod started', {startedMs: 3000}],
  ])('is unknown within a minute after %s', (_, given) => {
    expect(resultsOf({kubeconfig, status: 'syncing', ...given})).toEqual(['unknown']);
    expect(resultsOf({kubeconfig, status: 'timeout', ...given})).toEqual(['unknown']);
    expect(resultsOf({kubeconfig, status: 'synced', ...given})).toEqual(['ok']);
  });

  it('is not unknown for as long as a clock is ahead', () => {
    expect(resultsOf({kubeconfig, status: 'timeout', writtenMs: -600_000})).toEqual(['error']);
  });
});

describe('if the kubeconfig has only an address of the workstation', () => {
  const kubeconfig = {...address, url: 'https://127.0.0.1:6443'};

  it.each<readonly [string, string]>([
    ['synced', 'ok'],
    ['timeout', 'unknown'],
    ['not queried', 'skipped'],
  ])('another one is judged by what istiod reports: %s', (status, expected) => {
    const rows = rowsOf({kubeconfig, status});
    expect(rows.map(({result}) => result)).toEqual([expected]);
    for (const {observed, expected: wanted} of rows) expect([observed, wanted].join(' ')).not.toContain('127.0.0.1');
  });

  it('the same one is none if link wrote it, as where all control planes run on one machine', () => {
    expect(resultsOf({kubeconfig, secret: kubeconfig, status: 'timeout', isLinked: true})).toEqual(['ok']);
  });

  it('the same one is a finding', () => {
    expect(resultsOf({kubeconfig, secret: kubeconfig, status: 'timeout'})).toEqual(['error']);
  });
});

it('names the proxy if that is what only the workstation reaches', () => {
  const [row] = rowsOf({secret: {...address, proxyUrl: 'http://localhost:3128'}, status: 'timeout'});
  expect(row?.observed).toContain('proxy-url');
  expect(row?.observed).toContain('http://localhost:3128');
  expect(row?.observed).not.toContain(address.url);
});

it.each<readonly [string, Given]>([
  ['ok', {secret: {...address, url: 'https://user:hunter2@lb.example.com'}}],
  ['a difference', {secret: {...address, url: 'https://user:hunter2@lb.example.com'}, status: 'timeout'}],
  ['a proxy', {secret: {...address, proxyUrl: 'http://user:hunter2@proxy.example.com'}, status: 'timeout'}],
  ['a local proxy', {secret: {...address, proxyUrl: 'http://user:hunter2@localhost'}, status: 'timeout'}],
  [
    'an expected proxy',
    {kubeconfig: {...address, proxyUrl: 'http://user:hunter2@proxy.example.com'}, status: 'timeout'},
  ],
  ['an expected server', {kubeconfig: {...address, url: 'https://user:hunter2@lb.example.com'}}],
  ['a declared proxy', {declared: {...address, proxyUrl: 'http://user:hunter2@proxy.example.com'}}],
])('shows no password in a row: %s', (_, given) => {
  const text = JSON.stringify(rowsOf(given));
  expect(text).toContain('MESH505');
  expect(text).not.toContain('hunter2');
});
