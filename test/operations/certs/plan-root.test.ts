import {describe, expect, it} from 'vitest';
import type {ErrorCode} from '../../../src/domain/errors.js';
import type {CreateRootCa} from '../../../src/engine/action.js';
import type {GenerateFacts, SignerFacts} from '../../../src/operations/certs/generate-facts.js';
import {cannotSign, passphraseOf} from '../../../src/operations/certs/generate.js';
import {planRoot} from '../../../src/operations/certs/plan-root.js';
import {type TinyCa, tinyClusterCa, tinyRoot} from '../../helpers/tiny-ca.js';
import {
  actionInShort,
  daysFromNow,
  emptyInShort,
  extensions,
  now,
  type PlanInShort,
  policyCa,
  rootFile,
  rootOf,
  unreadableRootOf,
} from './fixtures.js';
import {
  brokenRoot,
  elsewhere,
  expiredRoot,
  healthy,
  idle,
  issuing,
  keyFile,
  meshWithTrust,
  nextRoot,
  noRoot,
  policy,
  ready,
  root,
  rootless,
  rootWith,
  stick,
  foreign,
  unavailable,
} from './generate-fixtures.js';
import {hintTexts} from '../../helpers/suggestions.js';

/** Changes to the facts, and the clusters that need a CA: c1 by default. */
type Change = Partial<GenerateFacts> & {readonly issuing?: readonly string[]};

interface Outcome extends Omit<PlanInShort, 'groups'> {
  readonly actions: readonly string[];
  /** The new root-cert.pem. */
  readonly rootCert: unknown;
}

function outcomeOf({issuing: clusters = ['c1'], ...change}: Change): Outcome {
  const facts = {...healthy, ...change};
  const wanted = issuing(...clusters);
  const planned = planRoot(facts, wanted);
  const {action} = planned;
  return {
    actions: (action ? [action] : []).map((one) =>
      one.kind === 'create-root-ca' ? `${actionInShort(one)} ${one.protection}` : actionInShort(one),
    ),
    blockers: planned.error ? [planned.error.code] : [],
    warnings: planned.warning === undefined ? 0 : 1,
    passphrase: passphraseOf(facts, planned, wanted)?.purpose,
    rootCert: action?.kind === 'write-files' ? action.files.map(({content}) => content).join('') : undefined,
  };
}

const {warnings, blockers, passphrase} = emptyInShort;
const nothing: Outcome = {actions: [], blockers, warnings, passphrase, rootCert: undefined};
const adopted = (...roots: readonly TinyCa[]): Partial<Outcome> => ({
  ...{actions: ['write-files root-cert'], rootCert: rootFile(...roots).text},
});

type Row = readonly [behaviour: string, change: Change, expected: Partial<Outcome>];
const table = (rows: readonly Row[]): void => {
  it.each(rows)('%s', (_behaviour, change, expected) => {
    expect(outcomeOf(change)).toEqual({...nothing, ...expected});
  });
};

describe('the decision for every state of the root with', () => {
  const states = {
    ...{encrypted: {}, weak: {root: rootWith('weakly encrypted')}, clear: {root: rootWith('clear')}},
    ...{missing: {root: rootWith('missing')}, expired: {now: daysFromNow(4000)}, absent: {root: noRoot}},
    ...{broken: {root: brokenRoot}, split: {root: noRoot, existingRoots: [rootOf('c2', root), rootOf('c3', foreign)]}},
  } satisfies Readonly<Record<string, Change>>;
  type Matrix = Readonly<Record<keyof typeof states, string>>;
  const kept = {encrypted: '', weak: '', clear: '', missing: '', expired: ''};
  const conflicts = {broken: 'NOT_PEM', split: 'WORKDIR_CONFLICT'};
  const silent = 'SIGNER_UNAVAILABLE';

  it.each<readonly [signer: string, SignerFacts, Matrix]>([
    [
      'a key file',
      keyFile,
      {...kept, weak: 'warning', clear: 'warning', absent: 'create-root-ca root-ca encrypted', ...conflicts},
    ],
    ['a CA on a server', ready(root), {...kept, absent: 'write-files root-cert', ...conflicts}],
    ['a key without a certificate', rootless, {...kept, absent: 'create-root-ca root-ca elsewhere', ...conflicts}],
    ['an external CA', elsewhere, {...kept, absent: '', ...conflicts}],
    ['a signer that is not needed', idle, {...kept, absent: '', ...conflicts}],
    [
      'an unavailable signer',
      unavailable,
      {
        ...{encrypted: silent, weak: silent, clear: silent, missing: silent, expired: silent, absent: silent},
        ...{...conflicts, split: silent},
      },
    ],
  ])('%s', (_signer, signer, expected) => {
    const found = Object.entries<Change>(states).map(([state, change]) => {
      const {actions, blockers: reasons, warnings: count} = outcomeOf({...change, signer});
      return [state, [...reasons, ...actions, ...(count > 0 ? ['warning'] : [])].join()];
    });
    expect(Object.fromEntries(found)).toEqual(expected);
  });
});

