import {MeshError, reportError} from '../domain/errors.js';
import type {SignerModule} from './signer-module.js';

/** `{type: csr}`: requests go out, signed chains come in. */
export const csrSigner: SignerModule<'csr'> = {
  survey: () => {
    const error = new MeshError(
      'SIGNED_ELSEWHERE',
      "a CA elsewhere signs this mesh's cluster CAs (trust.signer is csr)",
      {
        hints: [
          'kubectl mesh certs request CLUSTER writes a request for it',
          'kubectl mesh certs import CLUSTER FILE takes what it returns',
        ],
      },
    );
    return Promise.resolve({kind: 'elsewhere', error: reportError(error)});
  },
};
