/** Facts of what a cluster trusts and signs with, from its API server. */
import type {CacertsContents} from '../../istio/hazards.js';
import type {CaInspection} from '../../pki/inspect-ca.js';
import type {Difference} from '../../trust/diff.js';
import type {CertificateFacts, ClusterCaFacts} from './files.js';

/** Secret `cacerts` and how it compares with the work directory. */
export interface CacertsFacts extends ClusterCaFacts {
  /** By the rules of `trust push`, so that both agree on what is equal; empty, too, where there is nothing to compare with. */
  readonly differences: readonly Difference[];
  /** What istiod reads of it, whole: for those who list certificates. */
  readonly inspection?: Pick<CaInspection, 'caCerts' | 'chain' | 'roots' | 'verified'>;
}

export type {CacertsContents};

/** What istiod should have loaded, and where that was read: Secret cacerts, or the work directory with `--no-secrets`. */
export interface PushedTrust {
  readonly from: string;
  /** root-cert.pem as it is, for comparisons byte by byte. */
  readonly bundle: string;
  /** Fingerprints of the certificates in the bundle. */
  readonly roots: readonly string[];
  readonly certificate: CertificateFacts;
  /** The first certificate of the bundle: the one whose end istiod reports. Absent where the bundle cannot be read. */
  readonly firstRoot?: CertificateFacts;
}

/** The trust bundle that istiod wrote into one namespace (ConfigMap istio-ca-root-cert). */
export interface WrittenBundle {
  readonly namespace: string;
  /** Undefined when the ConfigMap lacks the key root-cert.pem. */
  readonly text?: string;
  /** Fingerprints of its certificates; empty when the text is no list of certificates. */
  readonly roots: readonly string[];
}
