import {verifyChain, type ChainFailure} from '../../x509/chain.js';
import {proxyRefusal} from '../../ca/chain-faults.js';
import {otherChainRefusal} from '../../ca/other-chains.js';
import {missingRoots} from '../../ca/trust-store.js';
import {istiodCheck, findingsOr, notApplicable, ok, type Finding, type PairSubject, type KnownFacts} from '../check.js';
import {describeCertificate, describeRoots} from '../describe.js';
import type {LiveRoots, PodPart, ServedChain} from '../../facts/facts.js';
import {inSequence, loadCa, type Remedy, replaceCa} from '../remedies.js';
import {certificateFacts} from '../../facts/read/cluster-ca.js';
import {memoizePerObject} from '../../memoize.js';
import {signedByOwnCa, otherProviderReason} from './live-chain.js';

/** The roots that a cluster's workloads trust accept the chains that the peer cluster's istiods present. */
export const acceptanceCheck = istiodCheck({
  id: 'MESH307',
  title: "The cluster's live roots accept the peer cluster's live chain",
  scope: 'pair',
  appliesTo: "istiod's CA",
  requires: ['liveRoots', 'servedChains'],
  sides: {liveRoots: 'self', servedChains: 'peer'},
  optional: ['caFiles', 'caOrigin'],
  implies: ['MESH601'],
  judge: ({liveRoots, servedChains, ...used}, subject) => {
    const {cluster, peer, now} = subject;
    const roots = liveRoots.self;
    if (servedChains.peer.length === 0) return notApplicable(`${peer.name} runs no istiod`);
    const presented = signedByOwnCa(servedChains.peer);
    if (presented.length === 0) return notApplicable(`${peer.name}: ${otherProviderReason(servedChains.peer)}`);
    if (roots === 'ClusterTrustBundle') {
      return notApplicable(
        `istiod publishes its roots in a ClusterTrustBundle, which is not read: whether ${cluster.name} trusts ${peer.name} is unknown`,
      );
    }
    const expected = `a chain to ${rootsOf(roots)}, trusted by ${cluster.name}`;
    const findings = presented.map((pod): Finding | undefined => {
      const rejection = rejectionOf(roots, pod.value, now);
      return (
        rejection && {
          kind: `${rejection.failure} ${rejection.message}`,
          observed: `${pod.name} of ${peer.name} presents ${chainOf(pod)}: ${rejection.message}`,
          expected,
          ...remedyOf(pod.value, roots, rejection.failure === 'expired', used, subject),
        }
      );
    });
    return findingsOr(findings, ok(`${presented.map(chainOf).join('; ')}, accepted by ${rootsOf(roots)}`, expected));
  },
  meaning:
    "A certificate signed by the peer cluster's istiod currently verifies against the bundle that this cluster's workloads get (ConfigMap istio-ca-root-cert in istiod's namespace). Both are read from the running mesh, not from files, and signatures and dates are verified. If revisions use bundles with different names, only roots that are in all of them count. During a rotation, the bundles of two clusters may differ and still accept each other's chain; the result is then ok.",
  breaks:
    'Workloads of this cluster reject those of the peer: connections between the clusters fail with "certificate verify failed", while traffic within each cluster works.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get configmap istio-ca-root-cert -o jsonpath="{.data.root-cert\\.pem}" >roots.pem\nkubectl --context "$PEER_CTX" -n istio-system port-forward "pod/$ISTIOD_POD" 15012 &\nopenssl s_client -connect localhost:15012 -showcerts </dev/null >chain.pem\nopenssl verify -CAfile roots.pem -untrusted chain.pem chain.pem',
  fix: 'Push the CA in the work directory to the cluster whose roots or chain differ from it: `kubectl mesh trust push CLUSTER --restart-istiod`. If the work directory itself has two roots, MESH105 reports it: fix that first. Renew an expired CA with `kubectl mesh certs generate CLUSTER --renew`.',
  source:
    'istio/istio security/pkg/server/ca/server.go (the chain that workloads get), security/pkg/pki/util/keycertbundle.go (chain verification); istio.io: ops/diagnostic-tools/multicluster',
});

/** Why a served chain is not accepted. */
export interface Rejection {
  readonly failure: ChainFailure | 'nothing' | 'proxies';
  readonly message: string;
}

type Results = Map<string, Map<string, Rejection | 'accepted'>>;

