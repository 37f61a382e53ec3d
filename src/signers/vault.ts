import {MeshError} from '../domain/errors.js';
import type {SignerModule} from './signer-module.js';

/** `{type: vault}`. */
export const vaultSigner: SignerModule<'vault'> = {
  survey: () => Promise.reject(new MeshError('SIGNER_UNAVAILABLE', 'not yet')),
};
