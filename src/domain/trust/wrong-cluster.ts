/** Detects a cluster CA that is about to be pushed to the wrong cluster of the mesh. */
import type {Certificate} from '../x509/certificate.js';
import {otherOwner} from '../ca/cluster-of-ca.js';
import {istioNameOf} from '../mesh/istio-name.js';
import {attributeOf} from '../x509/name.js';
import {annotations, type CacertsSecret} from './cacerts.js';

/** A declared cluster. */
export interface OtherCluster {
  readonly name: string;
  readonly istioName?: string;
  /** Fingerprint of the cluster CA in its Secret `cacerts`; undefined if it was not read or is unknown. */
  readonly liveCa: string | undefined;
}

/** Returns the fingerprint of the cluster CA in a Secret, or else that in its annotation. */
export function liveCa(secret: CacertsSecret | undefined): string | undefined {
  return secret?.inspection.certificate?.fingerprint ?? secret?.annotations[annotations.clusterCa];
}

/**
 * Returns why a CA belongs to another cluster; undefined if there is no indication. A subject with this cluster's name is
 * decisive: then the copy in the other cluster is wrong, and pushing both CAs fixes it.
 */
export function wrongClusterCa(
  ca: Certificate | undefined,
  cluster: string,
  others: readonly OtherCluster[],
): string | undefined {
  if (!ca) return undefined;
  const locality = attributeOf(ca.subject, 'L');
  const own = others.find(({name}) => name === cluster);
  if (locality === cluster || (own && locality === istioNameOf(own))) return undefined;
  const owner = otherOwner(locality, cluster, others);
  if (owner !== undefined) return `it is the CA of ${owner}, not of ${cluster} (subject "${ca.subject.text}")`;
  const holder = others.find((other) => other.name !== cluster && other.liveCa === ca.fingerprint);
  return holder && `it is in use in ${holder.name}: ${cluster} and ${holder.name} would share a key`;
}
