/** Translates the cluster names in remote secrets, which are Istio's. */
import type {RemoteCredential} from '../discovery/remote-secret.js';
import {clusterOfIstioName} from '../mesh/istio-name.js';
import type {Mesh} from '../mesh/mesh.js';

/** Returns remote secrets with the names in mesh.yaml of the clusters that they lead to, instead of Istio's, their data keys. */
export function withMeshNames(
  remotes: readonly RemoteCredential[],
  {clusters}: Pick<Mesh, 'clusters'>,
): readonly RemoteCredential[] {
  return remotes.map((one) => ({...one, cluster: clusterOfIstioName(clusters, one.cluster)?.name ?? one.cluster}));
}
