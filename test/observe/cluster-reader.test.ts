import {describe, expect, it} from 'vitest';
import {MeshError} from '../../src/domain/errors.js';
import {readApiVersion} from '../../src/observe/identity.js';
import {ClusterReader} from '../../src/observe/cluster-reader.js';
import {noLimits, type Limits} from '../../src/domain/facts/limits.js';
import {fakeDeps} from '../engine/fake-deps.js';

/** The reads of a cluster whose API server is this. */
function readerOf(api: object, limits: Limits = noLimits): ClusterReader {
  const clusters = {...fakeDeps([]).clusters, open: () => Promise.resolve({context: 'ctx', ...api})};
  const cluster = {name: 'c1', context: 'ctx', role: 'primary'} as const;
  return new ClusterReader(clusters as never, {cluster, istioNamespace: 'istio-system', limits});
}

/** The API server's version as verify reads it, of what it answers to /version. */
function versionOf(answer: unknown): Promise<unknown> {
  return readApiVersion(readerOf({raw: () => Promise.resolve(answer)}), 'ctx');
}

describe('the version of an API server', () => {
  it.each([
    [
      {gitVersion: 'v1.34.3', major: '1', minor: '34'},
      {gitVersion: 'v1.34.3', major: 1, minor: 34},
    ],
    [
      {gitVersion: 'v1.27.9-eks-1', major: '1', minor: '27+'},
      {gitVersion: 'v1.27.9-eks-1', major: 1, minor: 27},
    ],
  ])('of %j is %j', async (answer, expected) => {
    await expect(versionOf(answer)).resolves.toEqual(expected);
  });

  it.each([
    undefined,
    {},
    {major: '1', minor: '34'},
    {gitVersion: 'v1.34.3'},
    {gitVersion: 'x', major: '1', minor: ''},
  ])('is not known of %j, rather than something that fits everything', async (answer) => {
    await expect(versionOf(answer)).rejects.toMatchObject({code: 'API_ERROR'});
  });
});

describe('prefetched bundles', () => {
  const only = (allowed: string) => ({
    list: (_: unknown, {fieldSelector}: {readonly fieldSelector: string}) =>
      fieldSelector === `metadata.name=${allowed}`
        ? Promise.resolve({items: []})
        : Promise.reject(new MeshError('FORBIDDEN', `not allowed: ${fieldSelector}`)),
  });

  it('do not count as a missing permission if another name is needed', async () => {
    const reader = readerOf(only('acme'));
    reader.prefetch('bundles', {name: 'istio-ca-root-cert'});
    await reader.read('bundles', {name: 'acme'});
    await expect(reader.summary()).resolves.toEqual({reads: 1});
  });

  it('count as a missing permission if the name is right, and are read once', async () => {
    const reader = readerOf(only('acme'));
    reader.prefetch('bundles', {name: 'istio-ca-root-cert'});
    await expect(reader.read('bundles')).rejects.toMatchObject({code: 'FORBIDDEN'});
    reader.prefetch('bundles', {name: 'istio-ca-root-cert'});
    await expect(reader.summary()).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: 'not allowed: metadata.name=istio-ca-root-cert',
    });
  });
});

describe('requests whose responses are not kept', () => {
  it('are sent once, and count as succeeded', async () => {
    let sent = 0;
    const reader = readerOf({find: () => Promise.resolve({sent: (sent += 1)})});
    await reader.read('remoteSecret', {name: 'a'});
    await reader.read('remoteSecret', {name: 'b'});
    await expect(reader.summary()).resolves.toEqual({reads: 2});
    await expect(reader.read('remoteSecret', {name: 'a'})).rejects.toMatchObject({code: 'INTERNAL'});
    expect(sent).toBe(2);
  });

  it('count as a missing permission if they are forbidden', async () => {
    const reader = readerOf({find: () => Promise.reject(new MeshError('FORBIDDEN', 'not allowed'))});
    await expect(reader.read('remoteSecret', {name: 'a'})).rejects.toMatchObject({code: 'FORBIDDEN'});
    await expect(reader.summary()).rejects.toMatchObject({code: 'FORBIDDEN', message: 'not allowed'});
  });
});

describe('gateways of the Gateway API', () => {
  const group = 'gateway.networking.k8s.io';
  const serving = (versions: readonly string[], code: 'NOT_FOUND' | 'FORBIDDEN' = 'NOT_FOUND') => ({
    list: ({apiVersion}: {readonly apiVersion: string}) =>
      versions.some((version) => apiVersion === `${group}/${version}`)
        ? Promise.resolve({items: [{apiVersion}]})
        : Promise.reject(new MeshError(code, `no ${apiVersion}`)),
  });

  it.each([
    [['v1', 'v1beta1'], ['v1']],
    [['v1beta1'], ['v1beta1']],
    [[], []],
  ])('of a cluster that serves %j are read as %j', async (versions, expected) => {
    const found = await readerOf(serving(versions)).read('networkGateways');
    expect(found.map(({apiVersion}) => apiVersion)).toEqual(expected.map((version) => `${group}/${version}`));
  });

  it('are unknown if reading them is forbidden', async () => {
    await expect(readerOf(serving(['v1beta1'], 'FORBIDDEN')).read('networkGateways')).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
  });
});

describe('the table of requests', () => {
  const none = {list: () => Promise.reject(new Error('sent')), find: () => Promise.reject(new Error('sent'))};

  it('does not let the caller set what its row fixes', async () => {
    await expect(readerOf(none).read('remoteSecrets', {labelSelector: 'a=b'})).rejects.toMatchObject({
      code: 'INTERNAL',
    });
    await expect(readerOf(none).read('installRecord')).rejects.toMatchObject({code: 'INTERNAL'});
  });

  it.each([
    ['cacerts', {noSecrets: true}],
    ['selfSigned', {noSecrets: true}],
    ['remoteSecrets', {noSecrets: true, access: true}],
    ['roles', {}],
    ['version', {offline: true}],
  ] as const)('is not sent where the user does not want it: %s with %j', async (name, limits) => {
    const reader = readerOf(none, limits);
    expect(reader.allows(name)).toBe(false);
    await expect(reader.read(name)).rejects.toMatchObject({code: 'INTERNAL'});
  });
});

describe('an object of a kind with several versions', () => {
  /** A cluster that serves these versions: the response for others is not that of an API server. */
  const finding = (served: readonly string[], object: object | undefined) => ({
    find: ({apiVersion}: {readonly apiVersion: string}) =>
      served.some((version) => apiVersion.endsWith(`/${version}`))
        ? Promise.resolve(object)
        : Promise.reject(new MeshError('API_ERROR', 'HTTP 404: 404 page not found')),
  });

  it.each([
    ['is found in the first version', ['v1', 'v1beta1'], {kind: 'Gateway'}],
    ['is found in an older version', ['v1beta1'], {kind: 'Gateway'}],
    ['is absent if the newest served version does not have it', ['v1'], undefined],
  ])('%s', async (_, served, object) => {
    await expect(readerOf(finding(served, object)).read('eastWestResource')).resolves.toEqual(object);
  });

  it('is unknown if no version is served', async () => {
    await expect(readerOf(finding([], undefined)).read('eastWestResource')).rejects.toMatchObject({code: 'API_ERROR'});
  });
});
