/** What a kind of signer brings: a file each, a line in `signers.ts`. */
import type {ErrorReport} from '../domain/errors.js';
import type {SignerSpecOf, SignerType, SignerSpec} from '../domain/mesh/signer.js';
import type {Certificate, Signer} from '../domain/x509/certificate.js';
import type {Issuer} from '../domain/ca/issuer.js';
import type {Sensitive} from '../domain/sensitive.js';
import type {Clusters} from '../tools/kubectl/api.js';
import type {Runner} from '../tools/runner.js';
import type {Workspace} from '../workspace/workspace.js';

/** What a signer amounts to before anything is signed. */
export type SignerState =
  /** The key is (or would be) a file: {@link import('../domain/ca/workdir-state.js').judgeRoot} tells the rest. */
  | {
      readonly kind: 'key-file';
      /** As people know it: `root-key.pem`, `/media/stick/root-key.pem`. */
      readonly keyPath: string;
      readonly key: Sensitive<string> | undefined;
      /** There is no directory where the key is kept: unplugged. */
      readonly directoryMissing?: boolean;
      /** root-cert.pem beside a key that is kept elsewhere. */
      readonly certificate: string | undefined;
      /** The signing CA and what stands above it, where `certificate` names them. */
      readonly certificates: readonly Certificate[];
    }
  /** It can sign: its CA, then what stands above it as far as it knows. `what` names it in messages. */
  | {readonly kind: 'ready'; readonly what: string; readonly upward: readonly Certificate[]}
  /** It can sign and has no certificate yet: it can make the mesh's root. */
  | {readonly kind: 'rootless'; readonly what: string}
  /** `certs generate` has nothing to issue with it; the error says what to do instead. */
  | {readonly kind: 'elsewhere'; readonly error: ErrorReport};

/** The world, as far as signers need it. */
export interface SignerContext {
  readonly workspace: Workspace;
  /** Where a local root key is kept: the work directory, or another one. */
  rootStore(spec: SignerSpec): Workspace;
  readPassphrase(): Promise<Sensitive<string>>;
  readonly clusters: Clusters;
  runner(): Promise<Runner>;
  /** Present where a person may be asked: what programs of theirs say, once drawing has stopped. */
  readonly terminal?: {rest(): Promise<void>; write(text: string): void} | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Variables that hold a secret (`domain/mesh/vault-variables.ts`), by name: they are in {@link environment} no more. */
  readonly environmentSecrets: ReadonlyMap<string, Sensitive<string>>;
  /** Is done when the run ends, however it ends: giving back a token that a login made. */
  onDispose(task: () => Promise<void>): void;
  readonly now: () => Date;
  readonly signal: AbortSignal;
}

/** One kind of signer. */
export interface SignerModule<Type extends SignerType> {
  /**
   * Looks, without signing and without asking for a passphrase: dry runs do it, too. Throws what kept it from looking
   * (`SIGNER_UNAVAILABLE`, `SIGNER_REFUSED`, `FORBIDDEN`, `WORKDIR_CONFLICT`, …).
   */
  survey(spec: SignerSpecOf<Type>, context: SignerContext): Promise<SignerState>;
  /** Opens it for issuing. Absent: {@link SignerState} is always `elsewhere`. */
  open?(spec: SignerSpecOf<Type>, context: SignerContext): Promise<Issuer>;
  /** The bare signer, for making the root with it. Absent: it never is `rootless`. */
  rootSigner?(spec: SignerSpecOf<Type>, context: SignerContext): Promise<Signer>;
}
