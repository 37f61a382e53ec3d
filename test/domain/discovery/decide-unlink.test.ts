import {describe, expect, it} from 'vitest';
import {decideUnlink, type UnlinkScope} from '../../../src/domain/discovery/decide-unlink.js';
import {
  type DiscoveryObservation,
  readStoredRemoteSecret,
  readStoredSecret,
} from '../../../src/domain/discovery/observation.js';
import {problem} from '../../../src/domain/errors.js';
import {resolveVersion} from '../../../src/domain/istio/versions.js';
import type {MeshCluster} from '../../../src/domain/mesh/mesh.js';

const unknown = {unknown: problem('FORBIDDEN', 'cannot get it')};
const [c1, c2, c3] = ['c1', 'c2', 'c3'].map((name): MeshCluster => ({
  name,
  role: 'primary',
  istioName: `i-${name}`,
})) as [MeshCluster, MeshCluster, MeshCluster];
const scope: UnlinkScope = {target: c3, clusters: [c1, c2, c3], namespace: 'istio-system'};

/** A remote secret with these data keys. */
function remote(name: string, ...keys: readonly string[]) {
  const data = Object.fromEntries(keys.map((key) => [key, Buffer.from('{}').toString('base64')]));
  const metadata = {name, labels: {'istio/multiCluster': 'true'}};
  return readStoredRemoteSecret({apiVersion: 'v1', kind: 'Secret', metadata, data});
}

function observation(
  secrets: readonly ReturnType<typeof remote>[],
  more: Partial<DiscoveryObservation> = {},
): DiscoveryObservation {
  const row = {id: 'i-c3', secretName: 'istio-system/istio-remote-secret-i-c3', status: 'synced'};
  return {
    at: new Date('2026-06-01T00:00:00Z'),
    context: 'ctx-c1',
    uid: {value: '1'},
    istiods: {
      value: [
        {
          deployment: 'istiod',
          version: resolveVersion('1.31.0'),
          isSelective: false,
          pods: [{name: 'istiod-1', clusters: {value: [row]}, services: {value: []}}],
        },
      ],
    },
    hasReaderAccount: {value: true},
    rootCa: {value: 'ca'},
    server: {value: {url: 'https://c1.example'}},
    readerSecrets: new Map(),
    remoteSecrets: new Map(secrets.map((one) => [one.metadata.name, {value: one}] as const)),
    ...more,
  };
}

describe('what unlink removes in a cluster that read the target', () => {
  it.each([
    ['its remote secret', remote('istio-remote-secret-i-c3', 'i-c3'), ['i-c3'], true],
    ['a Secret of another name', remote('by-hand', 'i-c3'), ['i-c3'], true],
    ['only its key in a Secret of several clusters', remote('all', 'i-c2', 'i-c3'), ['i-c3'], false],
    ['a wrong key in its Secret', remote('istio-remote-secret-i-c3', 'c3'), ['c3'], true],
    ['not a foreign key in its Secret', remote('istio-remote-secret-i-c3', 'i-c3', 'x'), ['i-c3'], false],
    ["not another cluster's key in its Secret", remote('istio-remote-secret-i-c3', 'i-c2', 'i-c3'), ['i-c3'], false],
  ])('is %s', (_, secret, keys, isWhole) => {
    const {remotes, proof, errors} = decideUnlink(scope, c1, observation([secret]));
    expect(errors).toEqual([]);
    expect(remotes.map((one) => [one.credentials.map(({cluster}) => cluster), one.isWhole])).toEqual([[keys, isWhole]]);
    expect(proof?.gone).toEqual(expect.arrayContaining(keys));
  });

  it('is nothing of other clusters', () => {
    const {remotes} = decideUnlink(scope, c1, observation([remote('istio-remote-secret-i-c2', 'i-c2', 'x')]));
    expect(remotes).toEqual([]);
  });

  it('is every remote secret of the target itself, and every reader Secret in it', () => {
    const reader = readStoredSecret({apiVersion: 'v1', kind: 'Secret', metadata: {name: 'kubectl-mesh-reader-c1'}});
    const secrets = [remote('istio-remote-secret-i-c1', 'i-c1'), remote('by-hand', 'i-c2', 'x')];
    const seen = observation(secrets, {readerSecrets: new Map([['c1', {value: reader}]])});
    const {remotes, readerSecrets} = decideUnlink(scope, c3, seen);
    expect(remotes.map(({isWhole}) => isWhole)).toEqual([true, true]);
    expect(readerSecrets).toEqual([reader]);
  });

  it.each([
    ['the istiods', {istiods: unknown}],
    ['the identity of the cluster', {uid: unknown}],
    ['a remote secret', {remoteSecrets: new Map([['istio-remote-secret-i-c3', unknown]])}],
    ['a reader Secret', {readerSecrets: new Map([['c3', unknown]])}],
    ['a list of its Secrets that may be requested', {listed: {unknown: problem('UNREACHABLE', 'no response')}}],
  ] satisfies readonly (readonly [string, Partial<DiscoveryObservation>])[])('is unknown without %s', (_, more) => {
    expect(decideUnlink(scope, c1, observation([], more)).errors.map(({code}) => code)).toEqual([
      'listed' in more ? 'UNREACHABLE' : 'FORBIDDEN',
    ]);
  });
});