/**
 * The results of one evaluation, which has one time, by roots and chain. Pairs of clusters grow with the square of the clusters, but
 * with one root there are only as many distinct chains and sets of roots as clusters.
 */
const results = new WeakMap<Date, Results>();

/**
 * Why istiod's verification (Go) or proxies (BoringSSL) do not accept a served chain; undefined if both do. Each distinct pair
 * of roots and chain is verified once per `now`.
 */
export function rejectionOf(
  roots: LiveRoots,
  served: Pick<ServedChain, 'certificates'>,
  now: Date,
): Rejection | undefined {
  const ofNow: Results = results.get(now) ?? new Map<string, Map<string, Rejection | 'accepted'>>();
  results.set(now, ofNow);
  const rootsKey = fingerprintsOf(roots);
  const ofRoots = ofNow.get(rootsKey) ?? new Map<string, Rejection | 'accepted'>();
  ofNow.set(rootsKey, ofRoots);
  const chainKey = fingerprintsOf(served);
  const result = ofRoots.get(chainKey) ?? verify(roots, served, now) ?? 'accepted';
  ofRoots.set(chainKey, result);
  return result === 'accepted' ? undefined : result;
}

/** In order: the first of several reasons is reported. */
const fingerprintsOf = memoizePerObject(({certificates}: Pick<LiveRoots | ServedChain, 'certificates'>) =>
  certificates.map(({fingerprint}) => fingerprint).join(),
);

function verify(
  {certificates: roots}: LiveRoots,
  {certificates}: Pick<ServedChain, 'certificates'>,
  now: Date,
): Rejection | undefined {
  const [leaf, ...intermediates] = certificates;
  if (!leaf) return {failure: 'nothing', message: 'no certificate'};
  const options = {roots, intermediates, now};
  const result = verifyChain(leaf, options);
  if (!('failure' in result)) {
    const chain = result.chain.slice(1);
    const purpose = {now, servingNames: []};
    const message =
      proxyRefusal(chain, now) ?? otherChainRefusal(leaf, chain, {roots, presented: intermediates}, purpose);
    return message === undefined ? undefined : {failure: 'proxies', message};
  }
  // istiod's serving certificate has no subject, so a failure of its issuer makes the better message.
  const [signer] = intermediates;
  const ofSigner = signer && verifyChain(signer, options);
  return ofSigner && 'failure' in ofSigner ? ofSigner : result;
}

// Each is part of the rows of all its pairs.
const rootsOf = memoizePerObject(({certificates}: LiveRoots) =>
  describeRoots(certificates.map(({fingerprint}) => fingerprint)),
);

/** The signers, from the cluster CA upward. The leaf is left out: it contains nothing to compare. */
const signersOf = memoizePerObject(({certificates}: ServedChain) => {
  const [leaf, ...signers] = certificates.map(certificateFacts);
  if (!leaf) return 'no certificate';
  if (signers.length === 0) return `a certificate signed by ${leaf.issuer} without its issuer`;
  return signers.map(describeCertificate).join(' < ');
});

function chainOf({value}: PodPart<ServedChain>): string {
  return signersOf(value);
}

/**
 * The cluster to fix is the one whose running istiod differs from the work directory; possibly both. If neither differs, the
 * source of their CAs is at fault: an external issuer, or the work directory itself, which may be unreadable.
 */
function remedyOf(
  {certificates: [, signer]}: ServedChain,
  {certificates: live}: LiveRoots,
  expired: boolean,
  {caFiles, caOrigin}: Partial<KnownFacts<'pair', 'caFiles' | 'caOrigin'>>,
  subject: PairSubject,
): Remedy {
  const self = {subject, origin: caOrigin?.self};
  const peer = {subject: {...subject, cluster: subject.peer}, origin: caOrigin?.peer};
  const selfDiffers = missingRoots(caFiles?.self.roots ?? [], live).length > 0;
  const certificate = caFiles?.peer.certificate;
  const peerDiffers = certificate !== undefined && certificate.fingerprint !== signer?.fingerprint;
  const deviating = [...(selfDiffers ? [self] : []), ...(peerDiffers ? [peer] : [])];
  const [first, ...others] = deviating.map((one) => loadCa(one.origin, one.subject));
  if (first) return inSequence(first, ...others);
  const isExternal = ({origin}: typeof self): boolean => origin?.from === 'external';
  const toReplace = !expired && isExternal(self) && !isExternal(peer) ? self : peer;
  return replaceCa(toReplace.origin, toReplace.subject);
}
