import {MeshError} from '../domain/errors.js';
import type {SignerModule} from './signer-module.js';

/** `{type: cluster}`. */
export const clusterSigner: SignerModule<'cluster'> = {
  survey: () => Promise.reject(new MeshError('SIGNER_UNAVAILABLE', 'not yet')),
};
