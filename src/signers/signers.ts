/** The signers and key generation of one run. Created once by `cli/deps.ts`. */
import {memoizeByKey} from '../domain/memoize.js';
import type {KeyObject} from 'node:crypto';
import {MeshError} from '../domain/errors.js';
import {type KeyAlgorithm} from '../domain/keys/keys.js';
import {requireConfirmed} from './confirmation.js';
import {generateKey} from './keys.js';
import type {SignerSpec, SignerType} from '../domain/mesh/signer.js';
import type {Issuer} from '../domain/ca/issuer.js';
import type {Signer} from '../domain/x509/certificate.js';
import type {SignerContext, SignerModule, SignerState} from './signer-module.js';

/** The mesh's signers and the keys being generated. */
export type Signers = ReturnType<typeof createSigners>;

/** Signers by type, loaded at first use. A new type needs a module, a line here, and its fields in signer-schema.ts. */
const signerModules: {readonly [Type in SignerType]: () => Promise<SignerModule<Type>>} = {
  local: async () => (await import('./local.js')).localSigner,
  csr: async () => (await import('./external-ca.js')).csrSigner,
  vault: async () => (await import('./vault.js')).vaultSigner,
  command: async () => (await import('./command.js')).commandSigner,
  cluster: async () => (await import('./cluster.js')).clusterSigner,
  external: async () => (await import('./external-ca.js')).externalSigner,
};

async function moduleOf(spec: SignerSpec): Promise<SignerModule<SignerType>> {
  // The table is typed by type; TypeScript cannot track the correlation between a declaration and its entry.
  return (await signerModules[spec.type]()) as SignerModule<SignerType>;
}

/** Creates the signers of one run. */
export function createSigners(context: SignerContext) {
  const started = new Map<string, Promise<KeyObject>>();
  const idOf = (owner: string, algorithm: KeyAlgorithm): string => `${algorithm} ${owner}`;
  const once = <T>(run: (spec: SignerSpec) => Promise<T>) => memoizeByKey(run, (spec) => JSON.stringify(spec));
  const confirmed = once((spec) => requireConfirmed(spec, context));
  /** The module of a signer that may be used in this run: the only access to modules that run or contact something. */
  const allowed = async (spec: SignerSpec): Promise<SignerModule<SignerType>> => {
    const module = await moduleOf(spec);
    if (context.dryRun && module.surveyLocally)
      throw new MeshError('INTERNAL', `a dry run used the ${spec.type} signer`);
    await confirmed(spec);
    return module;
  };
  const issuer = once(async (spec: SignerSpec): Promise<Issuer> => {
    const module = await allowed(spec);
    if (module.open) return module.open(spec, context);
    throw new MeshError('SIGNED_ELSEWHERE', `a signer of type ${spec.type} does not issue certificates`);
  });
  return {
    /**
     * Determines the signer's state without signing; in a dry run without running or contacting anything that mesh.yaml
     * names. Throws like {@link SignerModule.survey} and {@link requireConfirmed}.
     */
    async survey(spec: SignerSpec): Promise<SignerState> {
      const what = context.dryRun ? await (await moduleOf(spec)).surveyLocally?.(spec, context) : undefined;
      if (what !== undefined) return {kind: 'unchecked', what};
      return (await allowed(spec)).survey(spec, context);
    },
    /**
     * Returns the issuer of cluster CAs. Opened at first use and once per run: decrypting the root key takes a third of
     * a second, a login needs a server. Throws `FILE_MISSING`, `WORKDIR_CONFLICT`, `WRONG_PASSPHRASE`,
     * `PASSPHRASE_NEEDED`, `SIGNED_ELSEWHERE`, `SIGNER_REFUSED`, `SIGNER_UNAVAILABLE`, `MESH_YAML_NOT_TRUSTED`.
     */
    issuer,
    /** Returns the raw signer, to create the root with a key that is not a file. Throws like `issuer`. */
    async rootSigner(spec: SignerSpec): Promise<Signer> {
      const module = await allowed(spec);
      if (!module.rootSigner) throw new MeshError('INTERNAL', `a signer of type ${spec.type} cannot create a root`);
      return module.rootSigner(spec, context);
    },
    /** Starts generating a key for `owner` on another thread, for `takeKey`. Does not wait for the key. */
    startKey(owner: string, algorithm: KeyAlgorithm): Promise<void> {
      const key = generateKey(algorithm);
      // `takeKey` reports the error; until then it must not end the process as an unhandled rejection.
      key.catch(() => undefined);
      started.set(idOf(owner, algorithm), key);
      return Promise.resolve();
    },
    /** Returns the private key of `owner`: the one that was started, otherwise a new one. Returns each key only once. */
    async takeKey(owner: string, algorithm: KeyAlgorithm): Promise<KeyObject> {
      const id = idOf(owner, algorithm);
      const key = started.get(id) ?? generateKey(algorithm);
      started.delete(id);
      return key;
    },
  };
}
