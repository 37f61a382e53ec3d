import {istiodCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import {describeCertificate} from '../describe.js';
import {some} from '../../format.js';
import {loadCa, provideCa, type Remedy, restart} from '../remedies.js';
import type {PodPart, ServedChain} from '../../facts/facts.js';

/** Each istiod pod shows in a TLS handshake which CA it has loaded. */
export const liveChainCheck = istiodCheck({
  id: 'MESH303',
  title: 'Every istiod presents a certificate signed by the pushed cluster CA',
  appliesTo: 'cacerts',
  requires: ['pushedTrust', 'servedChains', 'controlPlanes'],
  optional: ['caOrigin'],
  // Both come from the same process; an old chain also has a different expiry.
  implies: ['MESH307', 'MESH308', 'MESH6'],
  judge: ({pushedTrust, servedChains: all, controlPlanes, caOrigin}, subject) => {
    if (all.length === 0) return notApplicable('no istiod runs here');
    const servedChains = signedByOwnCa(all);
    if (servedChains.length === 0) return notApplicable(otherProviderReason(all));
    if (pushedTrust === 'absent') {
      return findingsOr(conflicts(servedChains, provideCa(caOrigin, subject)), notApplicable('no CA was pushed yet'));
    }
    const expected = `signed by ${describeCertificate(pushedTrust.certificate)}`;
    const pods = servedChains.map((pod) => ({...pod, observed: deviation(pod, pushedTrust.certificate.fingerprint)}));
    const loaded = new Set(pods.filter(({observed}) => observed === undefined).map(({name}) => name));
    const besideLoaded = (name: string): boolean =>
      controlPlanes.some(
        ({workload}) =>
          workload.pods.some((pod) => pod.name === name) && workload.pods.some((pod) => loaded.has(pod.name)),
      );
    const findings = pods.map(({name, value, observed}): Finding | undefined => {
      if (observed === undefined) return undefined;
      // The pushed root is already in use, so a restart is enough. A push would not help: if istiod reloads such a change
      // by itself, the push would only wait for it.
      const inUse = besideLoaded(name) || value.chain.some(({fingerprint}) => pushedTrust.roots.includes(fingerprint));
      const remedy = inUse ? restart(caOrigin, subject) : loadCa(caOrigin, subject);
      return {observed: `${name} ${observed}`, expected, ...remedy};
    });
    return findingsOr(findings, ok(servedChains.map(({name}) => name).join(', '), expected));
  },
  meaning:
    'Every istiod pod of every revision presents a certificate signed by the cluster CA in Secret cacerts on port 15012. Only a TLS handshake proves which CA a running istiod has loaded: replicas can differ.',
  breaks:
    'That istiod still issues workload certificates under the old CA. When the old CA expires, or if other clusters do not trust its root, those workloads lose connectivity.',
  byHand:
    'kubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15012 &\nopenssl s_client -connect localhost:15012 -showcerts </dev/null | openssl x509 -noout -issuer',
  fix: 'Right after a push, wait: the kubelet takes a minute or two to update the volume. If workloads already run under the pushed root, restart istiod. If they run under a different root, first make both roots trusted, then run `kubectl mesh trust push CLUSTER --restart-istiod`, which checks for workloads that run under a root that it would remove.',
  source: 'istio/istio pilot/pkg/bootstrap/certcontroller.go (istiod signs its own serving certificate with its CA)',
});

/** The pods that present a certificate signed by their own CA. Handshakes of the others show nothing about their CA. */
export function signedByOwnCa(pods: readonly PodPart<ServedChain>[]): readonly PodPart<ServedChain>[] {
  return pods.filter(({value}) => value.signedBy === undefined);
}

/** Why the presented certificates of these pods prove nothing about their CA. */
export function otherProviderReason(pods: readonly PodPart<ServedChain>[]): string {
  const providers = [...new Set(pods.flatMap(({value: {signedBy}}) => signedBy ?? []))];
  return `istiod presents a certificate from ${some(providers)} (PILOT_CERT_PROVIDER), which does not identify its CA`;
}

/** Findings if the pods have different CAs: which one is right is unknown, but there can only be one. */
function conflicts(pods: readonly PodPart<ServedChain>[], remedy: Remedy): readonly Finding[] {
  const signers = pods.map(({name, value}) => ({name, signer: describeSigner(value)}));
  if (new Set(signers.map(({signer}) => signer)).size === 1) return [];
  const expected = 'the same CA in every istiod';
  return signers.map(({name, signer}) => ({observed: `${name} ${signer}`, expected, ...remedy}));
}

/** The signer of a presented certificate. A self-signed istiod may send its root, or only the issuer name. */
function describeSigner({chain: [leaf, signer]}: ServedChain): string {
  if (!leaf) return 'presents no certificate';
  return signer ? `is signed by ${describeCertificate(signer)}` : `is signed by ${leaf.issuer}`;
}

/** How a served chain deviates from one signed by the cluster CA; undefined if it does not. */
function deviation({value: {chain, linked}}: PodPart<ServedChain>, wanted: string): string | undefined {
  const [leaf, signer] = chain;
  if (!leaf) return 'presents no certificate';
  if (!signer) return `presents a certificate without its issuer ${leaf.issuer}`;
  if (signer.fingerprint !== wanted) return `is signed by ${describeCertificate(signer)}`;
  if (!linked) return 'presents certificates that do not form a chain';
  return undefined;
}
