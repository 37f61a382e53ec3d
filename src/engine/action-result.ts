/** What each kind of action tells about what it did: for the report, and for the journal's `detail`. JSON values only. */
import type {ActionKind, CreateRootCa, IssuedCertificate, ResealRootKey} from './action.js';

/** How root-key.pem is protected now. */
export interface ResealedKey {
  readonly protection: ResealRootKey['protection'];
  /** SHA-256 of the SubjectPublicKeyInfo: the key is the same. */
  readonly spki: string;
  /** Absent where the key is in the clear. */
  readonly cipher?: string;
  readonly kdf?: string;
}

/**
 * A write of an object: its new version; `foundWritten` where the answer was lost and the object shows that it was
 * written; `validated` in a server dry run, with the reason where the API server could not check.
 */
export type ObjectWritten =
  | {readonly resourceVersion: string}
  | {readonly foundWritten: true}
  | {readonly validated: true}
  | {readonly validated: false; readonly reason: string};

/** Set where the object was gone already. */
export interface ObjectDeleted {
  readonly alreadyGone?: true;
}

/** The result of each kind of action; undefined where the status says everything. */
export interface ActionResults {
  readonly 'write-files': {readonly files: readonly string[]};
  readonly 'remove-files': {readonly removed: readonly string[]};
  readonly 'create-root-ca': IssuedCertificate & {readonly protection: CreateRootCa['protection']};
  readonly 'reseal-root-key': ResealedKey;
  /** `changes`: what the signer made other than was requested; absent where nothing. */
  readonly 'issue-cluster-ca': IssuedCertificate & {readonly changes?: readonly string[]};
  readonly 'request-cluster-ca': {readonly file: string; readonly key: string; readonly publicKey: string};
  /** `files`: the paths that were written. */
  readonly 'import-cluster-ca': IssuedCertificate & {readonly files: readonly string[]};
  readonly 'issue-workload': IssuedCertificate & {readonly spiffeId: string};
  readonly 'put-object': ObjectWritten;
  readonly 'patch-object': ObjectWritten;
  readonly 'delete-object': ObjectDeleted | undefined;
  readonly 'replace-object': ObjectDeleted & ObjectWritten;
  /** SHA-256 of the file that was applied, hexadecimal digits. */
  readonly 'run-istioctl': {readonly installYaml: string};
  readonly 'restart-workload': undefined;
  /** SHA-256 of the cluster CA that every ready istiod presents; undefined where only the bundle was compared. */
  readonly 'await-bundle': {readonly provenLive: string} | undefined;
}

/** The result of an action of one kind. */
export type ResultOf<Kind extends ActionKind> = ActionResults[Kind];