describe('a root with its key in a file', () => {
  const theirs = {signer: stick(foreign)};
  table([
    ['prompts for the passphrase of its encrypted key', {}, {passphrase: 'existing'}],
    ['does not prompt for a passphrase if nothing has to be signed', {issuing: [], passphraseAvailable: false}, {}],
    [
      'stops a run without a passphrase',
      {passphraseAvailable: false},
      {blockers: ['PASSPHRASE_NEEDED'], passphrase: 'existing'},
    ],
    [
      'requires its passphrase even with --no-passphrase, which applies to new keys',
      {unencrypted: true, passphraseAvailable: false},
      {blockers: ['PASSPHRASE_NEEDED'], passphrase: 'existing'},
    ],
    [
      'causes a warning if its key is unencrypted',
      {root: rootWith('clear'), passphraseAvailable: false},
      {warnings: 1},
    ],
    ['causes the same warning if nothing is signed with it', {root: rootWith('clear'), issuing: []}, {warnings: 1}],
    [
      'causes a warning if its key is weakly encrypted',
      {root: rootWith('weakly encrypted')},
      {warnings: 1, passphrase: 'existing'},
    ],
    [
      'does not stop the run if its key is missing: cannotSign reports that for each cluster',
      {root: rootWith('missing'), passphraseAvailable: false},
      {},
    ],
    [
      'does not stop the run if it has expired: cannotSign reports that for each cluster',
      {root: rootWith('clear', expiredRoot)},
      {warnings: 1},
    ],
    [
      'is imported from the directory of its key',
      {rootSource: 'the directory of the root key', signer: stick(root)},
      {...adopted(root), passphrase: 'existing'},
    ],
    [
      'is imported with the warning about its unencrypted key',
      {rootSource: '--root', root: rootWith('clear'), signer: stick(root)},
      {...adopted(root), warnings: 1},
    ],
    [
      'does not accept the directory of another root, and reports that before a passphrase prompt',
      {...theirs, passphraseAvailable: false},
      {blockers: ['WORKDIR_CONFLICT'], passphrase: 'existing'},
    ],
    ['ignores the directory of another root if nothing has to be signed', {...theirs, issuing: []}, {}],
    [
      'accepts the directory of one of its roots while the root is being rotated',
      {root: rootWith('encrypted', root, nextRoot), signer: stick(nextRoot, foreign)},
      {passphrase: 'existing'},
    ],
    [
      'accepts a directory with an unreadable root-cert.pem, because the key itself is compared later',
      {signer: {...stick(), certificate: 'broken'}},
      {passphrase: 'existing'},
    ],
    [
      'does not compare root-cert.pem in the work directory with itself',
      {signer: {...keyFile, certificate: rootFile(foreign).text}},
      {passphrase: 'existing'},
    ],
  ]);
});

describe('a root without a key file', () => {
  table([
    ['is unchanged with an external CA', {signer: elsewhere, root: rootWith('missing')}, {}],
    ['is unchanged with a signer that is not needed', {signer: idle, root: rootWith('missing')}, {}],
    ['is unchanged with a key without a certificate', {signer: rootless, root: rootWith('missing')}, {}],
    ['is imported from --root', {signer: elsewhere, root: rootWith('missing'), rootSource: '--root'}, adopted(root)],
    ['needs no signer if nothing has to be signed', {signer: unavailable, root: rootWith('missing'), issuing: []}, {}],
    [
      'needs its signer if something has to be signed',
      {signer: unavailable, root: rootWith('missing')},
      {blockers: ['SIGNER_UNAVAILABLE']},
    ],
  ]);
});

const [short, early, pathLengthZero, noCertSign, noCa, strictRoot] = await Promise.all([
  policyCa(root, 'short', {now: daysFromNow(-100), days: 50}),
  policyCa(root, 'early', {now: daysFromNow(2)}),
  tinyClusterCa(root, 'policy', {now}),
  policyCa(root, 'policy', {change: extensions({keyUsage: ['digitalSignature', 'cRLSign']})}),
  policyCa(root, 'policy', {change: extensions({basicConstraints: {ca: false}})}),
  tinyRoot({now, change: extensions({basicConstraints: {ca: true, pathLength: 1}})}),
]);
const belowStrictRoot = await policyCa(strictRoot, 'policy');

