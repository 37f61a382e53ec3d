import {describe, expect, it} from 'vitest';
import type {KeyInHistory} from '../../../../src/domain/facts/facts.js';
import {judgedText} from '../../../helpers/suggestions.js';
import {checks} from '../../../../src/domain/checks/registry.js';
import type {RowResult} from '../../../../src/domain/checks/report.js';
import {certificate, cacertsOf, clusterCa, evidence, type Spoilt} from '../healthy.js';
import {bad, history, misplaced, notKept, resultOf} from './builders.js';

describe('directories that changed places', () => {
  const findings = (spoilt: Spoilt) =>
    judgedText(checks, evidence(spoilt)).checks.filter(({id, result}) => id === 'MESH112' && result === 'error');

  it('are moved back, never pushed', () => {
    const found = findings({cluster1: misplaced('cluster2'), cluster2: misplaced('cluster1')});
    const fix = 'mv cluster1 cluster1.moved && mv cluster2 cluster1 && mv cluster1.moved cluster2';
    expect(found.map((one) => one.fix)).toEqual([fix, fix]);
  });

  it('are not assumed where only one cluster has the CA of another: it gets a new one', () => {
    const [found, ...others] = findings({cluster1: misplaced('cluster2')});
    expect(others).toEqual([]);
    expect(found?.fix).toContain('certs generate cluster1 --renew');
  });

  it('make the push that MESH301 names a consequence', () => {
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

  it.each(['cluster9', undefined])('are not seen in a subject that names no cluster of the mesh: L=%s', (locality) => {
    const ca = certificate('other', locality === undefined ? {} : {locality});
    expect(bad({cluster1: {caFiles: clusterCa('cluster1', {certificate: ca})}})).toEqual([]);
  });
});

describe('MESH115', () => {
  it.each<[string, Spoilt['cluster1'], RowResult]>([
    ['has done its work', {}, 'warning'],
    ['is gone', {caFiles: clusterCa('cluster1', {key: 'absent'})}, 'ok'],
    ['was never pushed', {cacerts: 'absent'}, 'ok'],
    ['is a new one', {cacerts: cacertsOf(clusterCa('other'))}, 'ok'],
    [
      'is one that the cluster has only the certificate of',
      {cacerts: cacertsOf(clusterCa('cluster1', {key: 'absent'}))},
      'ok',
    ],
  ])('of a key that %s: %s', (_, cluster1, result) => {
    expect(resultOf('MESH115', {...notKept, cluster1: cluster1 ?? {}})).toBe(result);
  });

  it('is mended by a push', () => {
    const row = judgedText(checks, evidence(notKept)).checks.find(
      ({id, result}) => id === 'MESH115' && result === 'warning',
    );
    expect(row?.fix).toBe('kubectl mesh trust push cluster1 --restart-istiod --yes');
  });
});

describe('MESH114', () => {
  it.each<[string, Partial<KeyInHistory>, string]>([
    ['makes a new CA where its key is known', {owner: {cluster: 'cluster1'}}, 'certs generate cluster1 --renew'],
    ['looks where nothing can be made new', {owner: 'root'}, 'git -C . log'],
    ['looks where the cluster is no more', {owner: {cluster: 'gone'}}, 'git -C . log'],
    ['quotes what somebody named a file', {path: "a'; rm -rf x"}, `'a'\\''; rm -rf x'`],
  ])('%s', (_, change, words) => {
    const row = judgedText(checks, evidence({meshValues: {gitHistory: history(change)}})).checks.find(
      ({id}) => id === 'MESH114',
    );
    expect(row?.fix).toContain(words);
  });
});
