/** Which cluster a cluster CA was made for. */

/**
 * The other declared cluster that a CA was made for, by the locality of its subject; undefined where it names no other
 * one. This program and Istio's Makefile write the cluster's name there (istio/istio tools/certs/common.mk:
 * `L = $(L)`, set to the directory's name by `%-cacerts`); a CA from elsewhere, or of a cluster that was renamed since,
 * names nothing that is declared.
 */
export function otherOwner(
  locality: string | undefined,
  cluster: string,
  declared: readonly string[],
): string | undefined {
  return locality !== undefined && locality !== cluster && declared.includes(locality) ? locality : undefined;
}