describe('with a CA on a server', () => {
  const server = {signer: ready(policy), root: rootWith('missing')};
  const fresh = {signer: ready(policy), root: noRoot};
  table([
    ['a root that issued it is accepted', server, {}],
    ['a root that is the CA itself is accepted', {...server, signer: ready(root)}, {}],
    [
      'a root above a CA that has expired does not stop the run: cannotSign reports that for each cluster',
      {...server, signer: ready(short)},
      {},
    ],
    [
      'a root above a CA that is not valid yet is a conflict',
      {...server, signer: ready(early)},
      {blockers: ['WORKDIR_CONFLICT']},
    ],
    [
      'a root of another hierarchy is a conflict',
      {...server, root: rootWith('missing', foreign)},
      {blockers: ['WORKDIR_CONFLICT']},
    ],
    [
      'a missing root is imported from the chain that the server returns',
      {...fresh, signer: ready(policy, root)},
      adopted(root),
    ],
    ['a missing root is the CA itself if that is self-signed', {...fresh, signer: ready(root)}, adopted(root)],
    ['a missing root is imported from --root', {...fresh, givenRoot: rootFile(root)}, adopted(root)],
    [
      'a missing root is imported from the clusters rather than --root or the server',
      {
        ...{...fresh, signer: ready(policy, root), givenRoot: rootFile(root)},
        existingRoots: [rootOf('c2', root, nextRoot)],
      },
      adopted(root, nextRoot),
    ],
    [
      'a missing root is imported from --root rather than the server',
      {...fresh, signer: ready(policy, root), givenRoot: rootFile(nextRoot, root)},
      adopted(nextRoot, root),
    ],
    [
      'a missing root is imported even if nothing has to be signed',
      {...fresh, signer: ready(root), issuing: []},
      adopted(root),
    ],
    ['a missing root must be given with --root if nothing provides it', fresh, {blockers: ['FILE_MISSING']}],
    [
      'a missing root must be given with --root if the server returns no certificate',
      {...fresh, signer: ready()},
      {blockers: ['FILE_MISSING']},
    ],
    [
      'a missing root must be the one of the clusters',
      {...fresh, signer: ready(policy, root), existingRoots: [rootOf('c2', foreign)]},
      {blockers: ['WORKDIR_CONFLICT']},
    ],
    [
      'a missing root must be the one of --root',
      {...fresh, givenRoot: rootFile(foreign)},
      {blockers: ['WORKDIR_CONFLICT']},
    ],
    [
      'a missing root is a conflict if the clusters have different ones',
      {...fresh, existingRoots: [rootOf('c2', root), rootOf('c3', root, nextRoot)]},
      {blockers: ['WORKDIR_CONFLICT']},
    ],
    [
      'a missing root is a conflict if that of a cluster is unreadable',
      {...fresh, existingRoots: [unreadableRootOf('c2')]},
      {blockers: ['WORKDIR_CONFLICT']},
    ],
  ]);
});

