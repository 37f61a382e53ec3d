import {MeshError} from '../domain/errors.js';
import type {SignerModule} from './signer-module.js';

/** `{type: command}`. */
export const commandSigner: SignerModule<'command'> = {
  survey: () => Promise.reject(new MeshError('SIGNER_UNAVAILABLE', 'not yet')),
};
