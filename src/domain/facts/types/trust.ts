/** Facts of what a cluster trusts and signs with, from its API server. */
import type {CaInspection} from '../../ca/inspect-ca.js';
import type {Difference} from '../../trust/diff.js';
import type {CertificateFacts, ClusterCaFacts} from './files.js';

/** A certificate of the chain in Secret cacerts. */
export interface ChainLink {
  readonly subject: string;
  readonly selfSigned: boolean;
}

/** What checks judge of Secret `cacerts` (domain/trust/cacerts.ts, `CacertsSecret`): what istiod would make of it. */
export interface CacertsFacts extends ClusterCaFacts {
  /** By the rules of `trust push`, so that both agree on what is equal; empty, too, where there is nothing to compare with. */
  readonly differences: readonly Difference[];
  /** The names of its data, all of them. */
  readonly keys: readonly string[];
  /** `tls` where it holds tls.crt. */
  readonly layout: 'pem' | 'tls';
  /** The chain that workloads present, in its order; empty where it cannot be read. */
  readonly chain: readonly ChainLink[];
  /** ca-crl.pem, where it is there and not empty. */
  readonly crl?: {
    /** Why istiod would not load the chain with it; undefined: it would. */
    readonly problem: string | undefined;
    /** Whether the work directory holds lists, too, which a push would bring. */
    readonly isPushed: boolean;
  };
  /** The certificates of it, whole: for those who list certificates. */
  readonly inspection?: Pick<CaInspection, 'caCerts' | 'chain' | 'roots' | 'verified'>;
}

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
