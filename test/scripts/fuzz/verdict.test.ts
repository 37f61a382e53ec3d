import {describe, expect, it} from 'vitest';
import {fails, rowsOf} from '../../../scripts/fuzz/report.js';
import {disagreements, type Judged, type Verdict} from '../../../scripts/fuzz/verdict.js';

const valid: Verdict = {loads: true, findings: [], roots: 1};
const finding = (severity: 'error' | 'warning', effect: 'refused' | 'silent'): Verdict => ({
  loads: effect !== 'refused',
  findings: [{id: 'incomplete', severity, effect, message: 'message'}],
  roots: 1,
});
const none = {};
const failed = {stage: 'load', error: 'reason'};
const accepted = {start: none, reload: none, agent: none, roots: 1};

const judged = (change: Partial<Judged>, index = 1): Judged => ({
  subject: {index, variant: 'serial/negative', place: 'ca', base: 'p256'},
  ours: valid,
  istiod: accepted,
  boringssl: {},
  ...change,
});
const directionsOf = (change: Partial<Judged>): readonly string[] =>
  disagreements(judged(change)).map(({direction}) => direction);

describe('verdicts disagree', () => {
  it.each<[string, Partial<Judged>, readonly string[]]>([
    ['all accept', {}, []],
    ['we warn', {ours: finding('warning', 'silent')}, []],
    ['istiod does not start', {istiod: {...accepted, start: failed}}, ['start']],
    ['istiod does not reload', {istiod: {...accepted, reload: failed}}, ['reload']],
    ['istiod skips a root', {ours: {...valid, roots: 2}}, ['start', 'reload']],
    ['the agent rejects', {istiod: {...accepted, agent: failed}}, ['proxies']],
    ['BoringSSL rejects', {boringssl: {error: 'reason'}}, ['proxies']],
    ['BoringSSL crashes', {boringssl: {crashed: 'SIGSEGV'}}, ['proxies']],
    ['istiod crashes', {istiod: {crashed: 'exit code 2'}}, ['start', 'reload']],
    ['our process crashes', {ours: {crashed: 'SIGABRT'}}, ['crash']],
    ['our process throws', {ours: {thrown: 'Error: x\n at y'}}, ['crash']],
    ['only we reject', {ours: finding('error', 'refused')}, ['reverse']],
    ['only we report an error', {ours: finding('error', 'silent')}, ['reverse']],
    ['we reject with a reason', {ours: finding('error', 'refused'), istiod: {...accepted, start: failed}}, []],
    [
      'we expect istiod to load it',
      {ours: finding('error', 'silent'), istiod: {...accepted, start: failed}},
      ['effect'],
    ],
  ])('if %s', (_, change, expected) => {
    expect(directionsOf(change)).toEqual(expected);
  });
});

describe('a run', () => {
  const summary = (...cases: readonly Judged[]): Parameters<typeof fails>[0] => ({
    cases: cases.length,
    variants: 1,
    rows: rowsOf(cases.flatMap(disagreements)),
  });

  it('fails if something valid here is rejected elsewhere or ends our process', () => {
    expect(fails(summary(judged({istiod: {...accepted, reload: failed}})))).toBe(true);
    expect(fails(summary(judged({ours: {crashed: 'SIGABRT'}})))).toBe(true);
  });

  it('passes if only we reject something', () => {
    expect(fails(summary(judged({ours: finding('error', 'refused')})))).toBe(false);
  });

  it('groups disagreements by direction and variant, with the first case as example', () => {
    const rejected = {istiod: {...accepted, start: failed}};
    expect(summary(judged(rejected, 9), judged(rejected, 4)).rows).toMatchObject([
      {direction: 'start', variant: 'serial/negative', places: ['ca'], count: 2, example: 4},
    ]);
  });
});
