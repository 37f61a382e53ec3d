import type {Suggestion} from '../../suggest/suggestion.js';
import {istiodCheck, findingsOr, notApplicable, ok, type Finding} from '../check.js';
import {describeCertificate} from '../describe.js';
import {some} from '../../format.js';
import {loadFix, restartFix} from '../fixes.js';
import type {Part, ServedChain} from '../../facts/facts.js';

/** Each istiod pod proves in a TLS handshake which CA it has loaded. */
export const liveChainCheck = istiodCheck({
  id: 'MESH303',
  title: 'Every istiod serves a certificate of the pushed cluster CA',
  about: 'cacerts',
  needs: ['pushedTrust', 'servedChains', 'controlPlanes'],
  uses: ['caOrigin'],
  // The same process tells both; a chain it loaded long ago has another end, too.
  implies: ['MESH307', 'MESH308'],
  judge: ({pushedTrust, servedChains: all, controlPlanes, caOrigin}, subject) => {
    if (all.length === 0) return notApplicable('no istiod runs here');
    const servedChains = signedByItself(all);
    if (servedChains.length === 0) return notApplicable(someoneElses(all));
    if (pushedTrust === 'absent') {
      return findingsOr(different(servedChains, loadFix(caOrigin, subject)), notApplicable('nothing was pushed yet'));
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
      // The pushed root is in use already, so nothing but the process stands in the way: where istiod takes such a change
      // over by itself, a push would wait for it in vain.
      const inUse = besideLoaded(name) || value.chain.some(({fingerprint}) => pushedTrust.roots.includes(fingerprint));
      return {observed: `${name} ${observed}`, expected, fix: inUse ? restartFix(subject) : loadFix(caOrigin, subject)};
    });
    return findingsOr(findings, ok(servedChains.map(({name}) => name).join(', '), expected));
  },
  meaning:
    'Every istiod pod of every revision presents, on its port 15012, a certificate signed by the cluster CA in Secret cacerts. Only a handshake proves which CA a running istiod has: replicas can differ.',
  breaks:
    'That istiod still issues workload certificates under the old CA. If the old CA ends, or its root is not known elsewhere, those workloads are cut off.',
  byHand:
    'kubectl --context "$CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15012 &\nopenssl s_client -connect localhost:15012 -showcerts </dev/null | openssl x509 -noout -issuer',
  mend: 'Right after a push, wait: the kubelet takes a minute or two. Where the pushed root is in use already, restart istiod. Under another root, `kubectl mesh trust push CLUSTER --restart-istiod`: it asks about workloads that run under a root that would go; let both roots be trusted first.',
  source: 'istio/istio pilot/pkg/bootstrap/certcontroller.go (istiod signs its own serving certificate with its CA)',
});

/** Those that present what their own CA signed: the others' handshakes tell nothing of it. */
export function signedByItself(pods: readonly Part<ServedChain>[]): readonly Part<ServedChain>[] {
  return pods.filter(({value}) => value.signedBy === undefined);
}

/** Why nothing can be judged by what these present. */
export function someoneElses(pods: readonly Part<ServedChain>[]): string {
  const providers = [...new Set(pods.flatMap(({value: {signedBy}}) => signedBy ?? []))];
  return `istiod presents a certificate of ${some(providers)} (PILOT_CERT_PROVIDER), which tells nothing of its CA`;
}

/** Nothing says which CA is right, but there can only be one. */
function different(pods: readonly Part<ServedChain>[], fix: Suggestion): readonly Finding[] {
  const signers = pods.map(({name, value}) => ({name, signer: describeSigner(value)}));
  if (new Set(signers.map(({signer}) => signer)).size === 1) return [];
  const expected = 'the same CA behind every istiod';
  return signers.map(({name, signer}) => ({observed: `${name} ${signer}`, expected, fix}));
}

/** Who signed what an istiod presents: an istiod with a CA of its own may send its root, or nothing but the name. */
function describeSigner({chain: [leaf, signer]}: ServedChain): string {
  if (!leaf) return 'presents no certificate';
  return signer ? `is signed by ${describeCertificate(signer)}` : `is signed by ${leaf.issuer}`;
}

/** How a served chain differs from one that the cluster CA signed; undefined when it does not. */
function deviation({value: {chain, linked}}: Part<ServedChain>, wanted: string): string | undefined {
  const [leaf, signer] = chain;
  if (!leaf) return 'presents no certificate';
  if (!signer) return `presents a certificate without its issuer ${leaf.issuer}`;
  if (signer.fingerprint !== wanted) return `is signed by ${describeCertificate(signer)}`;
  if (!linked) return 'presents certificates that do not sign one another';
  return undefined;
}
