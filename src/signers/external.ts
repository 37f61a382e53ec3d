import {MeshError, reportError} from '../domain/errors.js';
import type {SignerModule} from './signer-module.js';

/** `{type: external}`: istio-csr, SPIRE or Kubernetes' own CSR API give workloads their certificates; istiod has no CA. */
export const externalSigner: SignerModule<'external'> = {
  survey: ({issuer}) => {
    const error = new MeshError(
      'SIGNED_ELSEWHERE',
      `${issuer} issues this mesh's certificates: no cluster has a CA of its own`,
      {
        hints: ['Nothing is to be generated or pushed: go on with kubectl mesh install render'],
      },
    );
    return Promise.resolve({kind: 'elsewhere', error: reportError(error)});
  },
};
