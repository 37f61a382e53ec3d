import type {CaFiles} from '../domain/ca/ca-files.js';
import type {KubeObject, ObjectRef} from '../domain/kube/object.js';
import type {KeyAlgorithm} from '../domain/keys/keys.js';
import type {MeshNames} from '../domain/mesh/mesh.js';
import type {SignerSpec} from '../domain/mesh/signer.js';
import type {Sensitive} from '../domain/sensitive.js';
import type {CertificateInShort} from '../domain/x509/describe.js';
import type {Hint} from '../domain/suggest/suggestion.js';
import type {FileContent} from '../workspace/workspace.js';

/** What every action has. */
interface ActionBase {
  /** Unique in its plan and stable between runs: `cluster1/cacerts`. Stands in the journal. */
  readonly id: string;
  readonly cluster?: string;
  /** What it does, for people, without the cluster's name: "replace Secret istio-system/cacerts". */
  readonly title: string;
  /** Set when something is replaced or deleted that a person must agree to (docs/architecture.md): what would be lost. */
  readonly confirm?: string;
}

/** What every action in a cluster has in addition. */
interface ClusterAction extends ActionBase {
  readonly cluster: string;
  readonly context: string;
}

/** What a write of an object may have. */
interface ObjectWrite extends ClusterAction {
  /**
   * The object is to carry the journal's entry of this write as an annotation, so that cutting or rewriting the journal
   * shows (docs/audit.md).
   */
  readonly recordsJournalHead?: boolean;
}

/** Writes files, all or none: a set that belongs together goes through `.pending` (docs/work-directory.md). */
export interface WriteFiles extends ActionBase {
  readonly kind: 'write-files';
  readonly files: readonly FileContent[];
}

/** Creates the mesh's root CA: root-key.pem and root-cert.pem; the certificate alone where a program holds the key. */
export interface CreateRootCa extends ActionBase {
  readonly kind: 'create-root-ca';
  /** Whose root it will be. */
  readonly signer: SignerSpec;
  readonly algorithm: KeyAlgorithm;
  readonly validityDays: number;
  /** Part of the root's CN where the mesh is declared. */
  readonly meshID?: string;
  /** `encrypted` asks the passphrase source; `clear` is `--no-passphrase`; `elsewhere`: the key never is a file. */
  readonly protection: 'encrypted' | 'clear' | 'elsewhere';
  /** Keys the next group will need: they are made at the same time, so that no core waits for the root's. */
  readonly keysAhead?: readonly {readonly cluster: string; readonly algorithm: KeyAlgorithm}[];
}

/** Encrypts root-key.pem anew: another passphrase, a higher work factor, or both; `clear` is `--no-passphrase`. */
export interface ResealRootKey extends ActionBase {
  readonly kind: 'reseal-root-key';
  /** Says where the key is kept. */
  readonly signer: SignerSpec;
  /** The key's path as people know it. */
  readonly path: string;
  readonly protection: 'encrypted' | 'clear';
}

/** Makes a key and a certificate for one cluster's CA, signed by the mesh's signer, and writes the cluster's four files. */
export interface IssueClusterCa extends ActionBase {
  readonly kind: 'issue-cluster-ca';
  readonly cluster: string;
  readonly signer: SignerSpec;
  readonly algorithm: KeyAlgorithm;
  readonly validityDays: number;
  /** What constraints of the CAs above must allow. */
  readonly names: MeshNames;
}

/** Makes a key and a request for one cluster's CA, for a CA elsewhere to sign: the two files of CLUSTER/request. */
export interface RequestClusterCa extends ActionBase {
  readonly kind: 'request-cluster-ca';
  readonly cluster: string;
  readonly algorithm: KeyAlgorithm;
  /** Only the request is made: for the key that lies there. */
  readonly keepKey: boolean;
}

/**
 * Takes what a CA elsewhere made of a request: writes the cluster's four files as one set, then removes the request. A run
 * that is killed in between leaves both, and the next import removes the request that was answered.
 */
export interface ImportClusterCa extends ActionBase {
  readonly kind: 'import-cluster-ca';
  readonly cluster: string;
  /** Empty where they are in their places already. */
  readonly files: readonly FileContent[];
  /** The request's files; missing ones are fine. */
  readonly requestFiles: readonly string[];
  /** What the journal keeps of the certificate. */
  readonly certificate: CertificateInShort;
}

