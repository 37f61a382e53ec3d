import {describe, expect, it} from 'vitest';
import {
  answerOf,
  clusterOutcomes,
  clusterOutcomesWithCause,
  concludeClusters,
  generalPart,
  outcomeOf,
  outcomesOf,
  plannedActions,
} from '../../src/engine/report.js';
import {type Outcome, type Plan, emptyPlan} from '../../src/engine/operation.js';
import type {ErrorCode} from '../../src/domain/errors.js';

const error = (code: ErrorCode) => ({code, message: 'why', hints: []});
const outcome = (cluster: string, status: Outcome['status'], code?: ErrorCode): Outcome => ({
  kind: 'put-object',
  id: `${cluster}/${status}`,
  lane: cluster,
  cluster,
  status,
  ...(code && {error: error(code)}),
});
const of = (outcomes: Outcome[], plan: Plan = emptyPlan) => clusterOutcomes(['a', 'b'], {plan, outcomes})[0]?.outcome;

describe('clusterOutcomes', () => {
  it.each<[string, Outcome[], string]>([
    ['without actions it is unchanged', [], 'unchanged'],
    ['all done is done', [outcome('a', 'done')], 'done'],
    ['a failure is a failure', [outcome('a', 'done'), outcome('a', 'failed', 'REJECTED')], 'failed'],
    ['unreachable before anything was written is unknown', [outcome('a', 'failed', 'UNREACHABLE')], 'unknown'],
    ['unreachable after a write is a failure', [outcome('a', 'done'), outcome('a', 'failed', 'UNREACHABLE')], 'failed'],
    ['refused by an effect is refused', [outcome('a', 'failed', 'ROOT_KEY_IN_PAYLOAD')], 'refused'],
    ['an interruption is cancelled', [outcome('a', 'done'), outcome('a', 'cancelled', 'INTERRUPTED')], 'cancelled'],
    ['not started is skipped', [outcome('a', 'skipped')], 'skipped'],
    ["another cluster's failure is not ours", [outcome('b', 'failed', 'REJECTED')], 'unchanged'],
  ])('%s', (_, outcomes, expected) => {
    expect(of(outcomes)).toBe(expected);
  });

  it('applies a blocker without a cluster to every cluster', () => {
    const plan = {...emptyPlan, blockers: [{error: error('MISSING_VALUE')}]};
    expect(clusterOutcomes(['a', 'b'], {plan, outcomes: []}).map((one) => one.outcome)).toEqual(['failed', 'failed']);
    expect(generalPart({plan, outcomes: []}).errors).toEqual([error('MISSING_VALUE')]);
  });

  it('reports a cluster as failed if a second plan refuses it after the first one changed it', () => {
    const plan = {...emptyPlan, blockers: [{cluster: 'a', error: error('UID_MISMATCH')}]};
    expect([of([], plan), of([outcome('a', 'skipped')], plan)]).toEqual(['refused', 'refused']);
    expect(of([outcome('a', 'done')], plan)).toBe('failed');
  });

  it('applies a blocker only to its own cluster', () => {
    const plan = {...emptyPlan, blockers: [{cluster: 'a', error: error('UID_MISMATCH')}]};
    expect(clusterOutcomes(['a', 'b'], {plan, outcomes: []}).map((one) => one.outcome)).toEqual([
      'refused',
      'unchanged',
    ]);
  });
});

describe('clusterOutcomesWithCause', () => {
  const nowhere: Outcome = {
    ...{kind: 'write-files', id: 'declare', lane: 'work directory'},
    ...{status: 'failed', error: error('DISK_FULL')},
  };
  it('adds the cause to clusters that were not started, and keeps finished outcomes', () => {
    const outcomes = [nowhere, outcome('a', 'skipped'), outcome('b', 'done')];
    const results = clusterOutcomesWithCause(['a', 'b', 'c'], {plan: emptyPlan, outcomes});
    expect(results.map((one) => one.outcome)).toEqual(['failed', 'done', 'failed']);
    expect(concludeClusters(results)).toEqual(['DISK_FULL', 'done', 'DISK_FULL']);
  });
});

describe('concludeClusters', () => {
  it('counts losing a cluster after a write as a failure, not as unknown', () => {
    expect(concludeClusters([{name: 'a', outcome: 'failed', error: error('UNREACHABLE')}])).toEqual(['TOOL_FAILED']);
    expect(concludeClusters([{name: 'a', outcome: 'unknown', error: error('UNREACHABLE')}])).toEqual(['UNREACHABLE']);
  });
});

describe('outcomeOf', () => {
  const issued = {subject: 'CN=a', fingerprint: 'ab', notAfter: '2027-01-01T00:00:00.000Z', key: 'ecdsa-p256'};
  const outcomes: Outcome[] = [
    {kind: 'write-files', id: 'a/ca', lane: 'a', status: 'done', result: {files: ['a/file']}},
    {kind: 'issue-cluster-ca', id: 'a/ca', lane: 'a', cluster: 'a', status: 'done', result: issued},
    {kind: 'issue-cluster-ca', id: 'b/ca', lane: 'b', cluster: 'b', status: 'failed', error: error('ISSUE_FAILED')},
  ];

  it("finds the outcome of the action of that kind and id, with that kind's result", () => {
    expect(outcomeOf({outcomes}, {kind: 'issue-cluster-ca', id: 'a/ca'})?.result?.fingerprint).toBe('ab');
    expect(outcomeOf({outcomes}, {kind: 'write-files', id: 'a/ca'})?.result?.files).toEqual(['a/file']);
  });

  it('has no result if the action failed, and is undefined if nothing was planned', () => {
    expect(outcomeOf({outcomes}, {kind: 'issue-cluster-ca', id: 'b/ca'})).not.toHaveProperty('result');
    expect(outcomeOf({outcomes}, {kind: 'issue-cluster-ca', id: 'c/ca'})).toBeUndefined();
    expect(outcomeOf({outcomes}, undefined)).toBeUndefined();
  });

  it('is one of the outcomes of its kind', () => {
    expect(outcomesOf({outcomes}, 'issue-cluster-ca').map(({cluster}) => cluster)).toEqual(['a', 'b']);
    expect(outcomesOf({outcomes}, 'put-object')).toEqual([]);
  });
});

describe('plannedActions', () => {
  it('lists actions in the order in which they are performed', () => {
    const action = (id: string) => ({kind: 'write-files', id, title: id, files: []}) as const;
    const lane = (key: string, ...ids: string[]) => ({key, title: key, actions: ids.map(action)});
    const groups = [
      {lanes: [lane('a', 'a/1', 'a/2'), lane('b', 'b/1')], onFailure: 'stop'},
      {lanes: [lane('c', 'c/1')], onFailure: 'stop'},
    ] as const;
    expect(plannedActions({groups}).map(({id}) => id)).toEqual(['a/1', 'a/2', 'b/1', 'c/1']);
  });
});

describe('answerOf', () => {
  it('adds the kind of dry run, or nothing without one', () => {
    expect(answerOf({changes: 1}, {dryRun: 'client'})).toEqual({changes: 1, dryRun: 'client'});
    expect(answerOf({changes: 1}, {dryRun: 'none'})).toEqual({changes: 1});
  });
});
