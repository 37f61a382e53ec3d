import {describe, expect, it} from 'vitest';
import {discoveryPairs} from '../../../src/domain/discovery/pairs.js';
import {readerSecretNames, remoteSecretName} from '../../../src/domain/discovery/names.js';
import type {MeshCluster} from '../../../src/domain/mesh/mesh.js';

const primary = (name: string): MeshCluster => ({name, role: 'primary'});
const remote = (name: string, of: string): MeshCluster => ({name, role: 'remote', primary: of});
const pairsOf = (...clusters: readonly MeshCluster[]): readonly string[] =>
  discoveryPairs(clusters).map(({reader, peer}) => `${reader.name}>${peer.name}`);

describe('pairs of discovery', () => {
  it.each([
    ['one cluster reads no other', [primary('a')], []],
    ['primaries read each other', [primary('a'), primary('b')], ['a>b', 'b>a']],
    ['a remote is read by its primary only', [primary('a'), primary('b'), remote('r', 'b')], ['a>b', 'b>a', 'b>r']],
  ])('%s', (_, clusters, expected) => {
    expect(pairsOf(...clusters)).toEqual(expected);
  });
});

describe('names of discovery', () => {
  it.each([
    [{name: 'c1'}, 'istio-remote-secret-c1'],
    [{name: 'c1', istioName: 'prod-1'}, 'istio-remote-secret-prod-1'],
    [{name: 'c1', istioName: 'Kubernetes'}, 'istio-remote-secret-c1'],
  ])('the remote secret for %j is %s', (peer, expected) => {
    expect(remoteSecretName(peer)).toBe(expected);
  });

  it('the Secret to which a token is bound has the name of its reader', () => {
    expect(readerSecretNames({name: 'c1'})).toEqual(['kubectl-mesh-reader-c1', 'kubectl-mesh-token-c1']);
  });
});