/** Makes a key and a certificate for one workload, signed by the cluster's CA key on disk, and writes its three files. */
export interface IssueWorkload extends ActionBase {
  readonly kind: 'issue-workload';
  readonly cluster: string;
  /** The files of the CA that signs, with its key. */
  readonly caFiles: CaFiles;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly trustDomain: string;
  readonly algorithm: KeyAlgorithm;
  /** Milliseconds. */
  readonly validityMs: number;
}

/** Creates an object, or replaces it at the resourceVersion that the plan saw. */
export interface PutObject extends ObjectWrite {
  readonly kind: 'put-object';
  /** `metadata.resourceVersion` set means replace. */
  readonly object: KubeObject;
  /** Data of a Secret, added to the object only in the effect. */
  readonly secretData?: Readonly<Record<string, Sensitive<Buffer>>>;
}

/** Patches an object: an object is a merge patch, an array a JSON patch. */
export interface PatchObject extends ObjectWrite {
  readonly kind: 'patch-object';
  readonly ref: ObjectRef;
  readonly patch: object;
}

/** Deletes an object if it is still the one the plan saw. */
export interface DeleteObject extends ClusterAction {
  readonly kind: 'delete-object';
  readonly ref: ObjectRef;
  readonly preconditions: {readonly uid?: string; readonly resourceVersion?: string};
}

/**
 * Deletes an object that cannot be changed in place and creates it anew, as one action: between the two the cluster has
 * neither, so an interruption must not come between them.
 */
export interface ReplaceObject extends ObjectWrite, Pick<PutObject, 'object' | 'secretData'> {
  readonly kind: 'replace-object';
  /** Of the object that goes. What comes, `object`, has the same name and no `metadata.resourceVersion`. */
  readonly preconditions: DeleteObject['preconditions'];
  /** What to type when the object is gone and the new one could not be created. */
  readonly recoveryHints: readonly Hint[];
}

/**
 * Applies one IstioOperator file of the work directory with istioctl. The bytes are compared with what the plan saw just
 * before istioctl reads them; what is not ready is gathered when istioctl fails.
 */
export interface RunIstioctl extends ClusterAction {
  readonly kind: 'run-istioctl';
  /** Arguments without `-f`, context and kubeconfig. */
  readonly args: readonly string[];
  /** The file to apply, relative to the work directory. */
  readonly file: string;
  /** SHA-256 of the file's bytes, in hex: what the plan decided on. */
  readonly fileSha256: string;
  /** Istio's namespace, where to look for pods when it fails. */
  readonly namespace: string;
  /** When to end istioctl itself; longer than its own `--readiness-timeout`. */
  readonly timeoutMs: number;
}

/** Restarts a Deployment as `kubectl rollout restart` does, and waits until the new pods are ready. */
export interface RestartWorkload extends ClusterAction {
  readonly kind: 'restart-workload';
  readonly ref: ObjectRef;
  readonly timeoutMs: number;
}

/** Removes files of the work directory that exist: a cluster's key once the cluster holds it (`keepClusterKeys: false`). */
export interface RemoveFiles extends ActionBase {
  readonly kind: 'remove-files';
  readonly paths: readonly string[];
}

/** Waits until the cluster itself shows that istiod loaded a bundle: ConfigMap istio-ca-root-cert equals it (docs/trust.md). */
export interface AwaitBundle extends ClusterAction {
  readonly kind: 'await-bundle';
  readonly namespace: string;
  readonly bundle: string;
  /** SHA-256 of the cluster CA that every ready istiod pod must then present; absent: only the bundle is looked at. */
  readonly caFingerprint?: string;
  readonly timeoutMs: number;
}

/** Everything this program can do to the world. One interpreter acts on it: `engine.ts` with `effects/`. */
export type Action =
  | WriteFiles
  | RemoveFiles
  | CreateRootCa
  | ResealRootKey
  | IssueWorkload
  | IssueClusterCa
  | RequestClusterCa
  | ImportClusterCa
  | PutObject
  | PatchObject
  | DeleteObject
  | ReplaceObject
  | RunIstioctl
  | RestartWorkload
  | AwaitBundle;

export type ActionKind = Action['kind'];
/** The action of one kind. */
export type ActionOf<Kind extends ActionKind> = Extract<Action, {kind: Kind}>;
