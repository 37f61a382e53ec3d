import {describe, expect, it} from 'vitest';
import type {ServedChain} from '../../../src/domain/facts/facts.js';
import {certificateFacts} from '../../../src/domain/facts/read/cluster-ca.js';
import {type LiveTrust, agreementOfFiles, agreementOfLive} from '../../../src/domain/monitoring/root-agreement.js';
import {tinyClusterCa, tinyLeaf, tinyRoot, type TinyCa} from '../../helpers/tiny-ca.js';

const now = new Date();

describe('roots in files', () => {
  it('agree if every cluster has the root of each CA', () => {
    const clusters = [
      {cluster: 'c1', anchor: 'a', roots: ['a', 'b']},
      {cluster: 'c2', anchor: 'a', roots: ['a']},
    ];
    expect(agreementOfFiles(clusters).map(({agrees}) => agrees)).toEqual([true, true]);
  });

  it('disagree for a cluster whose root is missing in another, and report that cluster', () => {
    const clusters = [
      {cluster: 'c1', anchor: 'a', roots: ['a', 'b']},
      {cluster: 'c2', anchor: 'b', roots: ['b']},
      {cluster: 'c3', anchor: 'b', roots: ['a', 'b']},
    ];
    expect(agreementOfFiles(clusters)).toMatchObject([
      {cluster: 'c1', agrees: false, refusedBy: ['c2']},
      {cluster: 'c2', agrees: true},
      {cluster: 'c3', agrees: true},
    ]);
  });

  it('are not compared without a CA or with an unknown one', () => {
    const clusters = [
      {cluster: 'c1', anchor: 'a', roots: ['a']},
      {cluster: 'none', anchor: undefined, roots: undefined},
      {cluster: 'expired', anchor: undefined, roots: ['a']},
      {cluster: 'foreign', anchor: 'none', roots: ['b']},
    ];
    expect(agreementOfFiles(clusters).map(({cluster, refusedBy}) => [cluster, refusedBy])).toEqual([
      ['c1', ['foreign']],
      ['foreign', ['c1', 'expired', 'foreign']],
    ]);
  });
});

describe('live roots', () => {
  const served = (...chain: readonly TinyCa[]): ServedChain => ({
    chain: chain.map(({certificate}) => certificateFacts(certificate)),
    certificates: chain.map(({certificate}) => certificate),
    linked: true,
  });
  const trusting = (cluster: string, roots: readonly TinyCa[] | undefined, ...chains: ServedChain[]): LiveTrust => ({
    cluster,
    roots: roots && {from: 'ConfigMap', certificates: roots.map(({certificate}) => certificate)},
    chains,
  });

  it('agree during a rotation, disagree if one is missing, and do not depend on dates', async () => {
    const [first, second] = [await tinyRoot(), await tinyRoot()];
    const [one, two] = [await tinyClusterCa(first, 'c1'), await tinyClusterCa(second, 'c2')];
    const [leafOne, leafTwo] = [await tinyLeaf(one), await tinyLeaf(two)];
    const chains = [served(leafOne, one, first), served(leafTwo, two, second)] as const;
    const both = [first, second];
    const rotating = [trusting('c1', both, chains[0]), trusting('c2', both, chains[1])];
    expect(agreementOfLive(rotating, now).map(({agrees}) => agrees)).toEqual([true, true]);
    const apart = [trusting('c1', both, chains[0]), trusting('c2', [second], chains[1])];
    expect(agreementOfLive(apart, now)).toMatchObject([
      {cluster: 'c1', agrees: false, refusedBy: ['c2']},
      {cluster: 'c2', agrees: true},
    ]);
    const muchLater = new Date(now.getTime() + 5 * 365 * 86_400_000);
    expect(agreementOfLive(rotating, muchLater).map(({agrees}) => agrees)).toEqual([true, true]);
    const blind = [trusting('c1', both, chains[0]), trusting('c2', undefined)];
    expect(agreementOfLive(blind, now)).toMatchObject([{cluster: 'c1', agrees: true}]);
  });
});
