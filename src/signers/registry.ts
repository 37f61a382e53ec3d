/** Every kind of signer by its type in mesh.yaml. A new one is a module, a line here, and its fields in domain/mesh/signer-schema.ts. */
import type {SignerType} from '../domain/mesh/signer.js';
import type {SignerModule} from './signer-module.js';

/** Loaded at first use. */
export const signerModules: {readonly [Type in SignerType]: () => Promise<SignerModule<Type>>} = {
  local: async () => (await import('./local.js')).localSigner,
  csr: async () => (await import('./elsewhere.js')).csrSigner,
  vault: async () => (await import('./vault.js')).vaultSigner,
  command: async () => (await import('./command.js')).commandSigner,
  cluster: async () => (await import('./cluster.js')).clusterSigner,
  external: async () => (await import('./elsewhere.js')).externalSigner,
};
