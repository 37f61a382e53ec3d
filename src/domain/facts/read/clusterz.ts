/**
 * Reads istiod's `/debug/clusterz`: the clusters that it reads (istio/istio pkg/cluster/debug.go, `DebugInfo`;
 * pkg/kube/multicluster/secretcontroller.go, `ListRemoteClusters`).
 */
import * as z from 'zod';
import {LatestResults} from '../../memoize.js';
import {printableLine} from '../../printable.js';
import type {KnownCluster} from '../facts.js';
import {readDebugJson} from './debug-json.js';

export const clusterzPath = '/debug/clusterz';

/** The status of a cluster whose services istiod has read (pkg/kube/multicluster/cluster.go). */
export const synced = 'synced';

/** Longer than any Kubernetes name with its namespace; longer texts are rejected. */
const word = z.string().max(512).transform(printableLine);
const clusterList = z.array(
  z
    .object({id: word, secretName: word.default(''), syncStatus: word})
    .transform(({id, secretName, syncStatus: status}) =>
      latest.get([id, secretName, status].join('\n'), () => ({id, secretName, status})),
    ),
);

/** Every istiod lists every cluster, and nearly all list the same about it. */
const latest = new LatestResults<KnownCluster>(4096);

/** Reads a response. `pod` is for messages. Throws `API_ERROR` if the text is something else. */
export function readClusterz(text: string, pod: string): readonly KnownCluster[] {
  return readDebugJson(clusterList, {text, path: clusterzPath, pod}, {empty: [], what: 'a list of clusters'});
}
