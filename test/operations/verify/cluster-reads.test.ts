import {describe, expect, it} from 'vitest';
import {clusterReads} from '../../../src/operations/verify/cluster-reads.js';
import {fakeDeps} from '../../engine/fake-deps.js';

/** The API server's version as verify reads it, of what it answers to /version. */
function versionOf(answer: unknown): Promise<unknown> {
  const api = {context: 'ctx', raw: () => Promise.resolve(answer)};
  const deps = {...fakeDeps([]), clusters: {open: () => Promise.resolve(api)}};
  const cluster = {name: 'c1', context: 'ctx', role: 'primary'} as const;
  return clusterReads(deps as never, cluster, 'istio-system').version();
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
