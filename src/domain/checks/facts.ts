/**
 * Everything checks may need to know, by name. `operations/verify` gathers only what the selected checks name; each
 * fact is a value, unknown with the reason, or left out on purpose.
 */
import type {IstioVersion} from '../istio/version.js';
import type {Mesh, MeshCluster} from '../mesh/mesh.js';
import type {Observed} from '../observed.js';
import type {Difference} from '../trust/diff.js';
import type {Commands} from './commands.js';

/** A fact made of parts that can be unknown one by one, such as one TLS handshake for each istiod pod. */
export class Parts<T> {
  constructor(readonly parts: readonly {readonly name: string; readonly seen: Observed<T>}[]) {}
}

/** A part that is known. */
export interface Part<T> {
  readonly name: string;
  readonly value: T;
}

/** What checks want to know of a certificate. */
export interface CertificateFacts {
  /** SHA-256 of the DER, 64 lower-case hexadecimal digits. */
  readonly fingerprint: string;
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
  /** Cipher and key derivation, where guessing the passphrase is cheap. */
  readonly weakness?: string;
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
  /** Fingerprint of the root that the cluster CA's chain ends in; absent when it ends in none of `roots`. */
  readonly anchor?: string;
}

/** Secret `cacerts` and how it compares with the work directory. */
export interface CacertsFacts extends ClusterCaFacts {
  /** By the rules of `trust push`, so that both agree on what is equal; empty, too, where there is nothing to compare with. */
  readonly differences: readonly Difference[];
}

/** install.yaml against what would be rendered now. */
export type InstallFileFacts =
  | {readonly state: 'absent'}
  /** Written by somebody else, such as the guide's reader: there is nothing to compare it with. */
  | {readonly state: 'foreign'}
  | {readonly state: 'current'}
  | {readonly state: 'stale'; readonly difference: string};

/** What istiod should have loaded, and where that was read: Secret cacerts, or the work directory with `--no-secrets`. */
export interface PushedTrust {
  readonly from: string;
  /** root-cert.pem as it is, for comparisons byte by byte. */
  readonly bundle: string;
  /** Fingerprints of the certificates in the bundle. */
  readonly roots: readonly string[];
  readonly certificate: CertificateFacts;
}

/** The trust bundle that istiod wrote into one namespace (ConfigMap istio-ca-root-cert). */
export interface WrittenBundle {
  readonly namespace: string;
  /** Undefined when the ConfigMap lacks the key root-cert.pem. */
  readonly text?: string;
  /** Fingerprints of its certificates; empty when the text is no list of certificates. */
  readonly roots: readonly string[];
}

/** One namespace. */
export interface NamespaceFacts {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly terminating: boolean;
}

/** One pod of a control plane or gateway Deployment. */
export interface PodFacts {
  readonly name: string;
  readonly phase: string;
  readonly ready: boolean;
  /** Succeeded, evicted, or being deleted: no longer part of the Deployment. */
  readonly gone: boolean;
  /** Why it is not ready, as far as the API server says. */
  readonly reason: string;
}

/** One Deployment with its pods. */
export interface WorkloadFacts {
  readonly name: string;
  /** `spec.replicas`. */
  readonly desired: number;
  readonly pods: readonly PodFacts[];
  /** Environment of its first container, values only. */
  readonly env: Readonly<Record<string, string>>;
}

/** One revision of the control plane, as it runs. */
export interface ControlPlaneFacts {
  readonly revision: string;
  readonly workload: WorkloadFacts;
  /** `CLUSTER_ID` of istiod. */
  readonly clusterID?: string;
  /** From the values in ConfigMap istio-sidecar-injector: what every injected proxy is told. */
  readonly network?: string;
  readonly meshID?: string;
  /** From ConfigMap istio. */
  readonly trustDomain?: string;
  /** As its image tag says; the newest known where that names no release. */
  readonly version: IstioVersion;
  /** ConfigMap that carries the bundle; undefined where a ClusterTrustBundle does so instead. */
  readonly bundleName?: string;
  readonly discoverySelectors: readonly LabelSelector[];
}

/** A Kubernetes label selector. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

/** A gateway Deployment in Istio's namespace. */
export interface GatewayFacts {
  readonly workload: WorkloadFacts;
  /** `ISTIO_META_NETWORK`. */
  readonly network?: string;
}

/** What an istiod pod presents on its secure port. */
export interface ServedChain {
  /** As sent on the wire, leaf first. */
  readonly chain: readonly CertificateFacts[];
  /** Whether each certificate's signature was made by the next one's key. */
  readonly linked: boolean;
}

/** Facts of the mesh and its work directory. */
export interface MeshFactValues {
  readonly declaration: DeclarationFacts;
  readonly rootKey: RootKeyFacts;
  /** Fingerprints of root-cert.pem at the top of the work directory; empty when there is none. */
  readonly meshRoots: readonly string[];
  readonly fileModes: readonly FileModeFacts[];
}

/** Facts of one cluster. */
export interface ClusterFactValues {
  readonly caFiles: ClusterCaFacts;
  readonly installFile: InstallFileFacts;
  readonly apiVersion: {readonly gitVersion: string; readonly major: number; readonly minor: number};
  /** What was read without being refused; unknown names the first right that is missing. */
  readonly access: {readonly reads: number};
  readonly clusterUid: string;
  readonly cacerts: CacertsFacts | 'absent';
  /** Whether `trust push` would have to restart istiod, by its own rules; true where that cannot be told. */
  readonly restartOnPush: boolean;
  /** Fingerprint of the root that istiod made for itself (Secret istio-ca-secret). */
  readonly selfSignedRoot: CertificateFacts | 'absent';
  readonly pushedTrust: PushedTrust | 'absent';
  readonly bundles: readonly WrittenBundle[];
  readonly namespaces: readonly NamespaceFacts[];
  readonly controlPlanes: readonly ControlPlaneFacts[];
  readonly gateways: readonly GatewayFacts[];
  readonly servedChains: Parts<ServedChain>;
}

export type MeshFactKey = keyof MeshFactValues;
export type ClusterFactKey = keyof ClusterFactValues;
export type FactKey = MeshFactKey | ClusterFactKey;

/** The facts of the mesh, as a list for those that walk them. */
export const meshFactKeys = [
  'declaration',
  'rootKey',
  'meshRoots',
  'fileModes',
] as const satisfies readonly MeshFactKey[];

/** A fact: known, unknown with the reason, or left out because a flag said so. */
export type Fact<T> = Observed<T> | {readonly leftOut: string};

/** The facts gathered, by name. A fact that no selected check needs is not there. */
export type Facts<Values> = {readonly [Key in keyof Values]?: Fact<Values[Key]>};

/** Everything the judge is given. */
export interface Evidence {
  readonly now: Date;
  readonly mesh: Mesh;
  readonly commands: Commands;
  readonly facts: Facts<MeshFactValues>;
  readonly clusters: readonly {readonly cluster: MeshCluster; readonly facts: Facts<ClusterFactValues>}[];
}
