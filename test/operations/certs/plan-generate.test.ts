import {describe, expect, it} from 'vitest';
import type {CaFiles} from '../../../src/domain/ca/ca-files.js';
import {clusterStateOf, type RootState} from '../../../src/domain/ca/workdir-state.js';
import {Sensitive} from '../../../src/domain/sensitive.js';
import type {GenerateClusterFacts, GenerateFacts} from '../../../src/operations/certs/generate-facts.js';
import {planGenerate} from '../../../src/operations/certs/generate.js';
import {bundleOf, tinyClusterCa} from '../../helpers/tiny-ca.js';
import {allActions, emptyInShort, inShort, now, type PlanInShort, rootFile, rootOf} from './fixtures.js';
import {
  brokenRoot,
  elsewhere,
  healthy as healthyRoot,
  idle,
  meshWithTrust,
  noRoot,
  policy,
  ready,
  root,
  rootWith,
  unavailable,
} from './generate-fixtures.js';

const [ca1, ca2, belowPolicy] = await Promise.all([
  tinyClusterCa(root, 'c1', {now}),
  tinyClusterCa(root, 'c2', {now}),
  tinyClusterCa(policy, 'c1', {now}),
]);
const files1 = bundleOf(ca1, [root]);
const files2 = bundleOf(ca2, [root]);

/** A cluster, its files checked against the root. */
function found(name: 'c1' | 'c2', files: CaFiles, beside: RootState = rootWith('encrypted')): GenerateClusterFacts {
  const context = {
    declared: [{name: 'c1'}, {name: 'c2'}],
    names: {trustDomain: 'cluster.local', servingNames: []},
    now,
  };
  return {name, state: clusterStateOf(name, files, beside, context)};
}
const absent = {c1: found('c1', {}), c2: found('c2', {})};
const valid = {c1: found('c1', files1), c2: found('c2', files2)};
const withoutChain = found('c1', {...files1, certChain: undefined});
const withoutCopies = found('c1', {...files1, certChain: undefined, rootCert: undefined});
const withoutKey = found('c1', {...files1, caKey: undefined});
const broken = found('c1', {...files1, caCert: 'broken'});

/** A mesh with a valid root and valid cluster CAs. */
const healthy: GenerateFacts = {...healthyRoot, clusters: [valid.c1, valid.c2]};

type Row = readonly [behaviour: string, change: Partial<GenerateFacts>, expected: Partial<PlanInShort>];
const table = (rows: readonly Row[]): void => {
  it.each(rows)('%s', (_behaviour, change, expected) => {
    expect(inShort(planGenerate({...healthy, ...change}))).toEqual({...emptyInShort, ...expected});
  });
};

const createRoot = 'always-stop: create-root-ca root-ca';
const takeRoot = 'always-stop: write-files root-cert';
const issue1 = 'stop: issue-cluster-ca c1/ca';
const issueBoth = 'stop: issue-cluster-ca c1/ca, issue-cluster-ca c2/ca';
const complete1 = 'stop: write-files c1/complete';
const existing = {passphrase: 'existing'} as const;

it('does nothing if root and cluster CAs are valid, and needs no passphrase', () => {
  expect(inShort(planGenerate({...healthy, passphraseAvailable: false}))).toEqual(emptyInShort);
});

describe('a cluster without a CA', () => {
  const fresh = {root: noRoot, clusters: [absent.c1, absent.c2]};
  table([
    ['gets one, and the others are unchanged', {clusters: [absent.c1, valid.c2]}, {groups: [issue1], ...existing}],
    [
      'gets one with --renew without confirmation, since nothing is lost',
      {clusters: [absent.c1], renew: true},
      {groups: [issue1], ...existing},
    ],
    [
      'gets one after the root of a new mesh, unless creating the root fails',
      fresh,
      {groups: [createRoot, issueBoth], passphrase: 'new'},
    ],
    [
      "gets one from a server after that server's root is imported",
      {...fresh, signer: ready(policy, root)},
      {groups: [takeRoot, issueBoth]},
    ],
    [
      'gets none without the root key, while a complete cluster is not affected',
      {root: rootWith('missing'), clusters: [absent.c1, valid.c2]},
      {blockers: ['c1: FILE_MISSING']},
    ],
    [
      'gets none if an external CA signs, which is reported for each cluster',
      {
        loaded: meshWithTrust('{signer: {type: csr}}'),
        signer: elsewhere,
        root: rootWith('missing'),
        clusters: fresh.clusters,
      },
      {blockers: ['c1: SIGNED_ELSEWHERE', 'c2: SIGNED_ELSEWHERE']},
    ],
    [
      'gets none without the passphrase',
      {clusters: [absent.c1], passphraseAvailable: false},
      {groups: [issue1], blockers: ['PASSPHRASE_NEEDED'], ...existing},
    ],
    [
      'gets none if the signer is unavailable',
      {clusters: [absent.c1], signer: unavailable},
      {groups: [issue1], blockers: ['SIGNER_UNAVAILABLE']},
    ],
    [
      'gets none if the file of the root is unreadable',
      {root: brokenRoot, clusters: [absent.c1]},
      {groups: [issue1], blockers: ['NOT_PEM']},
    ],
    [
      'gets none if another cluster has a root and root-cert.pem is missing',
      {root: noRoot, clusters: [absent.c1], existingRoots: [rootOf('c2', root)]},
      {groups: [issue1], blockers: ['FILE_MISSING']},
    ],
  ]);

  it('gets one as declared in mesh.yaml', () => {
    const trust = '{keyAlgorithm: ecdsa-p384, clusterValidity: 50d, signer: {type: local, directory: /media/stick}}';
    const {trust: resolved} = meshWithTrust(trust).mesh;
    const [action] = allActions(planGenerate({...healthy, loaded: meshWithTrust(trust), clusters: [absent.c1]}));
    expect(action).toMatchObject({
      ...{kind: 'issue-cluster-ca', cluster: 'c1', algorithm: 'ecdsa-p384', validityDays: 50},
      ...{signer: resolved.signer, names: {trustDomain: 'cluster.local'}},
    });
    expect(resolved.signer).toEqual({type: 'local', directory: '/media/stick'});
  });
});

