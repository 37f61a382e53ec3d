/** The facts about a cluster on which `trust push` and `trust rollback` base their decisions. */
import type {KubeObject} from '../kube/object.js';
import type {ClusterUid} from '../mesh/identity.js';
import type {MeshCluster} from '../mesh/mesh.js';
import {isKnown, type Observed, valueOr} from '../observed.js';
import type {CacertsSecret} from './cacerts.js';
import type {IstiodObservation} from './istiod.js';
import type {Workloads} from './workloads.js';

/** The observed facts of one cluster. */
export interface TrustObservation {
  /** When it was observed: an expired root no longer counts as trusted. */
  readonly at: Date;
  /** UID of kube-system, which identifies the cluster. */
  readonly uid: Observed<string>;
  /** The namespace of istiod. */
  readonly namespace: Observed<KubeObject | 'absent'>;
  readonly cacerts: Observed<CacertsSecret | 'absent'>;
  readonly previous: Observed<CacertsSecret | 'absent'>;
  /** The bundle that istiod loaded: root-cert.pem of ConfigMap istio-ca-root-cert in its namespace; undefined if absent. */
  readonly liveBundle: Observed<string | undefined>;
  /** istiod's self-signed CA certificate (Secret istio-ca-secret); undefined if there is none. */
  readonly selfSigned: Observed<string | undefined>;
  readonly istiods: Observed<readonly IstiodObservation[]>;
  /** Read only if a live root would be dropped. */
  readonly workloads?: Observed<Workloads>;
}

/** A cluster with its observed facts. */
export interface ClusterTrust {
  readonly cluster: MeshCluster;
  readonly seen: Observed<TrustObservation>;
}

/** Returns a Secret; undefined if it is absent or unknown. Decisions that depend on an unknown Secret are refused elsewhere. */
export function secretOf({seen}: ClusterTrust, which: 'cacerts' | 'previous'): CacertsSecret | undefined {
  const secret = isKnown(seen) ? valueOr(seen.value[which], 'absent') : 'absent';
  return secret === 'absent' ? undefined : secret;
}

/** Returns the clusters whose UID is known. */
export function identified(all: readonly ClusterTrust[]): readonly ClusterUid[] {
  return all.flatMap(({cluster, seen}) =>
    isKnown(seen) && isKnown(seen.value.uid) ? [{name: cluster.name, uid: seen.value.uid.value}] : [],
  );
}
