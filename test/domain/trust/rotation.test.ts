import {describe, expect, it} from 'vitest';
import {decideRotation, type RotationCas, type RotationRule} from '../../../src/domain/trust/rotation.js';
import type {ExpiryThreshold} from '../../../src/domain/x509/expiry.js';
import {tinyClusterCa, tinyRoot, type TinyOptions} from '../../helpers/tiny-ca.js';

const now = new Date('2026-06-01T00:00:00Z');
const dayMs = 86_400_000;
const root = await tinyRoot({now: new Date('2020-01-01T00:00:00Z'), days: 5000});

/** A CA that was issued `age` days ago. */
async function issued(age: number, options: TinyOptions = {}, lifetime = 1000) {
  const notBefore = new Date(now.getTime() - age * dayMs);
  const notAfter = new Date(notBefore.getTime() + lifetime * dayMs);
  const change: TinyOptions['change'] = (template) => ({...template, notBefore, notAfter});
  return (await tinyClusterCa(root, 'c1', {now, ...options, change})).certificate;
}

const [old, other, fresh, older, another, brief] = await Promise.all([
  issued(800),
  issued(750),
  issued(1),
  issued(900),
  issued(1, {algorithm: 'ecdsa-p384'}),
  issued(0, {}, 5),
]);
const trust: RotationRule['trust'] = {
  keyAlgorithm: 'ecdsa-p256',
  clusterValidityDays: 730,
  expiry: {warn: {share: 0.3, days: 30, capDays: 180}, error: {share: 0.1, days: 7, capDays: 60}},
};
const share = (value: number): ExpiryThreshold => ({share: value, days: 0});
const days = (value: number): ExpiryThreshold => ({share: 0, days: value});

describe('the step of a cluster', () => {
  it.each<[string, Partial<RotationCas>, Partial<RotationRule>, string]>([
    ['without --within', {}, {}, 'renew'],
    ['whose work directory has the same CA', {ready: old}, {}, 'renew'],
    ['whose work directory has a newer CA', {ready: fresh}, {}, 'push'],
    ['whose work directory has an older CA', {ready: older}, {}, 'renew'],
    ['whose work directory has a newer CA with another key algorithm', {ready: another}, {}, 'renew'],
    ['whose work directory has a newer CA that expires soon', {ready: brief}, {}, 'renew'],
    ['whose new CAs always expire soon', {ready: brief}, {trust: {...trust, clusterValidityDays: 9}}, 'push'],
    ['whose istiod does not present the CA', {ready: old, pendingReload: true}, {}, 'prove'],
    ['whose istiod does not present the CA, which is not due', {pendingReload: true}, {within: days(1)}, 'prove'],
    ['with exactly the share left', {}, {within: share(0.2)}, 'renew'],
    ['with more than the share left', {}, {within: share(0.19)}, 'none'],
    ['with exactly the days left', {}, {within: days(200)}, 'renew'],
    ['with more than the days left', {}, {within: days(199)}, 'none'],
    ['which is due, with a newer CA that is not', {ready: fresh}, {within: days(200)}, 'push'],
    ['which is due, with a newer CA that is due as well', {ready: other}, {within: days(300)}, 'renew'],
    ['which is not due, with a newer CA', {ready: fresh}, {within: days(10)}, 'none'],
    ['whose CA cannot be read', {live: undefined}, {within: days(10)}, 'renew'],
    ['whose CA cannot be read, with a CA in the work directory', {live: undefined, ready: fresh}, {}, 'push'],
  ])('%s', (_what, cas, rule, step) => {
    const decided = decideRotation({live: old, ready: undefined, pendingReload: false, ...cas}, {trust, now, ...rule});
    expect(decided).toBe(step);
  });
});
