/** What `trust push` and `trust rollback` need to know of one cluster before they decide. */
import type {KubeObject} from '../kube/object.js';
import type {ClusterUid} from '../mesh/identity.js';
import type {MeshCluster} from '../mesh/mesh.js';
import {isKnown, type Observed, valueOr} from '../observed.js';
import type {CacertsSecret} from './cacerts.js';
import type {IstiodObservation} from './istiod.js';
import type {Workloads} from './workloads.js';

/** One cluster, as it was seen. */
export interface TrustObservation {
  /** UID of kube-system: who the cluster is. */
  readonly uid: Observed<string>;
  /** The namespace of istiod. */
  readonly namespace: Observed<KubeObject | 'absent'>;
  readonly cacerts: Observed<CacertsSecret | 'absent'>;
  readonly previous: Observed<CacertsSecret | 'absent'>;
  /** root-cert.pem of ConfigMap istio-ca-root-cert beside istiod: the bundle that istiod loaded; undefined: none. */
  readonly liveBundle: Observed<string | undefined>;
  /** The certificate that istiod made for itself (Secret istio-ca-secret); undefined: none. */
  readonly selfSigned: Observed<string | undefined>;
  readonly istiods: Observed<readonly IstiodObservation[]>;
  /** Asked only when a live root would go. */
  readonly workloads?: Observed<Workloads>;
}

/** One cluster with what was seen of it. */
export interface ClusterTrust {
  readonly cluster: MeshCluster;
  readonly seen: Observed<TrustObservation>;
}

/** A Secret that was seen; undefined where it is absent or unknown, since a decision that needs an unknown one refuses. */
export function secretOf({seen}: ClusterTrust, which: 'cacerts' | 'previous'): CacertsSecret | undefined {
  const secret = isKnown(seen) ? valueOr(seen.value[which], 'absent') : 'absent';
  return secret === 'absent' ? undefined : secret;
}

/** Clusters whose UID is known. */
export function identified(all: readonly ClusterTrust[]): readonly ClusterUid[] {
  return all.flatMap(({cluster, seen}) =>
    isKnown(seen) && isKnown(seen.value.uid) ? [{name: cluster.name, uid: seen.value.uid.value}] : [],
  );
}