describe('a mesh without a root', () => {
  const fresh = {root: noRoot};
  table([
    [
      'gets a root with a key that is encrypted with a new passphrase',
      fresh,
      {actions: ['create-root-ca root-ca encrypted'], passphrase: 'new'},
    ],
    [
      'gets a root before any cluster needs a CA',
      {...fresh, issuing: []},
      {actions: ['create-root-ca root-ca encrypted'], passphrase: 'new'},
    ],
    ['gets no root without a passphrase', {...fresh, passphraseAvailable: false}, {blockers: ['PASSPHRASE_NEEDED']}],
    [
      'gets a root with an unencrypted key with --no-passphrase, and a warning',
      {...fresh, unencrypted: true, passphraseAvailable: false},
      {actions: ['create-root-ca root-ca clear'], warnings: 1},
    ],
    [
      'gets no root in a directory that does not exist',
      {...fresh, signer: {...stick(), directoryMissing: true}},
      {blockers: ['FILE_MISSING']},
    ],
    [
      'gets no root in a directory that does not exist with --no-passphrase either',
      {...fresh, unencrypted: true, signer: {...stick(), directoryMissing: true}},
      {blockers: ['FILE_MISSING']},
    ],
    [
      'gets a root in another directory that exists',
      {...fresh, signer: {...keyFile, keyPath: '/media/stick/root-key.pem', directoryMissing: false}},
      {actions: ['create-root-ca root-ca encrypted'], passphrase: 'new'},
    ],
    [
      'gets a root without a passphrase if the signer holds the key',
      {...fresh, signer: rootless, passphraseAvailable: false},
      {actions: ['create-root-ca root-ca elsewhere']},
    ],
    ['gets no root from an external CA', {...fresh, signer: elsewhere, passphraseAvailable: false}, {}],
    ['gets no root if no signer is needed', {...fresh, signer: idle, passphraseAvailable: false}, {}],
    ['gets no root if the signer is unavailable', {...fresh, signer: unavailable}, {blockers: ['SIGNER_UNAVAILABLE']}],
    [
      'gets no root if the signer is unavailable, even if nothing has to be signed',
      {...fresh, signer: unavailable, issuing: []},
      {blockers: ['SIGNER_UNAVAILABLE']},
    ],
  ]);

  describe('whose clusters have one', () => {
    const lost = {...fresh, existingRoots: [rootOf('c2', root), rootOf('c3', root)]};
    table([
      ['imports that root if nothing has to be signed', {...lost, issuing: []}, adopted(root)],
      ['imports that root with an external CA', {...lost, signer: elsewhere, issuing: []}, adopted(root)],
      [
        'imports no file without a certificate',
        {
          ...fresh,
          signer: elsewhere,
          existingRoots: [{text: 'garbage', roots: [], cluster: 'c2'}],
          issuing: [],
        },
        {blockers: ['NOT_A_CERTIFICATE']},
      ],
      ['gets no new root', lost, {blockers: ['FILE_MISSING']}],
      ['gets no new root with --no-passphrase either', {...lost, unencrypted: true}, {blockers: ['FILE_MISSING']}],
      ['gets no new root if the signer holds the key', {...lost, signer: rootless}, {blockers: ['FILE_MISSING']}],
      [
        'has a conflict if the roots differ, whether or not something has to be signed',
        {...fresh, existingRoots: [rootOf('c2', root), rootOf('c3', root), rootOf('c4', foreign)], issuing: []},
        {blockers: ['WORKDIR_CONFLICT']},
      ],
      [
        'has a conflict if one cluster trusts one root more than the other',
        {...fresh, existingRoots: [rootOf('c2', root), rootOf('c3', root, nextRoot)]},
        {blockers: ['WORKDIR_CONFLICT']},
      ],
      [
        'has a conflict if two clusters have one root in common and another one each',
        {...fresh, existingRoots: [rootOf('c2', root, nextRoot), rootOf('c3', root, foreign)], issuing: []},
        {blockers: ['WORKDIR_CONFLICT']},
      ],
      [
        'has no conflict if only the order of the roots differs',
        {...fresh, existingRoots: [rootOf('c2', root, nextRoot), rootOf('c3', nextRoot, root)], issuing: []},
        adopted(root, nextRoot),
      ],
      [
        'has a conflict if two clusters have unreadable files',
        {...fresh, existingRoots: [unreadableRootOf('c2'), unreadableRootOf('c3')], issuing: []},
        {blockers: ['WORKDIR_CONFLICT']},
      ],
      [
        'gets no new root if the only root of a cluster is unreadable',
        {...fresh, existingRoots: [unreadableRootOf('c2')]},
        {blockers: ['FILE_MISSING']},
      ],
    ]);
  });

  it('gets a root as declared in mesh.yaml, while the first four cluster keys are generated', () => {
    const loaded = meshWithTrust('{keyAlgorithm: ecdsa-p384, rootValidity: 100d, clusterValidity: 50d}');
    const {action} = planRoot({...healthy, ...fresh, loaded}, issuing('c1', 'c2', 'c3', 'c4', 'c5'));
    const expected: Partial<CreateRootCa> = {
      ...{kind: 'create-root-ca', meshID: 'mesh1', algorithm: 'ecdsa-p384', validityDays: 100},
      ...{signer: {type: 'local'}, protection: 'encrypted'},
      keysAhead: ['c1', 'c2', 'c3', 'c4'].map((cluster) => ({cluster, algorithm: 'ecdsa-p256'})),
    };
    expect(action).toMatchObject(expected);
    expect(action).not.toHaveProperty('confirm');
  });
});

