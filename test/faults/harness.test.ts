/** What measures must be able to say that something is wrong. */
import {expect, it} from 'vitest';
import {faultsPage, summarize, tableText} from '../../scripts/faults/report.js';
import {checks} from '../../src/domain/checks/registry.js';
import type {CheckRow} from '../e2e/harness/mesh-cli.js';
import {changes, declaresImplied, followsFrom} from './harness/compare.js';
import type {FaultResult, HealthyResult} from './harness/results.js';

function row(id: string, result: CheckRow['result'], more: Partial<CheckRow> = {}): CheckRow {
  return {id, result, severity: 'error', cluster: 'one', ...more};
}

const before = [row('MESH102', 'ok'), row('MESH301', 'ok'), row('MESH301', 'ok', {cluster: 'two'})];

it('sees a result that changed, a row that is gone and one that is new, each for its own cluster', () => {
  const after = [row('MESH301', 'error'), row('MESH301', 'ok', {cluster: 'two'}), row('MESH402', 'ok')];
  expect(changes(before, after).map(({subject}) => subject)).toEqual(['MESH102 one', 'MESH301 one', 'MESH402 one']);
  expect(changes(before, before)).toEqual([]);
});

it('takes a change for a consequence only where the check declares it and the row says it', () => {
  const follows = (id: string, impliedBy?: string): boolean => {
    const after = [row(id, 'error', impliedBy === undefined ? {} : {impliedBy})];
    return changes([row(id, 'ok')], after).every((change) => followsFrom(checks, 'MESH102', change));
  };
  expect(follows('MESH301', 'MESH102')).toBe(true);
  // Declared by what it implies: MESH301 names it.
  expect(follows('MESH302', 'MESH301')).toBe(true);
  expect(follows('MESH301')).toBe(false);
  expect(follows('MESH301', 'MESH201')).toBe(false);
  expect(follows('MESH106', 'MESH102')).toBe(false);
});

it('declares nothing as a consequence of itself', () => {
  expect(checks.filter(({id}) => declaresImplied(checks, id, id))).toEqual([]);
});

const fault: FaultResult = {
  kind: 'fault',
  id: 'MESH301-x',
  check: 'MESH301',
  title: 'x | y',
  caught: true,
  caughtBy: ['MESH301'],
  follows: [],
  falseAlarms: [],
  fixedBy: '`kubectl mesh trust push one`',
  fixed: true,
  problems: [],
  seconds: 1,
};
const mesh: HealthyResult = {
  kind: 'healthy',
  id: 'healthy-x',
  title: 'x',
  ok: 3,
  trueWarnings: {},
  falseAlarms: [],
  problems: [],
  seconds: 1,
};

it('adds up, and is content only with everything', () => {
  expect(summarize([fault, mesh])).toMatchObject({caught: 1, missed: 0, falseAlarms: 0, fixed: 1, perfect: true});
  expect(summarize([fault, mesh]).complete).toBe(false);
  expect(summarize([])).toMatchObject({perfect: false});
  const bad = {...fault, caught: false, falseAlarms: ['MESH402 one'], fixed: false, problems: ['missed: nothing']};
  const alarming = {...mesh, falseAlarms: ['MESH402 two'], problems: ['MESH402 two error']};
  const summary = summarize([bad, alarming]);
  expect(summary).toMatchObject({caught: 0, missed: 1, falseAlarms: 2, fixed: 0, perfect: false});
  expect(tableText(summary)).toContain('caught 0 of 1, missed 1, false alarms 2');
});

it('writes a page of whole tables', () => {
  const page = faultsPage(summarize([fault, mesh]), new Date('2026-05-01T12:00:00Z'));
  expect(page).toContain('Measured on 2026-05-01');
  expect(page).toContain('x \\| y');
});
