import {describe, expect, it} from 'vitest';
import {type Dependency, forecasts} from '../../../src/domain/monitoring/forecast.js';

const now = new Date('2026-06-01T00:00:00Z');
const day = 86_400_000;
const expiry = {warn: {share: 0.3, days: 30, capDays: 180}, error: {share: 0.1, days: 7, capDays: 60}};
const days = (count: number): Date => new Date(now.getTime() + count * day);

function certificate(role: Dependency['role'], from: number, to: number): Dependency {
  return {
    role,
    subject: `CN=${role}`,
    fingerprint: Buffer.from(`${role}${String(to)}`)
      .toString('hex')
      .padEnd(64, '0')
      .slice(0, 64),
    notBefore: days(from),
    notAfter: days(to),
    place: role === 'root' ? 'root-cert.pem' : 'c1/ca-cert.pem',
  };
}

const root = certificate('root', -100, 3550);

describe('the forecast', () => {
  it('determines renewal by share of lifetime with its limit, or days, whichever is earlier', () => {
    const long = forecasts([{cluster: 'c1', certificates: [certificate('cluster CA', -30, 700), root]}], expiry, now);
    // 30 % of 730 days are more than 180 days.
    expect(long).toMatchObject([
      {
        cluster: 'c1',
        nextRenewal: days(700 - 180).toISOString(),
        due: false,
        renew: {role: 'cluster CA', place: 'c1/ca-cert.pem'},
        firstOutage: days(700).toISOString(),
        endsFirst: {role: 'cluster CA'},
        cutByRoot: false,
      },
    ]);
    const short = forecasts([{cluster: 'c1', certificates: [certificate('cluster CA', -10, 50), root]}], expiry, now);
    expect(short).toMatchObject([{nextRenewal: days(20).toISOString()}]);
  });

  it('may have different certificates that are due and that expire first', () => {
    // Without a limit, 30 % of ten years are three years: the root is due long before the CA expires.
    const unlimited = {...expiry, warn: {share: 0.3, days: 30}};
    const old = certificate('root', -2700, 950);
    const seen = forecasts([{cluster: 'c1', certificates: [certificate('cluster CA', 0, 730), old]}], unlimited, now);
    expect(seen).toMatchObject([{due: true, renew: {role: 'root'}, endsFirst: {role: 'cluster CA'}}]);
  });

  it('orders clusters by next renewal, and leaves out those without a CA', () => {
    const seen = forecasts(
      [
        {cluster: 'late', certificates: [certificate('cluster CA', 0, 730), root]},
        {cluster: 'none', certificates: []},
        {cluster: 'soon', certificates: [certificate('cluster CA', -700, 30), root]},
      ],
      expiry,
      now,
    );
    expect(seen.map(({cluster, due}) => [cluster, due])).toEqual([
      ['soon', true],
      ['late', false],
    ]);
  });

  it.each([
    ['expires with it', 400, 400, true],
    ['outlives it by seconds, like those of the Makefile', 400.0001, 400, true],
    ['expires an hour before it', 400 - 1 / 24, 400, true],
    ['expires two days before it', 398, 400, false],
  ])('reports whether the root limits a cluster CA that %s', (_, ca, end, cut) => {
    const certificates = [certificate('cluster CA', 0, ca), certificate('root', -3000, end)];
    expect(forecasts([{cluster: 'c1', certificates}], expiry, now)[0]?.cutByRoot).toBe(cut);
  });

  it('reports the root if both expire in the same second', () => {
    const certificates = [certificate('cluster CA', 0, 100), certificate('root', -3000, 100)];
    expect(forecasts([{cluster: 'c1', certificates}], expiry, now)[0]?.endsFirst.role).toBe('root');
  });
});
