import {describe, expect, it} from 'vitest';
import {MeshError} from '../../../src/domain/errors.js';
import {clusterReads} from '../../../src/operations/verify/cluster-reads.js';
import type {ClusterReads} from '../../../src/operations/verify/cluster-reads.js';
import {fakeDeps} from '../../engine/fake-deps.js';

/** The reads of a cluster whose API server is this. */
function readsOf(api: object): ClusterReads {
  const deps = {...fakeDeps([]), clusters: {open: () => Promise.resolve({context: 'ctx', ...api})}};
  return clusterReads(deps as never, {name: 'c1', context: 'ctx', role: 'primary'}, 'istio-system');
}

/** The API server's version as verify reads it, of what it answers to /version. */
function versionOf(answer: unknown): Promise<unknown> {
  return readsOf({raw: () => Promise.resolve(answer)}).version();
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

describe('bundles that are read before their name is known', () => {
  const only = (allowed: string) => ({
    list: (_: unknown, {fieldSelector}: {readonly fieldSelector: string}) =>
      fieldSelector === `metadata.name=${allowed}`
        ? Promise.resolve({items: []})
        : Promise.reject(new MeshError('FORBIDDEN', `not allowed: ${fieldSelector}`)),
  });

  it('are no missing right where another name turns out to be needed', async () => {
    const reads = readsOf(only('acme'));
    reads.bundlesAhead('istio-ca-root-cert');
    await reads.bundles('acme');
    await expect(reads.access()).resolves.toEqual({reads: 1});
  });

  it('are one where it is this name, and are read once', async () => {
    const reads = readsOf(only('acme'));
    reads.bundlesAhead('istio-ca-root-cert');
    await expect(reads.bundles('istio-ca-root-cert')).rejects.toMatchObject({code: 'FORBIDDEN'});
    reads.bundlesAhead('istio-ca-root-cert');
    await expect(reads.access()).rejects.toMatchObject({
      code: 'FORBIDDEN',
      message: 'not allowed: metadata.name=istio-ca-root-cert',
    });
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
    const found = await readsOf(serving(versions)).networkGateways();
    expect(found.map(({apiVersion}) => apiVersion)).toEqual(expected.map((version) => `${group}/${version}`));
  });

  it('are unknown where reading them is refused', async () => {
    await expect(readsOf(serving(['v1beta1'], 'FORBIDDEN')).networkGateways()).rejects.toMatchObject({
      code: 'FORBIDDEN',
    });
  });
});
