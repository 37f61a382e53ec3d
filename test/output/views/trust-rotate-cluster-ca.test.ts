import {describe, expect, it} from 'vitest';
import type {RotatedCluster, RotateResult} from '../../../src/operations/trust/rotation/report-rotation.js';
import {trustRotateClusterCaView} from '../../../src/output/views/trust-rotate-cluster-ca.js';
import {printed, textOf} from '../../helpers/suggestions.js';

const context = {request: undefined, color: false, now: new Date('2026-01-01T00:00:00Z'), command: textOf};
const golden = (name: string): string => `../../fixtures/golden/trust/rotate-${name}.txt`;
const ca = (digit: string) => ({
  roots: [{fingerprint: 'f'.repeat(64), subject: 'O=Istio, CN=Root CA 2026-01 ab12'}],
  clusterCa: {
    fingerprint: digit.repeat(64),
    subject: 'O=Istio, CN=Intermediate CA, L=c1',
    notAfter: '2028-01-01T00:00:00.000Z',
  },
});
const cluster = (name: string, more: Partial<RotatedCluster>): RotatedCluster => ({
  name,
  outcome: 'done',
  namespace: 'istio-system',
  step: 'renew',
  wave: 1,
  before: ca('b'),
  after: ca('a'),
  keepsPrevious: true,
  restarts: [],
  refusals: [],
  ...more,
});
const late = {code: 'NOT_READY', message: 'istiod did not load the new CA', hints: ['restore it']} as const;
const refused = {code: 'RESTART_NEEDED', message: 'istiod\u001b[2J would not load it', hints: ['restart it']} as const;

describe('trust rotate cluster-ca as text', () => {
  it('prints the outcome of each cluster, and how to continue', async () => {
    const clusters = [
      cluster('rotated', {restarts: ['istiod', 'istiod-canary'], proven: true}),
      cluster('resumed', {step: 'push', proven: true}),
      cluster('proven', {step: 'prove', keepsPrevious: false, proven: true}),
      cluster('idle', {}),
      cluster('fresh', {outcome: 'unchanged', step: 'none'}),
      cluster('late', {outcome: 'failed', error: late, proven: false}),
      cluster('refused', {outcome: 'refused', error: refused, refusals: [refused]}),
      cluster('stopped', {outcome: 'cancelled'}),
      cluster('later', {outcome: 'skipped'}),
    ];
    const result: RotateResult = {clusters, warnings: []};
    await expect(trustRotateClusterCaView.text(printed(result), context)).toMatchFileSnapshot(golden('outcomes'));
  });

  it('prints what a dry run would do, and in which order', async () => {
    const planned = (name: string, more: Partial<RotatedCluster>): RotatedCluster => {
      const {after, ...one} = cluster(name, {outcome: 'skipped', ...more});
      return one.step === 'renew' ? one : {...one, ...(after && {after})};
    };
    const {wave, ...idle} = cluster('fresh', {outcome: 'unchanged', step: 'none'});
    expect(wave).toBe(1);
    const clusters = [
      planned('first', {restarts: ['istiod']}),
      planned('second', {wave: 2, step: 'push'}),
      planned('third', {wave: 2}),
      planned('fourth', {wave: 3, step: 'prove', keepsPrevious: false}),
      idle,
    ];
    const result: RotateResult = {dryRun: 'client', clusters, warnings: []};
    await expect(trustRotateClusterCaView.text(printed(result), context)).toMatchFileSnapshot(golden('dry-run'));
  });
});
