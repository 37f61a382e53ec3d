import {describe, expect, it} from 'vitest';
import {PerPod} from '../../../src/domain/facts/facts.js';
import {judge} from '../../../src/domain/checks/judge.js';
import {topologyOf, type ClusterTopology} from '../../../src/domain/checks/topology.js';
import {checks} from '../../../src/domain/checks/registry.js';
import type {ErrorReport} from '../../../src/domain/errors.js';
import {known} from '../../../src/domain/observed.js';
import {evidence, liveRoots, realChain, servedChain, type Spoilt} from './healthy.js';

const error: ErrorReport = {code: 'UNREACHABLE', message: 'no route', hints: []};

function picture(spoilt: Spoilt = {}, selected = checks): readonly ClusterTopology[] {
  const seen = evidence(spoilt);
  return topologyOf(seen, judge(selected, seen).checks).clusters;
}

/** `cluster1: ok, roots, CAs, yes`: the parts that decide what is drawn. */
const drawn = (clusters: readonly ClusterTopology[]): readonly string[] =>
  clusters.map(({name, verdict, roots, clusterCas, accepts}) =>
    [
      `${name}: ${verdict}`,
      roots === undefined ? 'no roots' : `${String(roots.length)} roots`,
      clusterCas === undefined ? 'no CAs' : `${String(clusterCas.length)} CAs`,
      ...accepts.map(({result}) => result),
    ].join(', '),
  );

const parts = (...observed: PerPod<ReturnType<typeof servedChain>>['parts'][number]['observed'][]) =>
  new PerPod(observed.map((one, index) => ({name: `istiod-${String(index + 1)}`, observed: one})));
const foreign = {...servedChain('cluster2'), certificates: realChain('foreign')};

describe('the picture of a mesh', () => {
  it.each<[string, Spoilt, readonly string[]]>([
    ['that is well', {}, ['cluster1: ok, 1 roots, 1 CAs, yes', 'cluster2: ok, 1 roots, 1 CAs, yes']],
    [
      'in which one cluster publishes another root',
      {cluster1: {liveRoots: liveRoots('foreign'), webhooks: []}},
      ['cluster1: error, 1 roots, 1 CAs, no', 'cluster2: ok, 1 roots, 1 CAs, yes'],
    ],
    [
      'with one istiod of two under another root',
      {cluster2: {servedChains: parts(known(servedChain('cluster2')), known(foreign))}},
      ['cluster1: error, 1 roots, 1 CAs, no', 'cluster2: ok, 1 roots, 2 CAs, yes'],
    ],
    [
      'with one istiod of two that could not be asked',
      {cluster2: {servedChains: parts(known(servedChain('cluster2')), {unknown: error})}},
      ['cluster1: unknown, 1 roots, 1 CAs, unknown', 'cluster2: unknown, 1 roots, 1 CAs, yes'],
    ],
    [
      'with a cluster that runs no istiod',
      {cluster2: {servedChains: parts()}},
      ['cluster1: ok, 1 roots, 1 CAs, none', 'cluster2: ok, 1 roots, 0 CAs, yes'],
    ],
    [
      'with a cluster that was not seen at all',
      {facts1: {liveRoots: {unknown: error}, servedChains: {unknown: error}}},
      ['cluster1: unknown, no roots, no CAs, unknown', 'cluster2: unknown, 1 roots, 1 CAs, unknown'],
    ],
    [
      'that publishes roots by other means',
      {cluster1: {liveRoots: 'elsewhere'}},
      ['cluster1: unknown, no roots, 1 CAs, unknown', 'cluster2: ok, 1 roots, 1 CAs, yes'],
    ],
    [
      "in which one istiod's certificate is not of its own CA",
      {cluster2: {servedChains: parts(known({...foreign, signedBy: 'kubernetes'}))}},
      ['cluster1: ok, 1 roots, 1 CAs, unknown', 'cluster2: unknown, 1 roots, no CAs, yes'],
    ],
  ])('%s', (_, spoilt, expected) => {
    expect(drawn(picture(spoilt))).toEqual(expected);
  });

  it('says why something was not seen', () => {
    const [one, two] = picture({facts1: {servedChains: {omitted: '--no-live: istiod was not asked'}}});
    expect([one?.unseen, two?.unseen]).toEqual([['--no-live: istiod was not asked'], undefined]);
  });

  it('calls no cluster ok of which no check was asked', () => {
    expect(picture({}, []).map(({verdict}) => verdict)).toEqual(['unknown', 'unknown']);
  });
});
