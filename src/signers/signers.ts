/** What signs and makes keys during one run. Made once by `cli/deps.ts`. */
import {memoizeByKey} from '../domain/memoize.js';
import type {KeyObject} from 'node:crypto';
import {MeshError} from '../domain/errors.js';
import {type KeyAlgorithm} from '../domain/keys/keys.js';
import {generateKey} from './keys.js';
import type {SignerSpec, SignerType} from '../domain/mesh/signer.js';
import type {Issuer} from '../domain/ca/issuer.js';
import type {Signer} from '../domain/x509/certificate.js';
import type {SignerContext, SignerModule, SignerState} from './signer-module.js';

/** The mesh's signers and the keys being made. */
export type Signers = ReturnType<typeof createSigners>;

/** Every kind of signer by its type in mesh.yaml, loaded at first use. A new one is a module, a line here, and its fields in domain/mesh/signer-schema.ts. */
const signerModules: {readonly [Type in SignerType]: () => Promise<SignerModule<Type>>} = {
  local: async () => (await import('./local.js')).localSigner,
  csr: async () => (await import('./external-ca.js')).csrSigner,
  vault: async () => (await import('./vault.js')).vaultSigner,
  command: async () => (await import('./command.js')).commandSigner,
  cluster: async () => (await import('./cluster.js')).clusterSigner,
  external: async () => (await import('./external-ca.js')).externalSigner,
};

async function moduleOf(spec: SignerSpec): Promise<SignerModule<SignerType>> {
  // The table is typed by type; TypeScript cannot follow the correlation between a declaration and its own entry.
  return (await signerModules[spec.type]()) as SignerModule<SignerType>;
}

/** Makes the signers of one run. */
export function createSigners(context: SignerContext) {
  const started = new Map<string, Promise<KeyObject>>();
  const idOf = (owner: string, algorithm: KeyAlgorithm): string => `${algorithm} ${owner}`;
  const issuer = memoizeByKey(
    async (spec: SignerSpec): Promise<Issuer> => {
      const module = await moduleOf(spec);
      if (module.open) return module.open(spec, context);
      throw new MeshError('SIGNED_ELSEWHERE', `a signer of type ${spec.type} issues nothing by itself`);
    },
    (spec) => JSON.stringify(spec),
  );
  return {
    /** What the signer amounts to, without signing. Throws what kept it from looking (`signer-module.ts`). */
    survey: async (spec: SignerSpec): Promise<SignerState> => (await moduleOf(spec)).survey(spec, context),
    /**
     * What issues cluster CAs. Opened at first use and once per run: deriving the root key's secret takes a third of a
     * second, logging in asks a server. Throws `FILE_MISSING`, `WORKDIR_CONFLICT`, `WRONG_PASSPHRASE`, `PASSPHRASE_NEEDED`,
     * `SIGNED_ELSEWHERE`, `SIGNER_REFUSED`, `SIGNER_UNAVAILABLE`.
     */
    issuer,
    /** The bare signer, for making the root with a key that is no file. Throws like `issuer`. */
    async rootSigner(spec: SignerSpec): Promise<Signer> {
      const module = await moduleOf(spec);
      if (!module.rootSigner) throw new MeshError('INTERNAL', `a signer of type ${spec.type} makes no roots`);
      return module.rootSigner(spec, context);
    },
    /** Starts making a key for `owner` on another thread, for `takeKey` to pick up. Does not wait for the key. */
    startKey(owner: string, algorithm: KeyAlgorithm): Promise<void> {
      const key = generateKey(algorithm);
      // Whoever takes it sees the error; until then it must not end the process as an unhandled rejection.
      key.catch(() => undefined);
      started.set(idOf(owner, algorithm), key);
      return Promise.resolve();
    },
    /** The private key of `owner`: the one that was started, else one made now. Each key is handed out once. */
    async takeKey(owner: string, algorithm: KeyAlgorithm): Promise<KeyObject> {
      const id = idOf(owner, algorithm);
      const key = started.get(id) ?? generateKey(algorithm);
      started.delete(id);
      return key;
    },
  };
}
