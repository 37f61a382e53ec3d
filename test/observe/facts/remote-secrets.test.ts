/** How the remote secrets of a cluster are read: in a mesh of many clusters by one list, where the user may list Secrets. */
import {describe, expect, it} from 'vitest';
import type {RemoteSecretFacts} from '../../../src/domain/facts/facts.js';
import {MeshError} from '../../../src/domain/errors.js';
import {noLimits} from '../../../src/domain/facts/limits.js';
import {resolveMesh} from '../../../src/domain/mesh/resolve.js';
import type {MeshCluster} from '../../../src/domain/mesh/mesh.js';
import {clusterFacts} from '../../../src/observe/cluster-facts.js';
import {atOnce} from '../../../src/observe/cluster-reader.js';
import {fakeDeps} from '../../engine/fake-deps.js';

const {mesh} = resolveMesh({file: undefined, contexts: {}, names: ['c1'], overrides: {}});
const clusterNamed = (name: string): MeshCluster => ({name, context: `ctx-${name}`, role: 'primary', network: 'n'});
const many = Array.from({length: atOnce + 2}, (_, index) => `c${String(index + 1)}`);
const nameFor = (peer: string): string => `istio-remote-secret-${peer}`;

interface Secret {
  readonly metadata: {readonly name: string; readonly labels: Readonly<Record<string, string>>};
}

function secretFor(peer: string, labels: Secret['metadata']['labels'] = {'istio/multiCluster': 'true'}): Secret {
  return {metadata: {name: nameFor(peer), labels}};
}

/** Derives the remote secrets of c1; answers what was found of each peer, and the requests. */
async function read(names: readonly string[], secrets: readonly Secret[], refused?: MeshError) {
  const requests: string[] = [];
  const api = {
    context: 'ctx',
    find: ({name}: {readonly name: string}) => {
      requests.push(name);
      return Promise.resolve(secrets.find(({metadata}) => metadata.name === name));
    },
    list: (_: unknown, {labelSelector}: {readonly labelSelector?: string}) => {
      requests.push(`list ${labelSelector ?? ''}`);
      const items = secrets.filter(({metadata: {labels}}) => 'istio/multiCluster' in labels);
      return refused ? Promise.reject(refused) : Promise.resolve({items});
    },
  };
  const facts = clusterFacts({
    deps: {...fakeDeps([]), clusters: {open: () => Promise.resolve(api)}} as never,
    mesh: {...mesh, clusters: names.map(clusterNamed)},
    cluster: clusterNamed('c1'),
    limits: noLimits,
    journal: () => Promise.reject(new MeshError('JOURNAL_BROKEN', 'there is none')),
    all: new Map(),
  });
  const {parts} = await facts.fact('remoteSecrets');
  const found = Object.fromEntries(
    parts.map(({name, observed}) => [name, 'value' in observed ? stateOf(observed.value) : observed.unknown.code]),
  );
  return {requests, found, access: facts.fact('access')};
}

function stateOf(secret: RemoteSecretFacts | 'absent'): string {
  if (secret === 'absent') return secret;
  return secret.labeled ? 'labeled' : 'not labeled';
}

const peers = many.slice(1);
const allLabeled = {c1: 'absent', ...Object.fromEntries(peers.map((name) => [name, 'labeled']))};

describe('the remote secrets of a cluster', () => {
  it('are listed by one request in a mesh of many clusters', async () => {
    const {requests, found, access} = await read(
      many,
      peers.map((peer) => secretFor(peer)),
    );
    expect(found).toEqual(allLabeled);
    // One for its own cluster is not expected.
    expect(requests).toEqual(['list istio/multiCluster=true', nameFor('c1')]);
    await expect(access).resolves.toEqual({reads: 2});
  });

  it('are also read by name if they are not listed', async () => {
    const [c2 = '', c3 = '', ...others] = peers;
    const {requests, found} = await read(many, [secretFor(c2, {}), ...others.map((peer) => secretFor(peer))]);
    expect(found).toEqual({...allLabeled, [c2]: 'not labeled', [c3]: 'absent'});
    expect(requests.slice(1).toSorted()).toEqual(['c1', c2, c3].map(nameFor).toSorted());
  });

  it.each(['FORBIDDEN', 'API_ERROR'] as const)('are read by name if the list fails: %s', async (code) => {
    const refused = new MeshError(code, 'cannot list secrets');
    const {requests, found, access} = await read(
      many,
      peers.map((peer) => secretFor(peer)),
      refused,
    );
    expect(found).toEqual(allLabeled);
    expect(requests.slice(1).toSorted()).toEqual(many.map(nameFor).toSorted());
    // The right to list all Secrets is not required.
    await expect(access).resolves.toEqual({reads: many.length});
  });

  it('are read by name in a mesh of few clusters', async () => {
    const {requests} = await read(['c1', 'c2', 'c3'], [secretFor('c2'), secretFor('c3')]);
    expect(requests.toSorted()).toEqual(['c1', 'c2', 'c3'].map(nameFor));
  });
});
