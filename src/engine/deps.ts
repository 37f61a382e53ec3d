import type {MeshError} from '../domain/errors.js';
import type {Signers} from '../signers/signers.js';
import type {Git} from '../tools/git.js';
import type {Istioctl} from '../tools/istioctl.js';
import type {Clusters} from '../tools/kubectl/api.js';
import type {HttpProbe} from '../tools/http-probe.js';
import type {TlsProbe} from '../tools/tls-probe.js';
import type {Workspace} from '../workspace/workspace.js';
import type {SignerSpec} from '../domain/mesh/signer.js';
import type {Sensitive} from '../domain/sensitive.js';

/** The source of the root key's passphrase (docs/certificates.md). Reads it once per run, unless it is wrong. */
export interface PassphraseSource {
  /** False without a source and without a terminal: callers refuse with `PASSPHRASE_NEEDED` before planning. */
  readonly available: boolean;
  /**
   * Returns the passphrase of the key at `path`. `purpose` selects the prompt: a new passphrase is entered twice on a
   * terminal. Throws `PASSPHRASE_NEEDED`, `FILE_MISSING`, `TOOL_FAILED` (passphrase command), `INTERRUPTED`.
   */
  get(purpose: 'new' | 'existing', path: string): Promise<Sensitive<string>>;
  /** After a wrong passphrase: whether `get` prompts for another one. Prompts at most three times in a run. */
  retry(wrong: MeshError): boolean;
  /** Whether it is not available because its variable is set and empty. */
  readonly emptyVariable?: boolean | undefined;
  /** The flag that specifies the source, if any. */
  readonly flag?: string | undefined;
}

/** The user's terminal, if one is attached. */
export interface Terminal {
  /** Whether standard input and standard error are a terminal. */
  readonly interactive: boolean;
  /** Prompts on standard error; returns whether the user confirmed. */
  confirm(question: string): Promise<boolean>;
}

/** Everything outside the program, created once by `cli/deps.ts`. Gather reads through it, effects write through it. */
export interface Deps {
  readonly workspace: Workspace;
  /** The directory of the signer's root-key.pem: the work directory, or another one (`--root-dir`). */
  rootStore(signer: SignerSpec): Workspace;
  readonly clusters: Clusters;
  readonly istioctl: Istioctl;
  readonly git: Git;
  readonly tls: TlsProbe;
  readonly http: HttpProbe;
  readonly passphrases: PassphraseSource;
  /** The new passphrase of `certs passphrase`: a separate source, because the other one opens the key. */
  readonly newPassphrases: PassphraseSource;
  readonly signers: Signers;
  readonly terminal: Terminal;
  /** The process environment at start, for `--from-env` and the guide's variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  /** Resolves after this many milliseconds. Throws the abort reason of the run. */
  sleep(milliseconds: number): Promise<void>;
  /** Aborts on Ctrl-C and at `--timeout`. */
  readonly signal: AbortSignal;
}
