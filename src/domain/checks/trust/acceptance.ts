import {verifyChain, type ChainFailure} from '../../x509/chain.js';
import {missingRoots} from '../../ca/trust-store.js';
import {sequence, type Suggestion} from '../../suggest/suggestion.js';
import {istiodCheck, findingsOr, notApplicable, ok, type Finding, type PairSubject, type KnownFacts} from '../check.js';
import {describeCertificate, describeRoots} from '../describe.js';
import type {LiveRoots, Part, ServedChain} from '../../facts/facts.js';
import {loadFix, replaceCaFix} from '../fixes.js';
import {certificateFacts} from '../../facts/read/cluster-ca.js';
import {signedByOwnCa, otherProviderReason} from './live-chain.js';

/** Whether the roots that one cluster's workloads trust accept the chains that the other's istiods present. */
export const acceptanceCheck = istiodCheck({
  id: 'MESH307',
  title: "The cluster's live roots accept the other cluster's live chain",
  scope: 'pair',
  appliesTo: "istiod's CA",
  requires: ['liveRoots', 'servedChains'],
  sides: {liveRoots: 'self', servedChains: 'peer'},
  optional: ['caFiles', 'caOrigin'],
  judge: ({liveRoots, servedChains, ...used}, subject) => {
    const {cluster, peer, now} = subject;
    const roots = liveRoots.self;
    if (servedChains.peer.length === 0) return notApplicable(`${peer.name} runs no istiod that would sign`);
    const presented = signedByOwnCa(servedChains.peer);
    if (presented.length === 0) return notApplicable(`${peer.name}: ${otherProviderReason(servedChains.peer)}`);
    if (roots === 'elsewhere') {
      return notApplicable(
        `istiod publishes its roots in a ClusterTrustBundle, which is not read: that ${cluster.name} trusts ${peer.name} was not proven`,
      );
    }
    const expected = `a chain that ends in ${rootsOf(roots)}, which ${cluster.name} trusts`;
    const findings = presented.map((pod): Finding | undefined => {
      const refusal = refusalOf(roots, pod.value, now);
      return (
        refusal && {
          observed: `${pod.name} of ${peer.name} presents ${chainOf(pod)}: ${refusal.message}`,
          expected,
          fix: fixFor(pod.value, roots, refusal.failure === 'expired', used, subject),
        }
      );
    });
    return findingsOr(findings, ok(`${presented.map(chainOf).join('; ')}, accepted by ${rootsOf(roots)}`, expected));
  },
  meaning:
    'A certificate that istiod of the other cluster signed verifies, now, against the bundle that this cluster gives its workloads (ConfigMap istio-ca-root-cert beside istiod). Both are what runs, not what files say, and signatures and dates are verified, not names compared. Where revisions give their workloads bundles of different names, what all of these hold counts. During a rotation bundles may differ and still accept each other: that is ok.',
  breaks:
    'Workloads of this cluster refuse those of the other: connections between the clusters fail with "certificate verify failed", while each cluster by itself is fine.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get configmap istio-ca-root-cert -o jsonpath="{.data.root-cert\\.pem}" >roots.pem\nkubectl --context "$CTX_OF_PEER" -n istio-system port-forward "pod/$ISTIOD_POD" 15012 &\nopenssl s_client -connect localhost:15012 -showcerts </dev/null >chain.pem\nopenssl verify -CAfile roots.pem -untrusted chain.pem chain.pem',
  howToFix: 'Push the CA of the work directory to the cluster whose roots or chain differ from it: `kubectl mesh trust push CLUSTER --restart-istiod`. Where the work directory itself has two roots, MESH105 says so: mend that first. What has expired is renewed with `certs generate CLUSTER --renew`.',
  source:
    'istio/istio security/pkg/server/ca/server.go (what workloads are given), security/pkg/pki/util/keycertbundle.go (how chains are verified); istio.io: ops/diagnostic-tools/multicluster',
});

/** Why roots do not accept a served chain; undefined when they do. */
export function refusalOf(
  {certificates: roots}: LiveRoots,
  {certificates}: ServedChain,
  now: Date,
): {readonly failure: ChainFailure | 'nothing'; readonly message: string} | undefined {
  const [leaf, ...intermediates] = certificates;
  if (!leaf) return {failure: 'nothing', message: 'that is no certificate'};
  const options = {roots, intermediates, now};
  const result = verifyChain(leaf, options);
  if (!('failure' in result)) return undefined;
  // istiod's own certificate has no subject: what is said of the CA that signed it can be understood.
  const [signer] = intermediates;
  const ofSigner = signer && verifyChain(signer, options);
  return ofSigner && 'failure' in ofSigner ? ofSigner : result;
}

function rootsOf({certificates}: LiveRoots): string {
  return describeRoots(certificates.map(({fingerprint}) => fingerprint));
}

/** The signers, from the cluster CA upward: the leaf says nothing that a person could compare. */
function chainOf({value: {certificates}}: Part<ServedChain>): string {
  const [leaf, ...signers] = certificates.map(certificateFacts);
  if (!leaf) return 'no certificate';
  if (signers.length === 0) return `a certificate of ${leaf.issuer} without its issuer`;
  return signers.map(describeCertificate).join(' < ');
}

/**
 * The cluster to mend is the one whose running istiod is not what the work directory says; both may be. Where neither
 * differs, what made their CAs is at fault: an issuer elsewhere, or the work directory itself, which may not be readable.
 */
function fixFor(
  {certificates: [, signer]}: ServedChain,
  {certificates: live}: LiveRoots,
  expired: boolean,
  {caFiles, caOrigin}: Partial<KnownFacts<'pair', 'caFiles' | 'caOrigin'>>,
  subject: PairSubject,
): Suggestion {
  const self = {subject, origin: caOrigin?.self};
  const peer = {subject: {...subject, cluster: subject.peer}, origin: caOrigin?.peer};
  const selfDiffers = missingRoots(caFiles?.self.roots ?? [], live).length > 0;
  const certificate = caFiles?.peer.certificate;
  const peerDiffers = certificate !== undefined && certificate.fingerprint !== signer?.fingerprint;
  const wrong = [...(selfDiffers ? [self] : []), ...(peerDiffers ? [peer] : [])];
  if (wrong.length > 0) return sequence(...wrong.map((one) => loadFix(one.origin, one.subject)));
  const isElsewhere = ({origin}: typeof self): boolean => origin?.from === 'elsewhere';
  const other = !expired && isElsewhere(self) && !isElsewhere(peer) ? self : peer;
  return replaceCaFix(other.origin, other.subject);
}
