/** Signers with which this program cannot issue certificates; their errors report what to do instead. */
import {problem} from '../domain/errors.js';
import {externalCaReason} from '../domain/mesh/signer.js';
import {advice, fixWith, type Hint, kubectlMesh, words} from '../domain/suggest/suggestion.js';
import type {SignerModule, SignerState} from './signer-module.js';

function signedElsewhere(message: string, ...hints: readonly Hint[]): Promise<SignerState> {
  return Promise.resolve({kind: 'elsewhere', error: problem('SIGNED_ELSEWHERE', message, ...hints)});
}

/** `{type: csr}`: requests are exported, signed chains are imported. */
export const csrSigner: SignerModule<'csr'> = {
  survey: () =>
    signedElsewhere(
      "an external CA signs this mesh's cluster CAs (trust.signer is csr)",
      advice`create a request with: ${kubectlMesh('certs request', words`CLUSTER`)}`,
      advice`import the signed chain with: ${kubectlMesh('certs import', words`CLUSTER FILE`)}`,
    ),
};

/** `{type: external}`: istio-csr, SPIRE or Kubernetes' CSR API issue workload certificates, or cert-manager writes cacerts. */
export const externalSigner: SignerModule<'external'> = {
  survey: (spec) =>
    signedElsewhere(
      `${externalCaReason(spec) ?? spec.issuer}: this program cannot issue certificates`,
      spec.issuer === 'cert-manager'
        ? advice`renew with cert-manager's command line: ${fixWith.cmctl('any', words`renew -n NAMESPACE CERTIFICATE`)}`
        : advice`continue with: ${kubectlMesh('install render')}`,
    ),
};
