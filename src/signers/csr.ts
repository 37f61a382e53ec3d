import {problem} from '../domain/errors.js';
import {advice} from '../domain/suggest/advice.js';
import {kubectlMesh, words} from '../domain/suggest/suggestion.js';
import type {SignerModule} from './signer-module.js';

/** `{type: csr}`: requests go out, signed chains come in. */
export const csrSigner: SignerModule<'csr'> = {
  survey: () => {
    const error = problem(
      'SIGNED_ELSEWHERE',
      "a CA elsewhere signs this mesh's cluster CAs (trust.signer is csr)",
      advice`${kubectlMesh('certs request', words`CLUSTER`)} writes a request for it`,
      advice`${kubectlMesh('certs import', words`CLUSTER FILE`)} takes what it returns`,
    );
    return Promise.resolve({kind: 'elsewhere', error});
  },
};
