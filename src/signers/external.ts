import {problem} from '../domain/errors.js';
import {madeElsewhere} from '../domain/mesh/signer.js';
import {advice} from '../domain/suggest/advice.js';
import {fixWith, kubectlMesh, words} from '../domain/suggest/suggestion.js';
import type {SignerModule} from './signer-module.js';

/** `{type: external}`: istio-csr, SPIRE or Kubernetes' own CSR API give workloads their certificates, or cert-manager fills cacerts. */
export const externalSigner: SignerModule<'external'> = {
  survey: (spec) => {
    const error = problem(
      'SIGNED_ELSEWHERE',
      `${madeElsewhere(spec) ?? spec.issuer}: nothing can be issued from here`,
      spec.issuer === 'cert-manager'
        ? advice`cert-manager's own command line renews: ${fixWith.cmctl('any', words`renew -n NAMESPACE CERTIFICATE`)}`
        : advice`Go on with ${kubectlMesh('install render')}`,
    );
    return Promise.resolve({kind: 'elsewhere', error});
  },
};
