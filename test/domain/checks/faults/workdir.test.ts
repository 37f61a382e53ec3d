import {describe, expect, it} from 'vitest';
import type {KeyInHistory} from '../../../../src/domain/facts/facts.js';
import {judgedText} from '../../../helpers/suggestions.js';
import {checks} from '../../../../src/domain/checks/registry.js';
import type {RowResult} from '../../../../src/domain/checks/report.js';
import {certificate, cacertsOf, clusterCa, evidence, type Overrides} from '../healthy.js';
import {failures, history, misplaced, keysNotRetained, resultOf} from './builders.js';

describe('swapped directories', () => {
  const findings = (overrides: Overrides) =>
    judgedText(checks, evidence(overrides)).checks.filter(({id, result}) => id === 'MESH112' && result === 'error');

  it('are renamed back, never pushed', () => {
    const found = findings({cluster1: misplaced('cluster2'), cluster2: misplaced('cluster1')});
    const fix = 'mv cluster1 cluster1.moved && mv cluster2 cluster1 && mv cluster1.moved cluster2';
    expect(found.map((one) => one.fix)).toEqual([fix, fix]);
  });

  it('are not assumed if only one cluster has the CA of another: its CA is renewed', () => {
    const [found, ...others] = findings({cluster1: misplaced('cluster2')});
    expect(others).toEqual([]);
    expect(found?.fix).toContain('certs generate cluster1 --renew');
  });

  it('make MESH301 a consequence', () => {
    const differences = [{part: 'clusterCa', wanted: ['a'], found: ['b']}] as const;
    const {checks: rows} = judgedText(
      checks,
      evidence({
        cluster1: {...misplaced('cluster2'), cacerts: cacertsOf(clusterCa('cluster1'), {differences})},
        cluster2: misplaced('cluster1'),
      }),
    );
    expect(rows.find(({id, cluster}) => id === 'MESH301' && cluster === 'cluster1')?.impliedBy).toBe('MESH112');
  });

  it.each(['cluster9', undefined])('are not reported for a subject without a cluster name: L=%s', (locality) => {
    const ca = certificate('other', locality === undefined ? {} : {locality});
    expect(failures({cluster1: {caFiles: clusterCa('cluster1', {certificate: ca})}})).toEqual([]);
  });
});

describe('MESH115', () => {
  it.each<[string, Overrides['cluster1'], RowResult]>([
    ['was pushed', {}, 'warning'],
    ['was removed', {caFiles: clusterCa('cluster1', {key: 'absent'})}, 'ok'],
    ['was never pushed', {cacerts: 'absent'}, 'ok'],
    ['is new', {cacerts: cacertsOf(clusterCa('other'))}, 'ok'],
    [
      'is missing in the cluster, which has only the certificate',
      {cacerts: cacertsOf(clusterCa('cluster1', {key: 'absent'}))},
      'ok',
    ],
  ])('of a key that %s: %s', (_, cluster1, result) => {
    expect(resultOf('MESH115', {...keysNotRetained, cluster1: cluster1 ?? {}})).toBe(result);
  });

  it('is unknown while the cluster is, and skipped only if a flag omits the cluster', () => {
    const reason = {code: 'UNREACHABLE', message: 'no response', hints: []} as const;
    const unknown = {facts1: {cacerts: {unknown: reason}}};
    expect(resultOf('MESH115', {...keysNotRetained, ...unknown})).toBe('unknown');
    expect(resultOf('MESH115', {...keysNotRetained, facts1: {cacerts: {omitted: '--offline'}}})).toBe('skipped');
    expect(resultOf('MESH115', unknown)).toBe('ok');
  });

  it('is fixed by a push', () => {
    const row = judgedText(checks, evidence(keysNotRetained)).checks.find(
      ({id, result}) => id === 'MESH115' && result === 'warning',
    );
    expect(row?.fix).toBe('kubectl mesh trust push cluster1 --restart-istiod --yes');
  });
});

describe('MESH114', () => {
  it.each<[string, Partial<KeyInHistory>, string]>([
    ['renews the CA whose key is exposed', {owner: {cluster: 'cluster1'}}, 'certs generate cluster1 --renew'],
    ['shows the commit for the root key', {owner: 'root'}, 'git -C . log'],
    ['shows the commit if the cluster is no longer declared', {owner: {cluster: 'gone'}}, 'git -C . log'],
    ['quotes file names', {path: "a'; rm -rf x"}, `'a'\\''; rm -rf x'`],
  ])('%s', (_, change, words) => {
    const row = judgedText(checks, evidence({meshValues: {gitHistory: history(change)}})).checks.find(
      ({id}) => id === 'MESH114',
    );
    expect(row?.fix).toContain(words);
  });
});
