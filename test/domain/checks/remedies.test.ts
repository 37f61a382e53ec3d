import {describe, expect, it} from 'vitest';
import {caRules} from '../../../src/domain/ca/istiod-rules.js';
import type {FaultReason} from '../../../src/domain/facts/facts.js';
import type {CaSource} from '../../../src/domain/istio/ca-source.js';
import {reasonOf} from '../../../src/domain/facts/read/cluster-ca.js';
import {
  firstCa,
  loadCa,
  newCa,
  provideCa,
  remedyFor,
  type RemedySubject,
  restart,
  rotateCa,
} from '../../../src/domain/checks/remedies.js';
import {issuingOf, type Issuing} from '../../../src/domain/checks/issuing.js';
import {meshCommandsIn, type Suggestion} from '../../../src/domain/suggest/suggestion.js';
import {MeshError} from '../../../src/domain/errors.js';
import {known, unknown} from '../../../src/domain/observed.js';
import {clusters, mesh, root} from './healthy.js';

const [cluster] = clusters;
if (!cluster) throw new Error('no cluster');
const signing = [root.fingerprint];
const waysToIssue: Readonly<Record<string, Issuing>> = {
  'the root key is here': {by: 'certs generate', signing},
  'an external CA signs requests': {by: 'certs request'},
  'cert-manager issues': {by: 'external issuer', why: 'cert-manager fills Secret cacerts'},
  'the root key is elsewhere': {by: 'nothing', lacks: 'the root key', why: 'root-key.pem not found'},
  'there is no root': {by: 'nothing', lacks: 'the root', why: 'root-cert.pem not found'},
  'the root has expired': {by: 'nothing', lacks: 'a usable root', why: 'it expired'},
  'this is unknown': {by: 'nothing', lacks: 'unknown', why: 'forbidden'},
};
const subjectOf = (issuing: Issuing, change: Partial<RemedySubject> = {}): RemedySubject => ({
  cluster,
  mesh,
  issuing,
  ...change,
});
const reasons: readonly FaultReason[] = [
  ...(['form', 'cluster CA', 'encrypted key', 'expired root', 'nothing'] as const),
  {above: root.fingerprint},
  {above: 'the fingerprint of another certificate'},
  {above: undefined},
];
/** The commands of this program in a suggestion, with their words. */
const commandsIn = (fix: Suggestion): readonly string[] =>
  meshCommandsIn(fix).map(({command, words}) =>
    [command, ...words.filter((word) => typeof word === 'string')].join(' '),
  );
const issues = (fix: Suggestion): boolean => commandsIn(fix).some((one) => /^certs (?:generate|request)/.test(one));

const matrix = Object.entries(waysToIssue).flatMap(([where, issuing]) =>
  reasons.map((reason) => [JSON.stringify(reason), where, reason, issuing] as const),
);

