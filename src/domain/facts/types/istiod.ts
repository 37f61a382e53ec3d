/** Facts of one cluster that its running istiods report. */
import type {Certificate} from '../../x509/certificate.js';
import type {CertificateFacts} from './work-directory.js';

/** The certificate chain that an istiod pod presents on its secure port. */
export interface ServedChain {
  /** As sent on the wire, leaf first. */
  readonly chain: readonly CertificateFacts[];
  /** The same certificates, complete, for verification. */
  readonly certificates: readonly Certificate[];
  /** Whether each certificate's signature was made by the next one's key. */
  readonly linked: boolean;
  /**
   * The signer of the chain, if that is not istiod's own CA (PILOT_CERT_PROVIDER). The pod is not contacted then, since a
   * handshake would show nothing about its CA.
   */
  readonly signedBy?: string;
}

/** The metrics of an istiod process since its start (`/metrics`). */
export interface IstiodMetrics {
  /** The version that the process reports: `1.30.3`. Its image tag may differ. */
  readonly version: string;
  /** Expiry of the first certificate of the loaded root bundle; absent if istiod is not a CA. */
  readonly rootExpiry?: Date;
  /** Expiry of the first certificate of its chain, the CA that it signs with; absent if it signs with its root. */
  readonly caExpiry?: Date;
  /** Certificate requests received. */
  readonly requests: number;
  /** Certificates issued to workloads. */
  readonly issued: number;
  /** Requests that were rejected as unauthenticated. */
  readonly unauthenticated: number;
  /** Requests that it could not sign, by istiod's reason: `CSR_ERROR`, `TTL_ERROR`, `CERT_GEN_ERROR`, … */
  readonly signingErrors: readonly {readonly reason: string; readonly count: number}[];
}

/** A cluster known to a running istiod. */
export interface KnownCluster {
  readonly id: string;
  /** NAMESPACE/NAME of the remote secret; empty for istiod's own cluster. */
  readonly secretName: string;
  /** `synced`, `syncing`, `timeout`, `closed`. */
  readonly status: string;
}

/** The clusters known to a running istiod (`/debug/clusterz`). */
export interface IstiodClusters {
  /** Absent: this istiod does not have the endpoint. */
  readonly known?: readonly KnownCluster[];
  /** Whether this version also lists its own cluster. */
  readonly listsItself: boolean;
  /** This version also lists a cluster as `synced` that it could not read in time. */
  readonly hidesTimeouts?: true;
}

/** How much of a cluster's services a running istiod has. */
export interface ClusterEndpoints {
  readonly cluster: string;
  /** The number of services with endpoints in this cluster. */
  readonly services: number;
  /** Those with an endpoint that is ready, as NAMESPACE/NAME. */
  readonly names: ReadonlySet<string>;
  /** Whether Service default/kubernetes is one of them: every cluster has it, and its endpoints hardly ever change. */
  readonly hasApiServer: boolean;
}

/** Addresses that pods of two clusters on one network have. */
export interface SharedAddresses {
  /** Istio's names. */
  readonly clusters: readonly [string, string];
  readonly count: number;
  /** At most three. */
  readonly examples: readonly string[];
  /** Hosts of Services to which they belong, at most three. */
  readonly services: readonly string[];
}

/** The endpoints known to a running istiod (`/debug/endpointShardz`), and its gateways (`/debug/networkz`). */
export interface IstiodDiscovery {
  /** Absent: this version does not list them, or the mesh needs none. A cluster without endpoints is not listed. */
  readonly endpoints?: readonly ClusterEndpoints[];
  /** The networks with a gateway. Absent: not read, because this version loses none or the mesh has one network. */
  readonly gatewayNetworks?: readonly string[];
  /** Absent: no two clusters are on one network, or this version does not list endpoints. */
  readonly sharedAddresses?: readonly SharedAddresses[];
  /**
   * The hosts of some Services with sidecars, by cluster; at most three. Absent: the mesh has one network, or this version does not list
   * endpoints.
   */
  readonly sidecarServices?: ReadonlyMap<string, readonly string[]>;
}
