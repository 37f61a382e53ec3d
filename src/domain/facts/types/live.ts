/** Facts that running istiods say of themselves. */
import type {Certificate} from '../../x509/certificate.js';
import type {CertificateFacts} from './files.js';

/** What an istiod pod presents on its secure port. */
export interface ServedChain {
  /** As sent on the wire, leaf first. */
  readonly chain: readonly CertificateFacts[];
  /** The same certificates whole, for verifying them. */
  readonly certificates: readonly Certificate[];
  /** Whether each certificate's signature was made by the next one's key. */
  readonly linked: boolean;
  /**
   * Who signs what it presents, where that is not its own CA (PILOT_CERT_PROVIDER): it was not asked then, since a handshake
   * would tell nothing of that CA.
   */
  readonly signedBy?: string;
}

/** What an istiod process counts and reports of itself (`/metrics`), since its start. */
export interface IstiodMetrics {
  /** Of the process, as it says: `1.30.3`. An image's tag may say something else. */
  readonly version: string;
  /** End of the first certificate of the root bundle it has loaded; absent where istiod is no CA. */
  readonly rootEnd?: Date;
  /** End of the first certificate of its chain, the CA that it signs with; absent where it signs with its root. */
  readonly caEnd?: Date;
  /** Certificate requests received. */
  readonly requests: number;
  /** Certificates issued to workloads. */
  readonly issued: number;
  /** Requests refused because nobody could tell who asked. */
  readonly unauthenticated: number;
  /** Requests that it could not sign, by istiod's word for the reason: `CSR_ERROR`, `TTL_ERROR`, `CERT_GEN_ERROR`, … */
  readonly signingErrors: readonly {readonly reason: string; readonly count: number}[];
}

/** One cluster as a running istiod knows it. */
export interface KnownCluster {
  readonly id: string;
  /** NAMESPACE/NAME of the remote secret; empty for its own cluster. */
  readonly secretName: string;
  /** `synced`, `syncing`, `timeout`, `closed`. */
  readonly status: string;
}

/** The clusters that a running istiod knows (`/debug/clusterz`). */
export interface IstiodClusters {
  /** Absent: an istiod that has no such endpoint. */
  readonly known?: readonly KnownCluster[];
  /** Whether that version lists its own cluster, too. */
  readonly listsItself: boolean;
}
