/** Signers that issue nothing from here: they only say what to do instead. */
import {problem} from '../domain/errors.js';
import {externalCaReason} from '../domain/mesh/signer.js';
import {advice, fixWith, type Hint, kubectlMesh, words} from '../domain/suggest/suggestion.js';
import type {SignerModule, SignerState} from './signer-module.js';

function signedElsewhere(message: string, ...hints: readonly Hint[]): Promise<SignerState> {
  return Promise.resolve({kind: 'elsewhere', error: problem('SIGNED_ELSEWHERE', message, ...hints)});
}

/** `{type: csr}`: requests go out, signed chains come in. */
export const csrSigner: SignerModule<'csr'> = {
  survey: () =>
    signedElsewhere(
      "a CA elsewhere signs this mesh's cluster CAs (trust.signer is csr)",
      advice`${kubectlMesh('certs request', words`CLUSTER`)} writes a request for it`,
      advice`${kubectlMesh('certs import', words`CLUSTER FILE`)} takes what it returns`,
    ),
};

/** `{type: external}`: istio-csr, SPIRE or Kubernetes' own CSR API give workloads their certificates, or cert-manager fills cacerts. */
export const externalSigner: SignerModule<'external'> = {
  survey: (spec) =>
    signedElsewhere(
      `${externalCaReason(spec) ?? spec.issuer}: nothing can be issued from here`,
      spec.issuer === 'cert-manager'
        ? advice`cert-manager's own command line renews: ${fixWith.cmctl('any', words`renew -n NAMESPACE CERTIFICATE`)}`
        : advice`Go on with ${kubectlMesh('install render')}`,
    ),
};
