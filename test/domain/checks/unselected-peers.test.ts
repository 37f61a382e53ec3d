/** `verify cluster1` in a mesh of two clusters: what cluster1 shows about reading the other one, of which nothing is read. */
import {expect, it} from 'vitest';
import {checks} from '../../../src/domain/checks/registry.js';
import {judge} from '../../../src/domain/checks/judge.js';
import {
  daysFromNow,
  evidence,
  istiodClusters,
  readCluster,
  remoteSecretsOf,
  tokenClaims,
  type Overrides,
} from './healthy.js';
import {clustersOf} from './faults/builders.js';
import {withKubeconfig, withSecret} from './faults/rows/discovery.js';

/** The rows about the pair, without those that are ok. */
function rowsAbout(overrides: Overrides): readonly string[] {
  const both = evidence(overrides);
  const {checks: rows} = judge(checks, {...both, clusters: both.clusters.slice(0, 1)});
  return rows.flatMap(({id, peer, result}) => (peer === undefined || result === 'ok' ? [] : [`${id} ${result}`]));
}

const needPeer = ['MESH503 skipped', 'MESH505 skipped', 'MESH507 skipped'];
const readsNobody = clustersOf({known: [{id: 'cluster1', secretName: '', status: 'synced'}], listsItself: true});
const noSecret = {remoteSecrets: remoteSecretsOf('cluster1', 'absent'), ...readsNobody};

it.each<[string, Overrides, readonly string[]]>([
  ['is read', {}, needPeer],
  ['is not read yet', {cluster1: noSecret}, ['MESH501 skipped', ...needPeer, 'MESH504 skipped', 'MESH506 skipped']],
  [
    'is not read yet, without Secrets',
    {cluster1: readsNobody, facts1: {remoteSecrets: {omitted: '--no-secrets'}}},
    ['MESH501 skipped', ...needPeer, 'MESH504 skipped', 'MESH506 skipped'],
  ],
  [
    'does not answer',
    {cluster1: clustersOf(istiodClusters('cluster1', readCluster('cluster2', {status: 'timeout'})))},
    [...needPeer, 'MESH506 error'],
  ],
  ['is ignored by istiod', {cluster1: readsNobody}, [...needPeer, 'MESH506 error']],
  [
    'has a remote secret that istiod ignores',
    {cluster1: {...withSecret({labeled: false}).cluster1, ...readsNobody}},
    ['MESH501 error', ...needPeer, 'MESH506 skipped'],
  ],
  [
    'has a token that expires',
    withKubeconfig({claims: tokenClaims({expiresAt: daysFromNow(1)})}),
    [...needPeer, 'MESH504 error'],
  ],
])('another cluster %s', (_, overrides, expected) => {
  expect(rowsAbout(overrides).toSorted()).toEqual(expected.toSorted());
});
