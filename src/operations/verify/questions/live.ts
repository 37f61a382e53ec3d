/** Facts that every running istiod says of itself. */
import type {ClusterFactValues, ServedChain} from '../../../domain/checks/facts.js';
import {certificateFacts} from '../../../domain/checks/read/cluster-ca.js';
import {parseCertificate} from '../../../domain/pki/certificate.js';
import type {Deps} from '../../../engine/deps.js';
import {securePort} from '../istiod-pods.js';
import type {IstiodPod} from '../istiod-pods.js';
import type {Questions} from '../questions.js';
import type {ClusterQuestionOptions} from './cluster.js';

const handshakeTimeoutMs = 10_000;

/** The questions that only a running istiod can answer. */
export function liveQuestions({
  deps,
  mesh,
  pods,
}: ClusterQuestionOptions): Questions<Pick<ClusterFactValues, 'servedChains'>> {
  return {
    servedChains: () => pods.ask((pod) => servedChain(deps, mesh.istio.namespace, pod)),
  };
}

async function servedChain({tls}: Deps, namespace: string, pod: IstiodPod): Promise<ServedChain> {
  // istiod answers for istiod[-REVISION].NAMESPACE.svc; which name is asked for decides nothing.
  const der = await tls.presentedChain({
    port: await pod.port(securePort),
    servername: `${pod.deployment}.${namespace}.svc`,
    timeoutMs: handshakeTimeoutMs,
  });
  const chain = der.map((bytes) => parseCertificate(bytes, `certificate presented by ${pod.name}`));
  return {
    chain: chain.map(certificateFacts),
    linked: chain.every((certificate, index) => {
      const issuer = chain[index + 1];
      return !issuer || certificate.signedBy(issuer.publicKey);
    }),
  };
}
