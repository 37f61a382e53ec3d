/** What `trust push` and `trust rollback` need to know of one cluster before they decide. */
import type {KubeObject} from '../kube/object.js';
import type {MeshCluster} from '../mesh/mesh.js';
import {isKnown, type Observed, valueOr} from '../observed.js';
import type {CacertsSecret} from './cacerts.js';
import type {IstiodSeen} from './istiod.js';
import type {Workloads} from './workloads.js';

/** The namespace of istiod. */
export interface NamespaceSeen {
  readonly labels: Readonly<Record<string, string>>;
  readonly terminating: boolean;
}

/** One cluster, as it was seen. */
export interface TrustSeen {
  /** UID of kube-system: who the cluster is. */
  readonly uid: Observed<string>;
  readonly namespace: Observed<NamespaceSeen | 'absent'>;
  readonly cacerts: Observed<CacertsSecret | 'absent'>;
  readonly previous: Observed<CacertsSecret | 'absent'>;
  /** root-cert.pem of ConfigMap istio-ca-root-cert beside istiod: the bundle that istiod loaded; undefined: none. */
  readonly liveBundle: Observed<string | undefined>;
  /** The certificate that istiod made for itself (Secret istio-ca-secret); undefined: none. */
  readonly selfSigned: Observed<string | undefined>;
  readonly istiods: Observed<readonly IstiodSeen[]>;
  /** Asked only when a live root would go. */
  readonly workloads?: Observed<Workloads>;
}

/** One cluster with what was seen of it. */
export interface ClusterTrust {
  readonly cluster: MeshCluster;
  /** How the cluster was reached; absent when no context is known, then `seen` says so. */
  readonly context?: string;
  readonly seen: Observed<TrustSeen>;
}

/** Reads what matters of a namespace. */
export function readNamespace({metadata}: KubeObject): NamespaceSeen {
  return {labels: metadata.labels ?? {}, terminating: metadata.deletionTimestamp !== undefined};
}

/** A Secret that was seen; unknown ones count as absent, since a decision that needs them refuses. */
export function secretOf({seen}: ClusterTrust, which: 'cacerts' | 'previous'): CacertsSecret | 'absent' {
  return isKnown(seen) ? valueOr(seen.value[which], 'absent') : 'absent';
}

/** Clusters whose UID is known. */
export function identified(all: readonly ClusterTrust[]): readonly {readonly name: string; readonly uid: string}[] {
  return all.flatMap(({cluster, seen}) =>
    isKnown(seen) && isKnown(seen.value.uid) ? [{name: cluster.name, uid: seen.value.uid.value}] : [],
  );
}
