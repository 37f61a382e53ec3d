import {describe, expect, it} from 'vitest';
import {known} from '../../../src/domain/observed.js';
import {plannedCa} from '../../../src/domain/trust/diff.js';
import type {TrustObservation} from '../../../src/domain/trust/cluster-trust.js';
import type {RotationStep} from '../../../src/domain/trust/rotation.js';
import type {RootState} from '../../../src/domain/ca/workdir-state.js';
import {pushTarget} from '../../../src/operations/trust/gather-push.js';
import type {
  RotateRequest,
  RotationFacts,
  RotationTarget,
} from '../../../src/operations/trust/rotation/gather-rotation.js';
import {type IssuingPlan, planRotation} from '../../../src/operations/trust/rotation/plan-rotation.js';
import {issued, observedIstiod, own, root, runningWith, unknownFact} from '../../domain/trust/seen.js';
import {actionInShort, loadedMesh} from '../certs/fixtures.js';

const names = ['c1', 'c2', 'c3', 'c4'] as const;
const request: RotateRequest = {
  clusters: [],
  ...{allowRootChange: false, restartIstiod: false, allowInvalidBundle: false, allowUnmounted: false, acceptUid: false},
  rollbackOnFailure: false,
};
const presentRoot: RootState = {kind: 'present', text: root.certificate.pem, roots: [root.certificate], key: 'clear'};
const [live, renewed] = await Promise.all([issued('c1'), issued('c2')]);

function meshOf(trust = ''): RotationFacts['loaded'] {
  const clusters = names.map((name) => `  - {name: ${name}, context: ctx-${name}, uid: uid-${name}}\n`);
  return loadedMesh(`apiVersion: kubectl-mesh/v1alpha1\nkind: Mesh\n${trust}clusters:\n${clusters.join('')}`);
}

/** A cluster that needs a step, with what was observed there. */
type Given = readonly [step: RotationStep | undefined, change?: Partial<TrustObservation>];

function factsOf(given: readonly Given[], change: Partial<RotationFacts> = {}): RotationFacts {
  const loaded = meshOf();
  const targets = given.map(([step, observed], index): RotationTarget => {
    const name = names[index] ?? 'c1';
    const seen = known(runningWith(live, {uid: known(`uid-${name}`), ...observed}));
    const trust = {cluster: {name, role: 'primary', context: `ctx-${name}`} as const, seen};
    const planned = step === 'renew' ? plannedCa([root.certificate], undefined) : own(step === 'push' ? renewed : live);
    const target = pushTarget(loaded.mesh, trust, planned, step === 'prove');
    return {...target, data: {}, ...(step && {step})};
  });
  return {loaded, targets, journal: unknownFact(), root: presentRoot, ...change};
}

/** What `certs generate --renew` plans for these clusters. */
function issuing(...clusters: readonly string[]): IssuingPlan {
  const clusterActions = clusters.map((cluster) => {
    const confirm = `replace ${cluster}/`;
    return {kind: 'remove-files', id: `${cluster}/issue`, cluster, title: 'issue', paths: [], confirm} as const;
  });
  return {clusterActions, groups: [], blockers: [], warnings: []};
}

function inShort(facts: RotationFacts, plan: IssuingPlan | undefined, size = 2, rules: Partial<RotateRequest> = {}) {
  const {groups, waves, blockers} = planRotation(facts, plan, {...request, ...rules}, size);
  return {
    waves,
    lanes: groups.map(({lanes}) => lanes.map(({actions}) => actions.map(actionInShort).join(', '))),
    onFailure: groups.map(({onFailure}) => onFailure),
    blockers: blockers.map(({cluster, error}) => `${cluster ?? 'mesh'}: ${error.code}`),
  };
}

const pushed = (name: string): string =>
  `put-object ${name}/cacerts-previous, put-object ${name}/cacerts!, await-bundle ${name}/proof`;
const rotated = (name: string): string => `remove-files ${name}/issue!, ${pushed(name)}`;

describe('the plan of a rotation', () => {
  it('issues, pushes and verifies in one cluster, then in as many as may run in parallel', () => {
    const plan = inShort(factsOf([['renew'], ['renew'], ['renew'], ['renew']]), issuing(...names));
    expect(plan).toEqual({
      waves: [['c1'], ['c2', 'c3'], ['c4']],
      lanes: [[rotated('c1')], [rotated('c2'), rotated('c3')], [rotated('c4')]],
      onFailure: ['always-stop', 'stop', 'stop'],
      blockers: [],
    });
  });

  it('leaves out what is done, and begins with the first cluster that has something to do', () => {
    const plan = inShort(factsOf([['none'], ['push'], ['prove'], ['renew']]), issuing('c4'));
    expect(plan.waves).toEqual([['c2'], ['c3', 'c4']]);
    expect(plan.lanes).toEqual([[pushed('c2')], ['await-bundle c3/proof', rotated('c4')]]);
  });

  it('is empty if nothing is due', () => {
    expect(inShort(factsOf([['none'], ['none']]), undefined)).toMatchObject({waves: [], lanes: [], blockers: []});
  });

  it('names every cluster that cannot be read, changed or restarted, and plans the others', () => {
    const old = {istiods: known([observedIstiod('1.11.8')])};
    const plan = inShort(
      factsOf([['renew'], [undefined, {cacerts: unknownFact()}], ['renew', old], ['renew', {uid: known('other')}]]),
      issuing('c1', 'c3', 'c4'),
    );
    expect(plan.waves).toEqual([['c1']]);
    expect(plan.blockers).toEqual(['c2: FORBIDDEN', 'c3: RESTART_NEEDED', 'c4: UID_MISMATCH']);
    expect(inShort(factsOf([['renew', old]]), issuing('c1'), 2, {restartIstiod: true}).lanes[0]?.[0]).toContain(
      'restart-workload c1/restart/istiod',
    );
  });

  it('has the blockers of certs generate', () => {
    const error = {code: 'PASSPHRASE_NEEDED', message: 'no', hints: []} as const;
    const plan = inShort(factsOf([['renew']]), {...issuing('c1'), blockers: [{error}]});
    expect(plan.blockers).toEqual(['mesh: PASSPHRASE_NEEDED']);
  });

  it.each<[string, Partial<RotationFacts>, string[]]>([
    [
      'another tool issues the CAs',
      {loaded: meshOf('trust: {signer: {type: external, issuer: cert-manager}}\n')},
      ['mesh: SIGNED_ELSEWHERE'],
    ],
    ['there is no root', {root: {kind: 'absent'}}, ['mesh: FILE_MISSING']],
    [
      'the root cannot be read',
      {root: {kind: 'conflict', error: {code: 'NOT_PEM', message: 'no', hints: []}}},
      ['mesh: NOT_PEM'],
    ],
  ])('is refused where %s', (_, change, blockers) => {
    expect(inShort(factsOf([['renew']], change), undefined)).toMatchObject({waves: [], lanes: [], blockers});
  });

  it('needs no root where nothing is issued', () => {
    expect(inShort(factsOf([['prove'], ['push']], {root: {kind: 'absent'}}), undefined).blockers).toEqual([]);
  });
});
