/** What link does for each pair of clusters, and why it refuses. Pure. */
import {type ErrorReport, MeshError, problem} from '../errors.js';
import {defined} from '../defined.js';
import {istioNameOf} from '../mesh/istio-name.js';
import type {MeshCluster} from '../mesh/mesh.js';
import {isKnown, type Observed, unknownsOf, valueOr} from '../observed.js';
import {advice, kubectlMesh} from '../suggest/suggestion.js';
import {addressProblem, needsRootCa, resolveApiServer, type ResolvedApiServer} from './api-server.js';
import {
  decideReaderSecret,
  observedReaderSecret,
  type ReaderSecretDecision,
  usesReaderSecret,
} from './decide-reader-secret.js';
import {judgeRemoteSecret, type WantedSecret} from './judge-secret.js';
import {readerServiceAccount, remoteSecretName, type TokenKind} from './names.js';
import type {LinkRules, PairFacts} from './link-input.js';
import {decisivePods, secretsInUse, type DiscoveryObservation, type StoredRemoteSecret} from './observation.js';
import {type DiscoveryPair, reads} from './pairs.js';
import {lostEndpoints, refuseChange} from './refuse-change.js';
import {hasSynced, losing, readState, unprovenPods, withoutEndpoints} from './reader-sync.js';
import type {ApiServerAddress} from './remote-kubeconfig.js';
import {credentialFor} from './remote-secret.js';

/** `renew`: another token in the same remote secret; `replace`: something else in it does not work or is not as declared. */
export type LinkKind = 'create' | 'renew' | 'replace' | 'unchanged';

/** What is written. */
export type LinkChange = Exclude<LinkKind, 'unchanged'>;

/** What to do for one pair. */
export interface PairDecision {
  readonly kind: LinkKind;
  /** Why an existing remote secret is changed. */
  readonly reason?: string;
  /** The remote secret, in Istio's namespace of the reader. */
  readonly secret: string;
  /** The address of the peer's API server in it. */
  readonly address: ApiServerAddress;
  /** The existing remote secret. */
  readonly before?: StoredRemoteSecret;
  /** Its data keys that a change leaves as they are: credentials for other clusters. */
  readonly keeps: readonly string[];
  readonly readerSecret: ReaderSecretDecision;
  /** Whether to wait until istiod has read the peer: not if every istiod pod has. */
  readonly prove: boolean;
  /** The istiod pods that are not ready, and whose state is therefore not proven. */
  readonly unproven: readonly string[];
  /** The istiod Deployments that lose endpoints by the change, or have lost them by an earlier one, and are restarted. */
  readonly restart: readonly string[];
}

/** Why a pair cannot be linked, and which of its clusters is the cause. */
export interface PairError {
  readonly cluster: string;
  readonly error: ErrorReport;
}

/** The declared part of a decision. */
export interface DeclaredLinks {
  /** Istio's namespace. */
  readonly namespace: string;
  readonly token: TokenKind;
  /** All clusters of mesh.yaml. */
  readonly clusters: readonly MeshCluster[];
}

/** Decides about one pair: a decision, or every reason against it. */
export function decidePair(
  facts: PairFacts,
  declared: DeclaredLinks,
  rules: LinkRules,
): {readonly decision?: PairDecision; readonly errors: readonly PairError[]} {
  const {pair, reader, peer} = facts;
  const {namespace, token} = declared;
  const used = usedSecret(facts, namespace);
  const secret = `${namespace}/${used.name}`;
  const api = addressOf(pair, peer);
  const wanted = defined<WantedSecret>({
    pair,
    namespace,
    api: valueOr(api, undefined),
    token,
    state: readState(reader, pair, secret),
    now: reader.at,
  });
  const found = valueOr(used.secret, undefined);
  const review = facts.reviews.get(used.name);
  const verdict = found && judgeRemoteSecret(found, wanted, review && valueOr(review, undefined));
  const obstacles = [
    ...asErrors(pair.peer.name, peerProblems(pair, peer)),
    ...asErrors(pair.reader.name, readerProblems(pair, reader, namespace)),
    ...asErrors(pair.reader.name, unknownsOf(used.secret)),
    ...asErrors(pair.peer.name, review ? unknownsOf(review) : []),
  ];
  // Whether an address has to be written is known only then.
  const isJudged = obstacles.length === 0 || (isKnown(used.secret) && !used.secret.value);
  const address = isJudged ? (verdict?.address ?? writableAddress(pair, api, rules)) : undefined;
  if (!address || 'code' in address || obstacles.length > 0) {
    return {errors: [...asErrors(pair.peer.name, address && 'code' in address ? [address] : []), ...obstacles]};
  }
  const kind = !verdict ? 'create' : verdict.kind === 'valid' ? 'unchanged' : verdict.kind;
  const prove = kind !== 'unchanged' || !hasSynced(reader, pair, secret);
  const isReplaced = kind !== 'unchanged' || (!prove && found !== undefined && usesReaderSecret(pair, found, token));
  const readerSecret = observedReaderSecret(pair, peer, token);
  if (kind !== 'unchanged' && !isKnown(readerSecret)) return {errors: asErrors(pair.peer.name, [readerSecret.unknown])};
  const lost = kind === 'unchanged' ? withoutEndpoints(reader, pair, secret) : [];
  const refusals = [
    ...(found && verdict ? refuseChange(facts, {found, verdict, namespace}, rules) : []),
    ...(rules.restartIstiod ? [] : lost.slice(0, 1).map((istiod) => lostEndpoints(pair, istiod))),
  ];
  if (refusals.length > 0) return {errors: asErrors(pair.reader.name, refusals)};
  const changes = kind === 'renew' || kind === 'replace';
  return {
    errors: [],
    decision: defined<PairDecision>({
      kind,
      reason: verdict && 'reason' in verdict ? verdict.reason : undefined,
      secret: used.name,
      address,
      before: found,
      keeps: found ? keptKeys(found, pair, declared.clusters) : [],
      readerSecret: decideReaderSecret(pair, peer, token, isReplaced),
      unproven: unprovenPods(reader, pair, secret),
      prove,
      restart: (changes ? losing(reader) : lost).map(({deployment}) => deployment),
    }),
  };
}

