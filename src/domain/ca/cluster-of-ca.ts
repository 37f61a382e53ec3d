import {type NamedCluster, ownerOfIstioName} from '../mesh/istio-name.js';

/**
 * The other declared cluster that a CA belongs to, by the locality in its subject; undefined if it names no other cluster.
 * This program and Istio's Makefile write the cluster's name there (istio/istio tools/certs/common.mk: `L = $(L)`, set to
 * the directory's name by `%-cacerts`). The Makefile's name may be Istio's. The locality of an external CA, or of a cluster
 * that was renamed, is not a declared cluster.
 */
export function otherOwner(
  locality: string | undefined,
  cluster: string,
  declared: readonly NamedCluster[],
): string | undefined {
  return locality === undefined || locality === cluster
    ? undefined
    : ownerOfIstioName(declared, locality, cluster)?.name;
}
