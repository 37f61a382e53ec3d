/** Facts of a cluster, each derived alone in a cluster that has nothing. */
import {expect, it} from 'vitest';
import {factKeys, isMeshFact, limitOnFact, readsOf, type ReadFactKey} from '../../src/domain/facts/facts.js';
import {MeshError} from '../../src/domain/errors.js';
import {resolveMesh} from '../../src/domain/mesh/resolve.js';
import {noLimits, type Limits} from '../../src/domain/facts/limits.js';
import {clusterFacts} from '../../src/observe/cluster-facts.js';
import {fakeDeps} from '../engine/fake-deps.js';

const keys = factKeys.filter((key): key is ReadFactKey => !isMeshFact(key));
const {mesh} = resolveMesh({file: undefined, contexts: {}, names: ['c1'], overrides: {}});
const cluster = {name: 'c1', context: 'ctx', role: 'primary', network: 'network1'} as const;
const other = {name: 'c2', role: 'primary', network: 'network2'} as const;

/** Derives one fact; answers which kinds of objects were read, and why the fact is unknown. */
async function derive(key: ReadFactKey, limits: Limits) {
  const kinds: string[] = [];
  const read = (answer: unknown) => (ref: {readonly kind: string}) => {
    kinds.push(ref.kind);
    return Promise.resolve(answer);
  };
  const api = {
    context: 'ctx',
    raw: () => Promise.resolve({gitVersion: 'v1.34.3', major: '1', minor: '34'}),
    get: read({metadata: {name: 'kube-system', uid: 'uid-1'}}),
    find: read(undefined),
    list: read({items: []}),
  };
  const {workspace, ...deps} = fakeDeps([]);
  const empty = () => Promise.resolve(undefined);
  const all = clusterFacts({
    deps: {
      ...deps,
      workspace: {...workspace, readSecret: empty},
      clusters: {open: () => Promise.resolve(api), serverOf: () => Promise.resolve({url: 'https://c1.example'})},
    } as never,
    mesh: {...mesh, clusters: [cluster, other]},
    cluster,
    limits,
    journal: () => Promise.reject(new MeshError('JOURNAL_BROKEN', 'there is none')),
    all: new Map(),
  });
  const failure = await all.fact(key).then(
    () => undefined,
    (thrown: unknown) => (thrown instanceof MeshError ? thrown.code : 'INTERNAL'),
  );
  return {kinds, failure};
}

it.each(keys)('%s needs only the requests of its row', async (key) => {
  const {kinds, failure} = await derive(key, noLimits);
  expect(failure).not.toBe('INTERNAL');
  if (readsOf(key).length === 0) expect(kinds).toEqual([]);
});

const gathered = keys.filter((key) => limitOnFact(key, {...noLimits, noSecrets: true}) === undefined);
it.each(gathered)('%s is derived without Secrets with --no-secrets', async (key) => {
  const {kinds, failure} = await derive(key, {...noLimits, noSecrets: true});
  expect(failure).not.toBe('INTERNAL');
  expect(kinds).not.toContain('Secret');
});
