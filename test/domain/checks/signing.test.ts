import {expect, it} from 'vitest';
import {type LiveRoots, PerPod} from '../../../src/domain/facts/facts.js';
import {judgedText} from '../../helpers/suggestions.js';
import {signingCheck} from '../../../src/domain/checks/live/signing.js';
import {known} from '../../../src/domain/observed.js';
import {type Overrides, clusterValues, evidence, fingerprintsOf, istiodMetrics, liveRoots} from './healthy.js';

const healthy = clusterValues('cluster1').pushedTrust;
if (healthy === 'absent') throw new Error('a healthy cluster has Secret cacerts');

const loaded = liveRoots('cluster1');
const pushed = (...roots: readonly LiveRoots[]) => ({...healthy, roots: roots.flatMap(fingerprintsOf)});
const failing = new PerPod([
  {
    name: 'istiod-1',
    observed: known(istiodMetrics('cluster1', {signingErrors: [{reason: 'CSR_ERROR', count: 1}]})),
  },
]);

it.each<[string, boolean, NonNullable<Overrides['cluster1']>]>([
  ['equal the loaded ones', true, {pushedTrust: pushed(loaded), liveRoots: loaded}],
  ['are different', false, {pushedTrust: pushed(liveRoots('foreign')), liveRoots: loaded}],
  ['are more', false, {pushedTrust: pushed(loaded, liveRoots('foreign')), liveRoots: loaded}],
  ['are fewer', false, {pushedTrust: pushed(loaded), liveRoots: liveRoots('cluster1', 'foreign')}],
  ['are not pushed', false, {pushedTrust: 'absent', liveRoots: loaded}],
  ['are published in a ClusterTrustBundle', false, {pushedTrust: pushed(loaded), liveRoots: 'ClusterTrustBundle'}],
])('MESH309 restarts istiod only if the restart loads the same roots: they %s', (_, restarts, cluster1) => {
  const rows = judgedText([signingCheck], evidence({cluster1: {istiodMetrics: failing, ...cluster1}})).checks;
  const fix = rows.find(({result}) => result === 'warning')?.fix ?? '';
  expect(fix).toMatch(/ logs istiod-1 \| grep /);
  expect(fix.includes('rollout restart')).toBe(restarts);
});

it('MESH309 does not restart istiod if the roots are unknown', () => {
  const {facts, clusters, ...rest} = evidence({cluster1: {istiodMetrics: failing}});
  const withoutRoots = clusters.map((one) => ({...one, facts: {...one.facts, liveRoots: {omitted: 'not requested'}}}));
  const {checks} = judgedText([signingCheck], {...rest, facts, clusters: withoutRoots});
  expect(checks.find(({result}) => result === 'warning')?.fix).not.toContain('rollout restart');
});
