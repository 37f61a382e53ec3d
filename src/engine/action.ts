import type {CaFiles} from '../domain/ca/ca-files.js';
import type {KubeObject, ObjectRef} from '../domain/kube/object.js';
import type {KeyAlgorithm} from '../domain/keys/keys.js';
import type {MeshNames} from '../domain/mesh/mesh.js';
import type {SignerSpec} from '../domain/mesh/signer.js';
import type {Sensitive} from '../domain/sensitive.js';
import type {CertificateRef} from '../domain/x509/describe.js';
import type {Hint} from '../domain/suggest/suggestion.js';
import type {FileContent} from '../workspace/workspace.js';
import type {ActionBase, ClusterAction} from './action-base.js';
import type {AwaitDiscovery, AwaitUnlinked, LinkPeers} from './discovery-action.js';
import type {DeployTraffic, RemoveTraffic, SendRequests} from './traffic-action.js';

/** The additional fields of object writes. */
interface ObjectWrite extends ClusterAction {
  /**
   * Annotates the object with the journal entry of this write, so that truncating or rewriting the journal can be
   * detected (docs/audit.md).
   */
  readonly recordsJournalHead?: boolean;
}

/** Writes files, all or none: a set of several files goes through `.pending` (docs/work-directory.md). */
export interface WriteFiles extends ActionBase {
  readonly kind: 'write-files';
  readonly files: readonly FileContent[];
}

/** Creates the mesh's root CA: root-key.pem and root-cert.pem; only the certificate if a program holds the key. */
export interface CreateRootCa extends ActionBase {
  readonly kind: 'create-root-ca';
  /** The signer that will use this root. */
  readonly signer: SignerSpec;
  readonly algorithm: KeyAlgorithm;
  readonly validityDays: number;
  /** Part of the root's CN if mesh.yaml declares a mesh ID. */
  readonly meshID?: string;
  /** `encrypted` requires a passphrase; `clear` is `--no-passphrase`; `elsewhere`: the key is never a file. */
  readonly protection: 'encrypted' | 'clear' | 'elsewhere';
  /** Keys that the next group needs, generated in parallel with the root key to use all cores. */
  readonly keysAhead?: readonly {readonly cluster: string; readonly algorithm: KeyAlgorithm}[];
}

/** Re-encrypts root-key.pem with a new passphrase, a higher work factor, or both; `clear` is `--no-passphrase`. */
export interface ResealRootKey extends ActionBase {
  readonly kind: 'reseal-root-key';
  /** Determines where the key is stored. */
  readonly signer: SignerSpec;
  /** The key's path as shown to the user. */
  readonly path: string;
  readonly protection: 'encrypted' | 'clear';
}

/** Issues a cluster CA: generates its key, has the mesh's signer sign the certificate, writes the cluster's four files. */
export interface IssueClusterCa extends ActionBase {
  readonly kind: 'issue-cluster-ca';
  readonly cluster: string;
  readonly signer: SignerSpec;
  readonly algorithm: KeyAlgorithm;
  readonly validityDays: number;
  /** The names that the constraints of the CAs above must permit. */
  readonly names: MeshNames;
}

/** Generates a key and a request for a cluster CA that an external CA signs: the two files of CLUSTER/request. */
export interface RequestClusterCa extends ActionBase {
  readonly kind: 'request-cluster-ca';
  readonly cluster: string;
  readonly algorithm: KeyAlgorithm;
  /** Keeps the existing key and creates only the request. */
  readonly keepKey: boolean;
}

/**
 * Imports a cluster CA that an external CA signed: writes the cluster's four files as one set, then removes the
 * request. A run that is killed in between leaves both, and the next import removes the completed request.
 */
export interface ImportClusterCa extends ActionBase {
  readonly kind: 'import-cluster-ca';
  readonly cluster: string;
  /** Empty if they are already in place. */
  readonly files: readonly FileContent[];
  /** The files of the request, removed afterwards; missing ones are ignored. */
  readonly requestFiles: readonly string[];
  /** The certificate's details for the journal. */
  readonly certificate: CertificateRef;
}

/** Issues a workload certificate with a new key, signed by the cluster's CA key on disk, and writes its three files. */
export interface IssueWorkload extends ActionBase {
  readonly kind: 'issue-workload';
  readonly cluster: string;
  /** The files of the signing CA, with its key. */
  readonly caFiles: CaFiles;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly trustDomain: string;
  readonly algorithm: KeyAlgorithm;
  /** Milliseconds. */
  readonly validityMs: number;
}