function asErrors(cluster: string, errors: readonly ErrorReport[]): readonly PairError[] {
  return errors.map((error) => ({cluster, error}));
}

/** The address that mesh.yaml or the kubeconfig declares for the peer. */
function addressOf({peer}: DiscoveryPair, {server, rootCa}: DiscoveryObservation): Observed<ResolvedApiServer> {
  if (!peer.apiServer && !isKnown(server)) return server;
  const api = resolveApiServer(peer, valueOr(server, undefined), valueOr(rootCa, undefined));
  if (!api) throw new MeshError('INTERNAL', `the API server address of ${peer.name} was not read`);
  return needsRootCa(peer) && !isKnown(rootCa) ? rootCa : {value: api};
}

/** The declared address, or why it cannot be written. */
function writableAddress(
  {peer}: DiscoveryPair,
  api: Observed<ResolvedApiServer>,
  {allowLocalAddress}: LinkRules,
): ApiServerAddress | ErrorReport {
  if (!isKnown(api)) return api.unknown;
  const error = addressProblem(peer.name, api.value);
  return error && !(error.code === 'LOCAL_ADDRESS' && allowLocalAddress) ? error : api.value.address;
}

/**
 * The data keys that stay: credentials for other clusters. Without a data key for the peer, one of no other cluster that the
 * reader reads is the peer's under a wrong name: with it, istiod could read the peer twice.
 */
function keptKeys(
  found: StoredRemoteSecret,
  {reader, peer}: DiscoveryPair,
  clusters: readonly MeshCluster[],
): readonly string[] {
  const others = Object.keys(found.data).filter((key) => key !== istioNameOf(peer));
  if (credentialFor(found, peer)) return others;
  return others.filter((key) => clusters.some((one) => reads(reader, one) && istioNameOf(one) === key));
}

function peerProblems({peer}: DiscoveryPair, {hasReaderAccount}: DiscoveryObservation): readonly ErrorReport[] {
  if (!isKnown(hasReaderAccount)) return [hasReaderAccount.unknown];
  return hasReaderAccount.value ? [] : [readerMissing(peer.name)];
}

/** istioctl and the chart create it with Istio (istio/istio manifests/charts/base/templates/reader-serviceaccount.yaml). */
function readerMissing(peer: string): ErrorReport {
  return problem(
    'READER_MISSING',
    `cluster ${peer} has no service account ${readerServiceAccount}, as which other clusters read it`,
    advice`install Istio there: ${kubectlMesh('install apply', [peer])}`,
  );
}

function readerProblems(
  {reader}: DiscoveryPair,
  {istiods}: DiscoveryObservation,
  namespace: string,
): readonly ErrorReport[] {
  if (!isKnown(istiods)) return [istiods.unknown];
  const pods = istiods.value.flatMap((one) => one.pods);
  if (pods.length === 0) {
    const what = istiods.value.length === 0 ? `no istiod is installed` : `no istiod pod is running`;
    return [
      problem(
        'NO_ISTIOD',
        `${what} in namespace ${namespace} of cluster ${reader.name}, so it cannot read other clusters`,
        advice`install Istio there: ${kubectlMesh('install apply', [reader.name])}`,
      ),
    ];
  }
  return unknownsOf(...decisivePods(istiods.value).map(({clusters}) => clusters)).slice(0, 1);
}

/**
 * The remote secret for the peer: the one that istiod uses; it ignores any other one for the same cluster. A Secret that no longer
 * exists, or no longer has a credential for the peer, is not used, even if istiod still lists it.
 */
function usedSecret(
  {pair: {peer}, reader}: PairFacts,
  namespace: string,
): {readonly name: string; readonly secret: Observed<StoredRemoteSecret | undefined>} {
  const own = remoteSecretName(peer);
  const used = secretsInUse(reader, namespace, istioNameOf(peer))
    .filter((name) => name !== own)
    .map((name) => ({name, secret: reader.remoteSecrets.get(name) ?? {value: undefined}}))
    .find(({secret}) => !isKnown(secret) || (secret.value && credentialFor(secret.value, peer)));
  return used ?? {name: own, secret: reader.remoteSecrets.get(own) ?? {value: undefined}};
}
