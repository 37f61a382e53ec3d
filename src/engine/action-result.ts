/** The result of each kind of action, for the report and for the journal's `detail`. JSON values only. */
import type {LinkChange} from '../domain/discovery/decide-link.js';
import type {ClusterServices} from '../domain/discovery/lost-endpoints.js';
import type {ErrorReport} from '../domain/errors.js';
import type {TrafficFacts} from '../domain/facts/facts.js';
import type {CertificateRef} from '../domain/x509/describe.js';
import type {ActionKind, CreateRootCa, ResealRootKey} from './action.js';

/** The new protection of root-key.pem. */
export interface ResealedKey {
  readonly protection: ResealRootKey['protection'];
  /** SHA-256 of the SubjectPublicKeyInfo, which stays the same. */
  readonly spki: string;
  /** Absent if the key is not encrypted. */
  readonly cipher?: string;
  readonly kdf?: string;
}

/**
 * The result of writing an object: its new version; `foundWritten` if the response was lost and reading the object back
 * shows the write; `validated` in a server dry run, with a reason if the API server could not check it.
 */
export type ObjectWritten =
  | {readonly resourceVersion: string}
  | {readonly foundWritten: true}
  | {readonly validated: true}
  | {readonly validated: false; readonly reason: string};

/** `alreadyGone` is set if the object did not exist. */
export interface ObjectDeleted {
  readonly alreadyGone?: true;
}

/** The result for one peer of a reader. */
export interface PeerResult {
  readonly peer: string;
  /**
   * `read`: every istiod pod has read it, although the previous token may not be revoked. Otherwise, see `error`: `failed`: nothing
   * was written; `restored`: the previous remote secret is in place again, or the new one deleted; `written`: the new one is in place,
   * or may be.
   */
  readonly status: 'read' | 'failed' | 'restored' | 'written';
  /** What was, or was to be, done with the remote secret; absent if it was only to be read. */
  readonly change?: LinkChange;
  /** When the new token expires (RFC 3339); absent without a new one, or if it does not expire. */
  readonly tokenExpires?: string;
  /** The cluster that is the cause, and the error. */
  readonly at?: string;
  readonly error?: ErrorReport;
}

/** What requests of one client pod to the echo pods of a cluster led to, or why none could be sent. */
export type RequestResult =
  {readonly cluster: string; readonly traffic: TrafficFacts} | {readonly cluster: string; readonly error: ErrorReport};

/** The result for a reader: one for each of its peers. */
export interface DiscoveryResult {
  readonly peers: readonly PeerResult[];
}

/** The result of each kind of action; undefined if the status is all there is to report. */
export interface ActionResults {
  readonly 'write-files': {readonly files: readonly string[]};
  readonly 'remove-files': {readonly removed: readonly string[]};
  readonly 'create-root-ca': CertificateRef & {readonly protection: CreateRootCa['protection']};
  readonly 'reseal-root-key': ResealedKey;
  /** `changes`: differences between the request and the issued certificate; absent if there are none. */
  readonly 'issue-cluster-ca': CertificateRef & {readonly changes?: readonly string[]};
  readonly 'request-cluster-ca': {readonly file: string; readonly key: string; readonly publicKey: string};
  /** `files`: the paths written. */
  readonly 'import-cluster-ca': CertificateRef & {readonly files: readonly string[]};
  readonly 'issue-workload': CertificateRef & {readonly spiffeId: string};
  readonly 'put-object': ObjectWritten;
  readonly 'patch-object': ObjectWritten;
  readonly 'delete-object': ObjectDeleted | undefined;
  readonly 'replace-object': ObjectDeleted & ObjectWritten;
  /** SHA-256 of the applied file, in hexadecimal. */
  readonly 'run-istioctl': {readonly installYaml: string};
  readonly 'restart-workload': undefined;
  /** SHA-256 of the cluster CA that every ready istiod presents; undefined if only the bundle was compared. */
  readonly 'await-bundle': {readonly provenLive: string} | undefined;
  readonly 'await-address': {readonly addresses: readonly string[]};
  /** The pods that were read, and how many services of each other cluster they still have. */
  readonly 'await-unlinked': {readonly pods: readonly string[]; readonly kept: readonly ClusterServices[]};
  readonly 'write-manifests': {readonly files: readonly string[]};
  readonly 'link-peers': DiscoveryResult;
  readonly 'await-discovery': DiscoveryResult;
  /** The names of the ready pods. */
  readonly 'deploy-traffic': {readonly pods: {readonly echo: readonly string[]; readonly client: readonly string[]}};
  readonly 'send-requests': {readonly targets: readonly RequestResult[]};
  readonly 'remove-traffic': undefined;
}

/** The result of an action of one kind. */
export type ResultOf<Kind extends ActionKind> = ActionResults[Kind];
