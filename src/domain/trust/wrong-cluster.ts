/** Whether a cluster CA belongs to another cluster of the mesh than the one it is about to be pushed to. */
import type {Certificate} from '../x509/certificate.js';
import {otherOwner} from '../ca/cluster-of-ca.js';
import {attributeOf} from '../x509/name.js';
import {annotations, type CacertsSecret} from './cacerts.js';

/** Another declared cluster, as far as this run has seen it. */
export interface OtherCluster {
  readonly name: string;
  /** Fingerprint of the cluster CA in its Secret `cacerts`; absent where it was not looked at or cannot be told. */
  readonly liveCa: string | undefined;
}

/** The cluster CA in a Secret: what istiod reads of it, or what this program said of it when it wrote it. */
export function liveCa(secret: CacertsSecret | undefined): string | undefined {
  return secret?.inspection.certificate?.fingerprint ?? secret?.annotations[annotations.clusterCa];
}

/**
 * Why a CA is another cluster's; undefined where nothing says so. A subject that names this very cluster settles it:
 * then the copy in the other cluster is what is wrong, and pushing both puts it right.
 */
export function wrongClusterCa(
  ca: Certificate | undefined,
  cluster: string,
  others: readonly OtherCluster[],
): string | undefined {
  if (!ca) return undefined;
  const locality = attributeOf(ca.subject, 'L');
  if (locality === cluster) return undefined;
  const owner = otherOwner(
    locality,
    cluster,
    others.map(({name}) => name),
  );
  if (owner !== undefined) return `it is the CA of ${owner}, not of ${cluster} (its subject is "${ca.subject.text}")`;
  const holder = others.find((other) => other.name !== cluster && other.liveCa === ca.fingerprint);
  return holder && `it is live in ${holder.name}: ${cluster} and ${holder.name} would share one key`;
}