describe('the remedy', () => {
  it.each(matrix)('for %s can run where %s', (_, __, reason, issuing) => {
    const {fix, note} = remedyFor(reason, subjectOf(issuing));
    const commands = commandsIn(fix);
    if (issuing.by !== 'certs generate') expect(commands.filter((one) => one.startsWith('certs generate'))).toEqual([]);
    if (issuing.by !== 'certs request') expect(commands.filter((one) => one.startsWith('certs request'))).toEqual([]);
    // A command that changes nothing resolves nothing: then a note states what the user can do.
    if (fix.purpose === 'inspect') expect(note).toBeDefined();
    else expect(note).toBeUndefined();
  });

  it.each<[string, FaultReason]>([
    ['the form of a file', 'form'],
    ['an expired root', 'expired root'],
    ['what istiod accepts', 'nothing'],
    ['a root', {above: root.fingerprint}],
    ['an unknown certificate above', {above: undefined}],
  ])('for %s issues no CA anywhere', (_, reason) => {
    for (const issuing of Object.values(waysToIssue))
      expect(issues(remedyFor(reason, subjectOf(issuing)).fix)).toBe(false);
  });

  it.each<[string, FaultReason, readonly string[]]>([
    ['rewrites the files', 'form', ['certs rewrite cluster1 --yes', 'trust push cluster1 --restart-istiod --yes']],
    [
      'removes expired roots everywhere',
      'expired root',
      ['certs rewrite --remove-expired-roots --yes', 'trust push cluster1 --restart-istiod --yes'],
    ],
    [
      'replaces a CA below another CA than the signing one',
      {above: 'the fingerprint of another certificate'},
      ['certs generate cluster1 --renew --yes', 'trust push cluster1 --restart-istiod --yes'],
    ],
  ])('%s', (_, reason, commands) => {
    expect(commandsIn(remedyFor(reason, subjectOf({by: 'certs generate', signing})).fix)).toEqual(commands);
  });

  it('pushes nothing to a cluster without a context', () => {
    const {context, ...offline} = cluster;
    expect(context).toBeDefined();
    for (const [, , reason, issuing] of matrix) {
      const {fix} = remedyFor(reason, subjectOf(issuing, {cluster: offline}));
      expect(commandsIn(fix).filter((one) => one.startsWith('trust push'))).toEqual([]);
      expect(JSON.stringify(fix)).not.toContain('CONTEXT');
    }
  });

  it('pushes nothing to an istiod that does not read Secret cacerts, and names what it reads', () => {
    const otherSources = new Map([[cluster.name, {from: 'secret', name: 'mesh-ca'} as const]]);
    for (const [, , reason, issuing] of matrix) {
      const {fix, note} = remedyFor(reason, subjectOf(issuing, {otherSources}));
      expect(commandsIn(fix).filter((one) => one.startsWith('trust push'))).toEqual([]);
      if (reason === 'form') expect(note).toContain('mesh-ca');
    }
  });

  it.each<[string, Partial<RemedySubject>, string | undefined]>([
    [
      'is rotated where this program issues and pushes it',
      {},
      'trust rotate cluster-ca cluster1 --restart-istiod --yes',
    ],
    ['is not rotated without a context', {cluster: {name: 'cluster1', role: 'primary'}}, undefined],
    [
      'is not rotated where istiod reads another Secret',
      {otherSources: new Map([[cluster.name, {from: 'secret', name: 'mesh-ca'}]])},
      undefined,
    ],
    [
      'is not rotated where another tool manages the Secret',
      {managers: new Map([[cluster.name, 'Argo CD']])},
      undefined,
    ],
    ['is not rotated where it cannot be issued', {issuing: {by: 'certs request'}}, undefined],
  ])('a cluster CA that expires %s', (_, change, command) => {
    const subject = subjectOf({by: 'certs generate', signing}, change);
    const {fix} = rotateCa(subject);
    if (command === undefined) expect(fix).toEqual(newCa(subject).fix);
    else expect(commandsIn(fix)).toEqual([command]);
  });

  it('restarts no istiod that mounts what this program cannot read', () => {
    const subject = subjectOf({by: 'certs generate', signing});
    const purposeOf = (source: CaSource): string => restart({from: 'mounted', source}, subject).fix.purpose;
    expect(purposeOf({from: 'secret', name: 'mesh-ca'})).toBe('fix');
    expect(purposeOf({from: 'volume', what: 'a volume of CSI driver x'})).toBe('inspect');
    expect(restart({from: 'work directory'}, subject).fix.purpose).toBe('fix');
  });

  it('names the directory of the root key', () => {
    const signer = {type: 'local', directory: '/media/stick'} as const;
    const {fix} = newCa(subjectOf({by: 'certs generate', signing}, {mesh: {...mesh, trust: {...mesh.trust, signer}}}));
    expect(commandsIn(fix)[0]).toContain('--root-dir');
  });

  it('is the first CA where a push would find none', () => {
    const subject = subjectOf({by: 'certs generate', signing});
    expect(provideCa({from: 'none'}, subject)).toEqual(firstCa(subject));
    expect(issues(loadCa({from: 'none'}, subject).fix)).toBe(false);
    expect(commandsIn(firstCa(subject).fix)[0]).toBe('certs generate cluster1');
    expect(issues(provideCa({from: 'none'}, subjectOf({by: 'nothing', lacks: 'the root key', why: 'x'})).fix)).toBe(
      false,
    );
  });
});

describe('what is at fault', () => {
  /** The ids of rules whose fault is not in the cluster CA, unless a certificate above is named. */
  const others: Readonly<Record<string, FaultReason>> = {
    'root-expired': 'expired root',
    'other-chain': {above: undefined},
    'chain-too-large': {above: undefined},
    'chain-order': 'nothing',
  };

  it.each(caRules.map(({id}) => id))('is known for %s', (id) => {
    expect(reasonOf({id})).toEqual(others[id] ?? 'cluster CA');
    expect(reasonOf({id, isOfForm: true})).toBe('form');
    expect(reasonOf({id, above: 'x'})).toEqual({above: 'x'});
  });
});

describe('how a CA can be issued', () => {
  const withSigner = (signer: typeof mesh.trust.signer) => ({trust: {...mesh.trust, signer}});
  const possible = known({possible: true, signing} as const);

  it.each<[string, Issuing['by'], Issuing]>([
    ['csr', 'certs request', issuingOf(withSigner({type: 'csr'}), possible)],
    ['external', 'external issuer', issuingOf(withSigner({type: 'external', issuer: 'cert-manager'}), possible)],
    ['local', 'certs generate', issuingOf(withSigner({type: 'local'}), possible)],
    ['command', 'certs generate', issuingOf(withSigner({type: 'command', argv: ['x']}), possible)],
    ['local with an unreadable file', 'nothing', issuingOf(mesh, unknown(new MeshError('FORBIDDEN', 'x')))],
    ['local without the fact', 'nothing', issuingOf(mesh, undefined)],
  ])('follows from the signer %s: %s', (_, by, issuing) => {
    expect(issuing.by).toBe(by);
  });
});
