/** The interface of a type of signer. Each type has one file, and a line in `signers.ts`. */
import type {ErrorReport, MeshError} from '../domain/errors.js';
import type {SignerSpecOf, SignerType, SignerSpec} from '../domain/mesh/signer.js';
import type {Certificate, Signer} from '../domain/x509/certificate.js';
import type {Issuer} from '../domain/ca/issuer.js';
import type {Sensitive} from '../domain/sensitive.js';
import type {Clusters} from '../tools/kubectl/api.js';
import type {Runner} from '../tools/programs.js';
import type {ConfirmedUses} from '../workspace/confirmed-uses.js';
import type {Workspace} from '../workspace/workspace.js';

/** The state of a signer before anything is signed. */
export type SignerState =
  /** The key is (or will be) a file: {@link import('../domain/ca/workdir-state.js').judgeRoot} determines the rest. */
  | {
      readonly kind: 'key-file';
      /** As shown to the user: `root-key.pem`, `/media/stick/root-key.pem`. */
      readonly keyPath: string;
      readonly key: Sensitive<string> | undefined;
      /** The key's directory does not exist, for example because the drive is not mounted. */
      readonly directoryMissing?: boolean;
      /** root-cert.pem next to a key outside the work directory. */
      readonly certificate: string | undefined;
      /** The signing CA and the certificates above it, if trust.signer.certificate is set. */
      readonly certificates: readonly Certificate[];
    }
  /** It can sign. `upward`: its CA, then the known certificates above it; `what` names it in messages. */
  | {readonly kind: 'ready'; readonly what: string; readonly upward: readonly Certificate[]}
  /** It can sign but has no certificate yet: it can create the mesh's root. */
  | {readonly kind: 'rootless'; readonly what: string}
  /** Not inspected, because a dry run neither runs programs nor contacts servers that mesh.yaml names. */
  | {readonly kind: 'unchecked'; readonly what: string}
  /** `certs generate` cannot issue with it; the error describes the alternative. */
  | {readonly kind: 'elsewhere'; readonly error: ErrorReport};

/** How the user confirms what mesh.yaml makes this machine run or contact (`confirmation.ts`). */
export interface Confirmation {
  /** The value of `--signer`. */
  readonly typed?: SignerSpec | undefined;
  /** `--trust-mesh-yaml`. */
  readonly all: boolean;
  readonly confirmed: ConfirmedUses;
  readonly terminal: {readonly interactive: boolean; confirm(question: string): Promise<boolean>};
  warn(message: string): void;
}

/** The dependencies of signers. */
export interface SignerContext {
  readonly workspace: Workspace;
  readonly dryRun: boolean;
  readonly confirmation: Confirmation;
  /** The directory of a local root key: the work directory, or another one. */
  rootStore(spec: SignerSpec): Workspace;
  /** Reads the passphrase of the key at this path. */
  readPassphrase(path: string): Promise<Sensitive<string>>;
  /** After a wrong passphrase: whether `readPassphrase` prompts for another one. */
  retryPassphrase(wrong: MeshError): boolean;
  readonly clusters: Clusters;
  runner(): Promise<Runner>;
  /** Present on a terminal: shows the messages of the user's programs after progress output has stopped. */
  readonly terminal?: {rest(): Promise<void>; write(text: string): void} | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Variables with secrets (`domain/mesh/vault-variables.ts`), by name: removed from {@link environment}. */
  readonly environmentSecrets: ReadonlyMap<string, Sensitive<string>>;
  /** Registers a task for the end of the run, however it ends: revoking a token that a login created. */
  onDispose(task: () => Promise<void>): void;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** One kind of signer. */
export interface SignerModule<Type extends SignerType> {
  /**
   * Determines the signer's state without signing and without requiring a passphrase. Throws `SIGNER_UNAVAILABLE`,
   * `SIGNER_REFUSED`, `FORBIDDEN`, `WORKDIR_CONFLICT`, ….
   */
  survey(spec: SignerSpecOf<Type>, context: SignerContext): Promise<SignerState>;
  /**
   * For a signer that runs a program or contacts a server: what a dry run does instead of `survey`. Validates what can be
   * validated on this machine, and returns the signer's name. Absent: a dry run uses `survey`.
   */
  surveyLocally?(spec: SignerSpecOf<Type>, context: SignerContext): Promise<string>;
  /** Opens the signer for issuing. Absent: {@link SignerState} is always `elsewhere`. */
  open?(spec: SignerSpecOf<Type>, context: SignerContext): Promise<Issuer>;
  /** Returns the raw signer, to create the root with it. Absent: the state is never `rootless`. */
  rootSigner?(spec: SignerSpecOf<Type>, context: SignerContext): Promise<Signer>;
}
