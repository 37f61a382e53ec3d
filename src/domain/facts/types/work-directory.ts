/** Facts of the work directory: its files, git's history of them, its journal. */
import type {JournalFault} from '../../journal/chain.js';

/** What checks want to know of a certificate. */
export interface CertificateFacts {
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
  /** SHA-256 of the public key (SubjectPublicKeyInfo). */
  readonly spki: string;
  readonly subject: string;
  /** L of the subject: in a cluster CA made by this program or Istio's Makefile, the cluster's name. */
  readonly locality?: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
}

/** Something wrong with a file or a set of files. */
export interface Problem {
  readonly severity: 'error' | 'warning';
  readonly message: string;
}

/** Whether mesh.yaml can be used. */
export interface DeclarationFacts {
  /** Whether there is a mesh.yaml. */
  readonly present: boolean;
  /** One line for each error, with file, line, column and field. */
  readonly problems: readonly string[];
  /** How many clusters it names. */
  readonly clusters: number;
}

/** root-key.pem at the top of the work directory. */
export interface RootKeyFacts {
  readonly protection: 'absent' | 'encrypted' | 'clear';
  /** Where it is kept, when not in the work directory. */
  readonly path?: string;
  /** Cipher and key derivation, where guessing the passphrase is cheap. */
  readonly weakness?: string;
  /** The same key, another root's, or a signing CA's, in the clear under any other name in the work directory. */
  readonly copies?: readonly {
    readonly path: string;
    readonly of: 'root' | 'signing CA';
    /** Whether the file holds nothing else. */
    readonly alone: boolean;
  }[];
}

/** One path of the work directory that holds keys. */
export interface FileModeFacts {
  readonly path: string;
  readonly kind: 'key' | 'directory';
  /** Permission bits. */
  readonly mode: number;
}

/** A cluster CA: the four files of the work directory, or the same data of Secret `cacerts`. */
export interface ClusterCaFacts {
  /** Which of the files or data keys are not there. */
  readonly missing: readonly string[];
  /** Chain, order, CA flag, path length, key usage, validity: everything but the key and expiry to come. */
  readonly problems: readonly Problem[];
  readonly key: 'absent' | 'matches' | 'different' | 'unusable';
  /** Why the key is unusable. */
  readonly keyProblem?: string;
  /** The cluster CA; absent when ca-cert.pem is missing or cannot be read. */
  readonly certificate?: CertificateFacts;
  /** The certificates of root-cert.pem. */
  readonly roots: readonly CertificateFacts[];
  /** CAs between the cluster CA and its root, upward; absent: the root signed it, or that cannot be told. */
  readonly between?: readonly CertificateFacts[];
  /** Fingerprint of the root that the cluster CA's chain ends in; absent when it ends in none of `roots`. */
  readonly anchor?: string;
}

/** install.yaml against what would be rendered now. */
export type InstallFileFacts =
  | {readonly state: 'absent'}
  /** Written by somebody else, such as the guide's reader: there is nothing to compare it with. */
  | {readonly state: 'foreign'}
  | {readonly state: 'current'}
  | {readonly state: 'stale'; readonly difference: string};

/** A private key in git's history. */
export interface KeyInHistory {
  /** Relative to the work directory, as it was named then. */
  readonly path: string;
  /** The commit that brought it, abbreviated. */
  readonly commit: string;
  readonly protection: 'clear' | 'encrypted';
  /** Whose key it is, of the CAs that the work directory has now; absent: of none of them, or not to be told. */
  readonly owner?: 'root' | {readonly cluster: string};
}

/** What git has kept of the work directory. */
export type GitHistoryFacts =
  /** Nothing to look through: why. */
  | {readonly absent: string}
  | {
      readonly keys: readonly KeyInHistory[];
      /** More texts with keys than were looked at. */
      readonly more: number;
      /** A clone that has the last commits only: what came before is not here. */
      readonly shallow: boolean;
    };

/** A change whose run ended before it could say what became of it. */
export interface OpenChange {
  /** As typed: `trust push`. */
  readonly command: string;
  readonly cluster?: string;
  /** The change in words. */
  readonly title: string;
  /** ISO 8601, UTC. */
  readonly time: string;
}

/** The record of changes, read. */
export interface JournalFacts {
  readonly present: boolean;
  readonly entries: number;
  /** One for each copy of the work directory that has written. */
  readonly chains: number;
  readonly faults: readonly JournalFault[];
  /** Changes of this copy that no running process is busy with. */
  readonly open: readonly OpenChange[];
  /** How many changes of other copies have no outcome: only those copies can tell, and close them. */
  readonly openElsewhere: number;
  /** Broken journals that were put aside and still lie here, and what is wrong with each. */
  readonly brokenAside: readonly {readonly file: string; readonly message: string}[];
}