describe('--renew', () => {
  const renew = true;
  const agree1 = `${issue1}!`;
  table([
    ['replaces a valid CA after confirmation', {renew, clusters: [valid.c1]}, {groups: [agree1], ...existing}],
    [
      'replaces a CA with missing copies after confirmation',
      {renew, clusters: [withoutChain]},
      {groups: [agree1], ...existing},
    ],
    [
      'replaces a CA with conflicting files after confirmation',
      {renew, clusters: [broken]},
      {groups: [agree1], ...existing},
    ],
    [
      'requires confirmation for each CA that is replaced, and for no other',
      {renew, clusters: [valid.c1, absent.c2]},
      {groups: [`${agree1}, issue-cluster-ca c2/ca`], ...existing},
    ],
    [
      'replaces nothing without the root key',
      {renew, root: rootWith('missing'), clusters: [valid.c1]},
      {blockers: ['c1: FILE_MISSING']},
    ],
  ]);

  it.each([
    ['a valid CA', valid.c1],
    ['a CA with missing copies', withoutCopies],
  ])('mentions until when %s is valid', (_which, cluster) => {
    const [action] = allActions(planGenerate({...healthy, renew, clusters: [cluster]}));
    expect(action?.confirm).toContain('2028-05-31');
  });
});

describe('existing files', () => {
  const noRootOfClusters = {root: noRoot, existingRoots: [rootOf('c1', root)]};
  table([
    [
      'are completed without a passphrase',
      {clusters: [withoutChain], passphraseAvailable: false},
      {groups: [complete1]},
    ],
    [
      'are completed without the root key',
      {clusters: [withoutChain], root: rootWith('missing')},
      {groups: [complete1]},
    ],
    ["restore the mesh's root", {...noRootOfClusters, clusters: [found('c1', files1, noRoot)]}, {groups: [takeRoot]}],
    [
      "conflict if they cannot be completed without the mesh's root",
      {...noRootOfClusters, clusters: [found('c1', {...files1, certChain: undefined}, noRoot)]},
      {groups: [takeRoot], blockers: ['c1: WORKDIR_CONFLICT']},
    ],
    [
      'are unchanged if they could be completed, but the root is missing',
      {...noRootOfClusters, clusters: [withoutChain]},
      {groups: [takeRoot]},
    ],
    [
      'stop only their cluster if they conflict',
      {clusters: [broken, absent.c2]},
      {groups: ['stop: issue-cluster-ca c2/ca'], blockers: ['c1: WORKDIR_CONFLICT'], ...existing},
    ],
    ['cause a warning if the key of a cluster CA is missing', {clusters: [withoutKey]}, {warnings: 1}],
    [
      'cause no warning if keepClusterKeys is false',
      {clusters: [withoutKey], loaded: meshWithTrust('{keepClusterKeys: false}')},
      {},
    ],
  ]);

  it.each([
    ['cert-chain.pem', withoutChain, ['c1/cert-chain.pem']],
    ['root-cert.pem and cert-chain.pem', withoutCopies, ['c1/root-cert.pem', 'c1/cert-chain.pem']],
  ])('get the former %s', (_which, cluster, paths) => {
    const [action] = allActions(planGenerate({...healthy, clusters: [cluster]}));
    const texts: Readonly<Record<string, string>> = {
      ...{'c1/root-cert.pem': files1.rootCert, 'c1/cert-chain.pem': files1.certChain},
    };
    expect(action).toMatchObject({files: paths.map((path) => ({path, content: texts[path]}))});
  });

  it('conflict if cert-chain.pem is missing and the cluster CA is below a policy CA', () => {
    const holed = found('c1', {...bundleOf(belowPolicy, [policy, root]), certChain: undefined});
    expect(inShort(planGenerate({...healthy, clusters: [holed]}))).toEqual({
      ...{...emptyInShort, blockers: ['c1: WORKDIR_CONFLICT']},
    });
  });
});

