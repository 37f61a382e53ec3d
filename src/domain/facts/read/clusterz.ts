/**
 * istiod's `/debug/clusterz`: the clusters that it knows (istio/istio pkg/cluster/debug.go, `DebugInfo`;
 * pkg/kube/multicluster/secretcontroller.go, `ListRemoteClusters`).
 */
import * as z from 'zod';
import {MeshError} from '../../errors.js';
import {printableLine} from '../../printable.js';
import type {KnownCluster} from '../facts.js';

/** Longer than any name in Kubernetes with its namespace; what is longer is no name. */
const word = z.string().max(512).transform(printableLine);
const answer = z.array(
  z
    .object({id: word, secretName: word.default(''), syncStatus: word})
    .transform(({syncStatus, ...names}) => ({...names, status: syncStatus})),
);

/** Reads it. `pod` names it in messages. Throws `API_ERROR` when the text is something else. */
export function readClusterz(text: string, pod: string): readonly KnownCluster[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (thrown) {
    throw new MeshError('API_ERROR', `/debug/clusterz of ${pod} is no JSON`, {cause: thrown});
  }
  // Go writes a list without elements as null.
  const rows = answer.safeParse(value ?? []);
  if (!rows.success) {
    throw new MeshError('API_ERROR', `/debug/clusterz of ${pod} is no list of clusters`, {cause: rows.error});
  }
  return rows.data;
}
