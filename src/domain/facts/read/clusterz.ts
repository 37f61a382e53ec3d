/**
 * Reads istiod's `/debug/clusterz`: the clusters that it knows (istio/istio pkg/cluster/debug.go, `DebugInfo`;
 * pkg/kube/multicluster/secretcontroller.go, `ListRemoteClusters`).
 */
import * as z from 'zod';
import {MeshError} from '../../errors.js';
import {printableLine} from '../../printable.js';
import type {KnownCluster} from '../facts.js';

/** Longer than any Kubernetes name with its namespace; longer texts are rejected. */
const word = z.string().max(512).transform(printableLine);
const clusterList = z.array(
  z
    .object({id: word, secretName: word.default(''), syncStatus: word})
    .transform(({syncStatus, ...names}) => ({...names, status: syncStatus})),
);

/** Reads a response. `pod` is for messages. Throws `API_ERROR` if the text is something else. */
export function readClusterz(text: string, pod: string): readonly KnownCluster[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new MeshError('API_ERROR', `/debug/clusterz of ${pod} is not valid JSON`, {cause: thrown});
  }
  // Go encodes a nil slice as null.
  const rows = clusterList.safeParse(value ?? []);
  if (!rows.success) {
    throw new MeshError('API_ERROR', `/debug/clusterz of ${pod} is not a list of clusters`, {cause: rows.error});
  }
  return rows.data;
}
