import {describe, expect, it} from 'vitest';
import type {DiffResult} from '../../../src/operations/trust/diff.js';
import type {PushedCluster, PushResult} from '../../../src/operations/trust/report-changes.js';
import {trustDiffView, trustPushView} from '../../../src/output/views/trust.js';
import {printed, textOf} from '../../helpers/suggestions.js';

const context = {request: undefined, color: false, now: new Date('2026-01-01T00:00:00Z'), command: textOf};
const golden = (name: string): string => `../../fixtures/golden/trust/${name}.txt`;
const ca = (digit: string) => ({
  roots: [{fingerprint: digit.repeat(64), subject: 'O=Istio, CN=Root CA 2026-01 ab12'}],
  clusterCa: {
    fingerprint: digit.repeat(64),
    subject: 'O=Istio, CN=Intermediate CA, L=c1',
    notAfter: '2028-01-01T00:00:00.000Z',
  },
});
const cluster = (name: string, more: Partial<PushedCluster>): PushedCluster => ({
  name,
  outcome: 'done',
  namespace: 'istio-system',
  plan: 'create',
  after: ca('a'),
  differences: [],
  keepsPrevious: false,
  restarts: [],
  refusals: [],
  ...more,
});
const refusal = {
  code: 'RESTART_NEEDED',
  message: 'istiod\u001b[2J would not load it',
  hints: ['use --restart-istiod'],
} as const;
const clusters = [
  cluster('new', {}),
  cluster('same', {outcome: 'unchanged', plan: 'unchanged'}),
  cluster('changed', {plan: 'update', before: ca('b'), keepsPrevious: true, restarts: ['istiod']}),
  cluster('refused', {
    outcome: 'refused',
    plan: 'refuse',
    before: ca('b'),
    differences: [{part: 'clusterCa', wanted: ['a'.repeat(64)], found: ['b'.repeat(64)]}],
    error: refusal,
    refusals: [refusal],
  }),
  cluster('unseen', {outcome: 'refused', error: refusal, refusals: [refusal]}),
  cluster('later', {outcome: 'skipped', plan: 'update', before: ca('b')}),
];

describe('trust push as text', () => {
  it('prints the outcome of each cluster', async () => {
    const result: PushResult = {clusters, warnings: []};
    await expect(trustPushView.text(printed(result), context)).toMatchFileSnapshot(golden('push'));
  });

  it('prints what a dry run would do', async () => {
    const result: PushResult = {
      dryRun: 'server',
      warnings: [],
      clusters: [
        cluster('new', {outcome: 'skipped', notValidated: ['new/cacerts: namespace istio-system does not exist yet']}),
        cluster('changed', {outcome: 'skipped', plan: 'update', before: ca('b')}),
      ],
    };
    await expect(trustPushView.text(printed(result), context)).toMatchFileSnapshot(golden('push-dry-run'));
  });

  it('prints full fingerprints with -o wide', () => {
    const wide = trustPushView.wide?.(printed({clusters, warnings: []}), context) ?? '';
    expect(wide).toContain(Array.from({length: 32}, () => 'AA').join(':'));
  });
});

describe('trust diff as text', () => {
  it('prints the values of both sides', async () => {
    const result: DiffResult = {
      warnings: [],
      clusters: [
        {name: 'same', outcome: 'done', same: true, differences: [], workDirectory: ca('a')},
        {
          name: 'other',
          outcome: 'done',
          same: false,
          workDirectory: ca('a'),
          differences: [
            {part: 'clusterCa', wanted: ['a'.repeat(64)], found: ['b'.repeat(64)]},
            {part: 'keys', wanted: [], found: ['tls.crt']},
          ],
        },
      ],
    };
    await expect(trustDiffView.text(printed(result), context)).toMatchFileSnapshot(golden('diff'));
  });
});
