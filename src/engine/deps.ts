import type {Signers} from '../signers/signers.js';
import type {Git} from '../tools/git.js';
import type {Istioctl} from '../tools/istioctl.js';
import type {Clusters} from '../tools/kubectl/api.js';
import type {HttpProbe} from '../tools/http-probe.js';
import type {TlsProbe} from '../tools/tls-probe.js';
import type {Workspace} from '../workspace/workspace.js';
import type {SignerSpec} from '../domain/mesh/signer.js';
import type {Sensitive} from '../domain/sensitive.js';

/** Where the root key's passphrase comes from (docs/certificates.md). Asked at most once per run. */
export interface PassphraseSource {
  /** False when there is neither a source nor a terminal: callers refuse with `PASSPHRASE_NEEDED` before they plan. */
  readonly available: boolean;
  /**
   * The passphrase. `purpose` decides the prompt: a new one is asked for twice on a terminal. Throws
   * `PASSPHRASE_NEEDED`, `FILE_MISSING`, `TOOL_FAILED` (passphrase command), `INTERRUPTED`.
   */
  get(purpose: 'new' | 'existing'): Promise<Sensitive<string>>;
}

/** The person at the terminal, if there is one. */
export interface Terminal {
  /** Standard input and standard error are a terminal. */
  readonly interactive: boolean;
  /** Asks on standard error; false for no. */
  confirm(question: string): Promise<boolean>;
}

/** Everything outside the program, made once by `cli/deps.ts`. Gather reads through it, effects write through it. */
export interface Deps {
  readonly workspace: Workspace;
  /** Where the signer's root-key.pem is kept: the work directory itself, or another one (`--root-dir`). */
  rootStore(signer: SignerSpec): Workspace;
  readonly clusters: Clusters;
  readonly istioctl: Istioctl;
  readonly git: Git;
  readonly tls: TlsProbe;
  readonly http: HttpProbe;
  readonly passphrases: PassphraseSource;
  /** What `certs passphrase` sets: a source of its own, since the key is opened with the other one. */
  readonly newPassphrases: PassphraseSource;
  readonly signers: Signers;
  readonly terminal: Terminal;
  /** Process environment as seen at start, for `--from-env` and the guide's variables. */
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly now: () => Date;
  /** Resolves after so many milliseconds. Throws what the run was aborted with. */
  sleep(milliseconds: number): Promise<void>;
  /** Aborts on Ctrl-C and at `--timeout`. */
  readonly signal: AbortSignal;
}