it.each([
  ['is proposed if a new root key lacks its passphrase', noRoot, true],
  ['is not proposed if an encrypted key lacks its passphrase', rootWith('encrypted'), false],
])('--no-passphrase %s', (_where, state, proposed) => {
  const {error} = planRoot({...healthy, root: state, passphraseAvailable: false}, issuing('c1'));
  expect(
    hintTexts(error?.hints ?? [])
      .join()
      .includes('--no-passphrase'),
  ).toBe(proposed);
});

describe('a cluster CA', () => {
  /** A root key that signs for the first of these, which is below the others. */
  const signsFor = (...upward: readonly TinyCa[]): Partial<GenerateFacts> => ({
    root: {...rootWith('encrypted'), signing: upward.map(({certificate}) => certificate)},
  });
  // With two roots, the owner of the key is unknown until the key is opened.
  const unknownSigner = rootWith('encrypted', expiredRoot, root);
  it.each<readonly [string, Partial<GenerateFacts>, ErrorCode | undefined]>([
    ['can be signed by the root', {}, undefined],
    ['can be signed by a root with an unencrypted key', {root: rootWith('clear')}, undefined],
    ['can be signed by a CA below the root', signsFor(policy, root), undefined],
    ['can be signed by a root that is created in the same run', {root: noRoot}, undefined],
    ['has no separate error for a conflict of the root, which already stops the run', {root: brokenRoot}, undefined],
    ['cannot be signed without the root key', {root: rootWith('missing')}, 'FILE_MISSING'],
    ['cannot be signed while the root key is unplugged', {root: rootWith('missing'), signer: stick()}, 'FILE_MISSING'],
    ['cannot be signed by a root that has expired', {root: rootWith('clear', expiredRoot)}, 'WORKDIR_CONFLICT'],
    ['cannot be signed by a root at the moment of its expiry', {now: root.certificate.notAfter}, 'WORKDIR_CONFLICT'],
    [
      'cannot be signed by the expired one of two roots',
      {root: rootWith('clear', expiredRoot, root)},
      'WORKDIR_CONFLICT',
    ],
    ['can be signed if the encrypted key may be that of a valid root', {root: unknownSigner}, undefined],
    [
      'cannot be signed if the encrypted key can only be that of an expired root',
      {root: {...unknownSigner, roots: [expiredRoot.certificate]}},
      'WORKDIR_CONFLICT',
    ],
    ['cannot be signed if there is no root at all', {root: {...unknownSigner, roots: []}}, 'ISSUE_FAILED'],
    ['cannot be signed by a CA below an expired root', signsFor(policy, expiredRoot), 'WORKDIR_CONFLICT'],
    ['cannot be signed by a CA of path length 0', signsFor(pathLengthZero, root), 'WORKDIR_CONFLICT'],
    ['cannot be signed by a CA that must not sign certificates', signsFor(noCertSign, root), 'WORKDIR_CONFLICT'],
    ['cannot be signed by a certificate that is not a CA', signsFor(noCa, root), 'WORKDIR_CONFLICT'],
    [
      'cannot be signed if the path length above is exhausted',
      signsFor(belowStrictRoot, strictRoot),
      'WORKDIR_CONFLICT',
    ],
    ['can be signed by a server', {signer: ready(policy, root)}, undefined],
    ['cannot be signed by a server whose CA has expired', {signer: ready(short, root)}, 'WORKDIR_CONFLICT'],
    ['cannot be signed by a server whose CA has path length 0', {signer: ready(pathLengthZero)}, 'WORKDIR_CONFLICT'],
    ['cannot be signed by a server without a CA', {signer: ready()}, 'ISSUE_FAILED'],
    ['is signed by an external CA, not here', {signer: elsewhere}, 'SIGNED_ELSEWHERE'],
    ['can be signed by a key that gets its certificate in the same run', {signer: rootless, root: noRoot}, undefined],
    ['has no separate error for an unavailable signer, which already stops the run', {signer: unavailable}, undefined],
    ['needs no signer if none was checked', {signer: idle}, undefined],
  ])('%s', (_behaviour, change, code) => {
    expect(cannotSign({...healthy, ...change})?.code).toBe(code);
  });

  it('reports the expected path of the root key', () => {
    const hints = [keyFile, stick()].map((signer) => cannotSign({...healthy, signer, root: rootWith('missing')}));
    expect(hints[0]?.message).toMatch(/^root-key\.pem /);
    expect(hints[1]?.message).toMatch(/^\/media\/stick\/root-key\.pem /);
    expect(hints[1]?.hints[0]).toContain('/media/stick/root-key.pem');
  });
});
