/** What signs and makes keys during one run. Made once by `cli/deps.ts`. */
import type {KeyObject} from 'node:crypto';
import type {KeyAlgorithm} from '../domain/mesh/mesh.js';
import {generateKey} from '../domain/pki/keys.js';
import type {CertificateAuthority} from '../domain/pki/signer.js';
import type {Sensitive} from '../domain/sensitive.js';
import type {Workspace} from '../workspace/workspace.js';
import {openLocalAuthority} from './local.js';

/** The mesh's signers and the keys being made. */
export interface Signers {
  /**
   * The CA that signs cluster CAs. Opened at first use and once per run: deriving the root key's secret takes a third of a
   * second. Throws `FILE_MISSING`, `WORKDIR_CONFLICT`, `WRONG_PASSPHRASE`, `PASSPHRASE_NEEDED`.
   */
  authority(): Promise<CertificateAuthority>;
  /** Starts making a key for `owner` on another thread, for {@link takeKey} to pick up. Does not wait for the key. */
  startKey(owner: string, algorithm: KeyAlgorithm): Promise<void>;
  /** The private key of `owner`: the one that was started, else one made now. Each key is handed out once. */
  takeKey(owner: string, algorithm: KeyAlgorithm): Promise<KeyObject>;
}

/** What signers are made from. */
export interface SignersOptions {
  readonly workspace: Workspace;
  readonly askPassphrase: () => Promise<Sensitive<string>>;
}

/** Makes the signers of one run. */
export function createSigners({workspace, askPassphrase}: SignersOptions): Signers {
  let authority: Promise<CertificateAuthority> | undefined;
  const started = new Map<string, Promise<KeyObject>>();
  const idOf = (owner: string, algorithm: KeyAlgorithm): string => `${algorithm} ${owner}`;
  return {
    authority: () => (authority ??= openLocalAuthority(workspace, askPassphrase)),
    startKey(owner, algorithm) {
      const key = generateKey(algorithm);
      // Whoever takes it sees the error; until then it must not end the process as an unhandled rejection.
      key.catch(() => undefined);
      started.set(idOf(owner, algorithm), key);
      return Promise.resolve();
    },
    async takeKey(owner, algorithm) {
      const id = idOf(owner, algorithm);
      const key = started.get(id) ?? generateKey(algorithm);
      started.delete(id);
      return key;
    },
  };
}
