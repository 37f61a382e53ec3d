import {MeshError, reportError} from '../domain/errors.js';
import {madeElsewhere} from '../domain/mesh/signer.js';
import type {SignerModule} from './signer-module.js';

/** `{type: external}`: istio-csr, SPIRE or Kubernetes' own CSR API give workloads their certificates, or cert-manager fills cacerts. */
export const externalSigner: SignerModule<'external'> = {
  survey: (spec) => {
    const asked = 'nothing can be issued from here';
    const error = new MeshError('SIGNED_ELSEWHERE', `${madeElsewhere(spec) ?? spec.issuer}: ${asked}`, {
      hints: [
        spec.issuer === 'cert-manager'
          ? "cert-manager's own command line renews: cmctl renew -n NAMESPACE CERTIFICATE"
          : 'Go on with kubectl mesh install render',
      ],
    });
    return Promise.resolve({kind: 'elsewhere', error: reportError(error)});
  },
};