/** Creates an object, or replaces it at the resourceVersion in the plan. */
export interface PutObject extends ObjectWrite {
  readonly kind: 'put-object';
  /** Replaces the object if `metadata.resourceVersion` is set. */
  readonly object: KubeObject;
  /** A Secret's data, added to the object only in the effect. */
  readonly secretData?: Readonly<Record<string, Sensitive<Buffer>>>;
}

/** Patches an object with a merge patch (an object) or a JSON patch (an array). */
export interface PatchObject extends ObjectWrite {
  readonly kind: 'patch-object';
  readonly ref: ObjectRef;
  readonly patch: object;
}

/** Deletes an object if it has not changed since the plan was made. */
export interface DeleteObject extends ClusterAction {
  readonly kind: 'delete-object';
  readonly ref: ObjectRef;
  readonly preconditions: {readonly uid?: string; readonly resourceVersion?: string};
}

/**
 * Deletes and re-creates an object that cannot be changed in place, as one action: an interruption between the two
 * would leave the cluster without the object.
 */
export interface ReplaceObject extends ObjectWrite, Pick<PutObject, 'object' | 'secretData'> {
  readonly kind: 'replace-object';
  /** Apply to the deleted object. The new `object` has the same name and no `metadata.resourceVersion`. */
  readonly preconditions: DeleteObject['preconditions'];
  /** Hints for the case that the object was deleted and the new one could not be created. */
  readonly recoveryHints: readonly Hint[];
}

/**
 * Applies an IstioOperator file of the work directory with istioctl. The file is compared with the planned one just
 * before istioctl reads it; if istioctl fails, the pods that are not ready are collected.
 */
export interface RunIstioctl extends ClusterAction {
  readonly kind: 'run-istioctl';
  /** Arguments without `-f`, context and kubeconfig. */
  readonly args: readonly string[];
  /** The file to apply, relative to the work directory. */
  readonly file: string;
  /** SHA-256 of the planned file, in hexadecimal. */
  readonly fileSha256: string;
  /** Istio's namespace, whose pods are checked if istioctl fails. */
  readonly namespace: string;
  /** Timeout for istioctl itself; longer than its own `--readiness-timeout`. */
  readonly timeoutMs: number;
}

/** Restarts a Deployment as `kubectl rollout restart` does, and waits until the new pods are ready. */
export interface RestartWorkload extends ClusterAction {
  readonly kind: 'restart-workload';
  readonly ref: ObjectRef;
  readonly timeoutMs: number;
}

/** Waits until the Service of an east-west gateway has an address. */
export interface AwaitAddress extends ClusterAction {
  readonly kind: 'await-address';
  readonly namespace: string;
  /** The label selector of its Service, and the names that it can have. */
  readonly selector: string;
  readonly serviceNames: readonly string[];
  /** How to give it an address without a load balancer. */
  readonly withoutBalancer: string;
  readonly timeoutMs: number;
}

/** Removes existing files of the work directory: a cluster's key after it was pushed (`keepClusterKeys: false`). */
export interface RemoveFiles extends ActionBase {
  readonly kind: 'remove-files';
  readonly paths: readonly string[];
}

/** Waits until istiod has loaded a CA: until the ConfigMap of its bundle equals root-cert.pem, and its pods present the CA (docs/trust.md). */
export interface AwaitBundle extends ClusterAction {
  readonly kind: 'await-bundle';
  readonly namespace: string;
  readonly bundle: string;
  /** The ConfigMap's name; absent: istiod publishes no bundle in its own namespace, and only the cluster CA is compared. */
  readonly bundleName?: string;
  /** SHA-256 of the cluster CA that every ready istiod pod must then present; absent: only the bundle is compared. */
  readonly caFingerprint?: string;
  readonly timeoutMs: number;
}

/** Writes manifests into a directory that the user named, outside the layout of the work directory. */
export interface WriteManifests extends ActionBase {
  readonly kind: 'write-manifests';
  /** Absolute. */
  readonly directory: string;
  readonly files: readonly {readonly path: string; readonly text: string}[];
}

/** Every side effect of this program. One interpreter executes them: `engine.ts` with `effects/`. */
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
  | AwaitBundle
  | AwaitAddress
  | AwaitUnlinked
  | WriteManifests
  | LinkPeers
  | AwaitDiscovery
  | DeployTraffic
  | SendRequests
  | RemoveTraffic;

export type ActionKind = Action['kind'];
/** The action of one kind. */
export type ActionOf<Kind extends ActionKind> = Extract<Action, {kind: Kind}>;