describe('a mesh with an external CA', () => {
  const external = {
    loaded: meshWithTrust('{signer: {type: external, issuer: cert-manager}}'),
    signer: idle,
    root: noRoot,
  };
  table([
    ['has nothing to generate, which is a warning', {...external, clusters: [absent.c1, absent.c2]}, {warnings: 1}],
    ['keeps its files, with the same warning', {...external, root: rootWith('missing')}, {warnings: 1}],
    [
      'cannot be renewed here',
      {...external, signer: elsewhere, renew: true, clusters: [absent.c1, valid.c2]},
      {warnings: 1, blockers: ['c1: SIGNED_ELSEWHERE', 'c2: SIGNED_ELSEWHERE']},
    ],
  ]);
});

describe('besides the CAs', () => {
  const exposed = {git: {exposed: ['c1/ca-key.pem'], unknown: undefined}};
  const gitSilent = {git: {exposed: [], unknown: 'dubious ownership'}};
  const copies = {path: 'root-key.pem', content: new Sensitive('a key')};
  const makefileImport = {files: [copies], notes: ['root-key.pem is a copy'], warnings: [{message: 'a fault'}]};
  const takeOver = 'always-stop: write-files take-over';
  const loaded = {...healthy.loaded, declaration: {clusters: ['c3']}};
  table([
    [
      'a key that git does not ignore blocks everything',
      {...exposed, clusters: [absent.c1]},
      {groups: [issue1], blockers: ['KEY_IN_GIT'], ...existing},
    ],
    [
      'a key that git does not ignore blocks a new root',
      {...exposed, root: noRoot, clusters: []},
      {groups: [createRoot], blockers: ['KEY_IN_GIT'], passphrase: 'new'},
    ],
    [
      'a key that git does not ignore blocks the copies of Makefile files',
      {...exposed, makefileImport},
      {groups: [takeOver], blockers: ['KEY_IN_GIT'], warnings: 1},
    ],
    ['git does not matter if nothing is written', {git: {exposed: ['c1/ca-key.pem'], unknown: 'no answer'}}, {}],
    [
      'an unknown state of git is a warning',
      {...gitSilent, clusters: [absent.c1]},
      {groups: [issue1], warnings: 1, ...existing},
    ],
    [
      'mesh.yaml is written first, then the copies of Makefile files, then root and clusters',
      {loaded, makefileImport, root: noRoot, clusters: [absent.c1]},
      {groups: ['always-stop: write-files declare', takeOver, createRoot, issue1], warnings: 1, passphrase: 'new'},
    ],
    [
      'each note about the mesh and the root is a warning',
      {loaded: {...healthy.loaded, notes: ['one', 'two']}, root: rootWith('clear')},
      {warnings: 3},
    ],
    [
      'the blockers of the root come before those of clusters',
      {root: noRoot, existingRoots: [rootOf('c2', root)], clusters: [broken, absent.c2]},
      {groups: ['stop: issue-cluster-ca c2/ca'], blockers: ['FILE_MISSING', 'c1: WORKDIR_CONFLICT']},
    ],
  ]);

  it('the imported root is the one that was found', () => {
    const [action] = allActions(planGenerate({...healthy, rootSource: '--root'}));
    expect(action).toMatchObject({files: [{path: 'root-cert.pem', content: rootFile(root).text}]});
  });

  it('the plan has the action for the root and those for each cluster', () => {
    const made = planGenerate({...healthy, root: noRoot, clusters: [absent.c1]});
    expect(made.root?.kind).toBe('create-root-ca');
    expect(made.clusterActions.map(({cluster, kind}) => [cluster, kind])).toEqual([['c1', 'issue-cluster-ca']]);
    const present = planGenerate(healthy);
    expect([present.root, present.clusterActions.length]).toEqual([undefined, 0]);
  });

  it('each cluster has a separate lane, and so has the root', () => {
    const {groups} = planGenerate({...healthy, root: noRoot, clusters: [absent.c1, absent.c2]});
    expect(groups.map(({lanes}) => lanes.map(({key, cluster}) => [key, cluster]))).toEqual([
      [['root CA', undefined]],
      [
        ['c1', 'c1'],
        ['c2', 'c2'],
      ],
    ]);
  });
});
