/** Known issues of istiods that read other clusters through remote secrets. */
import {groupBy} from '../../group-by.js';
import {remoteSecretDefects} from '../../istio/remote-secret-defects.js';
import type {Condition, Hazard, ReadCluster} from './hazard.js';

const {endpoints, gateways, changes} = remoteSecretDefects;

/** What follows a change of a remote secret. */
export const remoteHazards: readonly Hazard[] = [
  {
    id: 'endpoints-lost',
    title:
      "after a remote secret changes, istiod loses that cluster's endpoints, although it reports the cluster as synced",
    applies: ({readClusters}) => lossOf(readClusters, 'endpoints'),
    consequence: 'requests to services in that cluster fail until istiod restarts',
    expected: 'the endpoints of every synced cluster, or Istio 1.30.4 or later',
    fix: {by: 'restart'},
    implies: ['MESH507'],
    ...endpoints,
  },
  {
    id: 'gateways-lost',
    title: "after a remote secret changes, istiod loses that cluster's network gateways",
    applies: ({readClusters}) => lossOf(readClusters, 'gateways'),
    consequence: 'requests to that network bypass its gateway and fail until istiod restarts',
    expected: 'a gateway of every other network, or Istio 1.30.4 or later',
    fix: {by: 'restart'},
    ...gateways,
  },
  {
    id: 'changes-unread',
    title: 'after a remote secret changes, istiod waits for itself before it reads that cluster again',
    severity: 'warning',
    applies: ({readClusters}) => {
      const stuck = readClusters.filter(({changed, isSynced}) => changed === true && isSynced !== true);
      return stuck.length === 0 ? undefined : changedText(stuck);
    },
    consequence: 'istiod follows no change in that cluster until it restarts',
    expected: 'every cluster synced, or Istio 1.30.3 or later',
    fix: {by: 'restart'},
    implies: ['MESH506', 'MESH507'],
    ...changes,
  },
];

/**
 * What the pods lost of the clusters that they report as synced. Where that was not observed, the time of the last change
 * decides.
 */
function lossOf(clusters: readonly ReadCluster[], what: 'endpoints' | 'gateways'): Condition | undefined {
  const suspects = clusters.filter(({changed, isSynced}) => changed !== false && isSynced !== false);
  const lost = suspects.filter((one) => one[what] === 'lost');
  if (lost.length > 0) return {text: byPod(lost, (pod, names) => `${pod} has lost ${what} of ${names}`)};
  const unclear = suspects.filter((one) => one[what] === 'unclear');
  if (unclear.length > 0) {
    return {text: byPod(unclear, (pod, names) => `${pod} may have lost ${what} of ${names}`), isUnproven: true};
  }
  const changed = suspects.filter((one) => one[what] === undefined && one.changed === true);
  return changed.length === 0 ? undefined : {text: changedText(changed), severity: 'warning'};
}

function changedText(clusters: readonly ReadCluster[]): string {
  return byPod(clusters, (pod, names) => `the remote secret for ${names} changed after ${pod} started`);
}

function byPod(clusters: readonly ReadCluster[], text: (pod: string, clusters: string) => string): string {
  return [...groupBy(clusters, ({pod}) => pod)]
    .map(([pod, of]) => text(pod, of.map(({cluster}) => cluster).join(', ')))
    .join('; ');
}
