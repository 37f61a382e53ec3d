/** Facts of the work directory: its files, their git history, its journal. */
import type {JournalFault} from '../../journal/chain.js';

/** The facts of a certificate. */
export interface CertificateFacts {
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** SHA-256 of the public key (SubjectPublicKeyInfo). */
  readonly spki: string;
  readonly subject: string;
  /** L of the subject: the cluster name, in a cluster CA created by this program or Istio's Makefile. */
  readonly locality?: string;
  readonly issuer: string;
  /** Unique among the certificates of an issuer (RFC 5280 4.1.2.2). */
  readonly serial: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** A problem of a file or a set of files. */
export interface Problem {
  /** `unknown`: not proven, see `CaFinding`. */
  readonly severity: 'error' | 'warning' | 'unknown';
  readonly message: string;
  readonly reason: FaultReason;
}

/** What is at fault, which decides what resolves it. */
export type FaultReason =
  /** The form of a file: the same key and certificates in canonical form do not have it. */
  | 'form'
  /** The cluster CA or its key. */
  | 'cluster CA'
  /** A CA key that is encrypted. */
  | 'encrypted key'
  /** An expired root beside a valid one. */
  | 'expired root'
  /** A certificate above the cluster CA, by its SHA-256 if known. */
  | {readonly above: string | undefined}
  /** Nothing: istiod and proxies accept it. */
  | 'nothing';

/** Whether mesh.yaml is usable. */
export interface DeclarationFacts {
  /** Whether mesh.yaml exists. */
  readonly present: boolean;
  /** One line for each error, with file, line, column and field. */
  readonly problems: readonly string[];
  /** The number of declared clusters. */
  readonly clusters: number;
}

/** Whether `certs generate` can issue cluster CAs with the files that are here, and what it lacks otherwise. */
export type IssuingFacts =
  /** `signing`: SHA-256 of the signing CA and the certificates above it, or of the mesh's roots; empty if there are none yet. */
  | {readonly possible: true; readonly signing: readonly string[]}
  | {readonly possible: false; readonly lacks: 'the root' | 'the root key' | 'a usable root'; readonly why: string};

/** root-key.pem, in the work directory or in the signer's directory (`--root-dir`). */
export interface RootKeyFacts {
  readonly protection: 'absent' | 'encrypted' | 'clear';
  /** Its path, if it is not at the top level of the work directory: absolute, or relative to the work directory. */
  readonly path?: string;
  /** Cipher and key derivation, if the passphrase is cheap to guess. */
  readonly weakness?: string;
  /** Unencrypted keys under other names in the work directory: the same key, another root's, or a signing CA's. */
  readonly copies?: readonly {
    readonly path: string;
    readonly of: 'root' | 'signing CA';
    /** Whether the file contains nothing else. */
    readonly alone: boolean;
  }[];
  /** Encrypted keys under other names at the top level of the work directory. Their owner is unknown. */
  readonly encrypted?: readonly {
    readonly path: string;
    /** Cipher and key derivation, if the passphrase is cheap to guess. */
    readonly weakness?: string;
  }[];
}

/** A key file, or a directory of key files. */
export interface FileModeFacts {
  /** Relative to the work directory, or absolute for a root key elsewhere. */
  readonly path: string;
  /**
   * `directory`: one that only its owner may enter. `parent`: one that others may read, but not write: the work directory, or
   * that of the root key.
   */
  readonly kind: 'key' | 'directory' | 'parent';
  /** Permission bits. */
  readonly mode: number;
}

/** A cluster CA: the four files of the work directory, or the same data of Secret `cacerts`. */
export interface ClusterCaFacts {
  /** The missing files or data keys. */
  readonly missing: readonly string[];
  /** Of chain, order, CA flag, path length, key usage and validity; without the key and a future expiry. */
  readonly problems: readonly Problem[];
  readonly key: 'absent' | 'matches' | 'different' | 'unusable';
  /** Why the key is unusable. */
  readonly keyProblem?: string;
  /** What is at fault then. */
  readonly keyReason?: FaultReason;
  /** The cluster CA; absent if ca-cert.pem is missing or unreadable. */
  readonly certificate?: CertificateFacts;
  /** The certificates of root-cert.pem. */
  readonly roots: readonly CertificateFacts[];
  /** CAs between the cluster CA and its root, upward; absent: the root signed it, or this is unknown. */
  readonly between?: readonly CertificateFacts[];
  /** Fingerprint of the root at the end of the cluster CA's chain; absent if it is not one of `roots`. */
  readonly anchor?: string;
}

/** install.yaml, compared with the current rendering. */
export type InstallFileFacts =
  | {readonly state: 'absent'}
  /** Not written by this program, for example by hand after Istio's guide: not compared. */
  | {readonly state: 'foreign'}
  | {readonly state: 'current'}
  | {readonly state: 'stale'; readonly difference: string};

/** A file that is meant to be public and contains a private key. */
export interface KeyInPublicFile {
  /** Relative to the work directory. */
  readonly path: string;
  /** The cluster of the file; absent for a file of the mesh. */
  readonly cluster?: string;
}

/** A private key in the git history. */
export interface KeyInHistory {
  /** Relative to the work directory, under the name in that commit. */
  readonly path: string;
  /** The commit that added it, abbreviated. */
  readonly commit: string;
  readonly protection: 'clear' | 'encrypted';
  /** The current CA in the work directory that the key belongs to; absent: none, or unknown. */
  readonly owner?: 'root' | {readonly cluster: string};
}

/** The private keys in the git history of the work directory. */
export type GitHistoryFacts =
  /** No history to search, and why. */
  | {readonly absent: string}
  | {
      readonly keys: readonly KeyInHistory[];
      /** The number of further blobs with keys, which were not inspected. */
      readonly more: number;
      /** Whether the clone is shallow: earlier commits are missing. */
      readonly shallow: boolean;
    };

/** A change whose run ended before its outcome was recorded. */
export interface OpenChange {
  /** As typed: `trust push`. */
  readonly command: string;
  readonly cluster?: string;
  /** A description of the change. */
  readonly title: string;
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** The facts of the journal. */
export interface JournalFacts {
  readonly present: boolean;
  /** Without a file: the evidence that there was one. */
  readonly evidence?: string;
  readonly entries: number;
  /** One for each copy of the work directory that has written to it. */
  readonly chains: number;
  readonly faults: readonly JournalFault[];
  /** Changes of this copy without an outcome whose process no longer runs. */
  readonly open: readonly OpenChange[];
  /** The number of changes of other copies without an outcome: only those copies can close them. */
  readonly openElsewhere: number;
  /** Broken journals that were set aside in the work directory, and the problem of each. */
  readonly brokenAside: readonly {readonly file: string; readonly message: string}[];
}
