/** What link does for each pair of clusters, and why it refuses. Pure. */
import {type ErrorReport, problem} from '../errors.js';
import {defined} from '../defined.js';
import {remoteSecretDefects} from '../istio/remote-secret-defects.js';
import {istioNameOf} from '../mesh/istio-name.js';
import {isKnown, type Observed} from '../observed.js';
import {advice, fixWith, kubectlMesh, words} from '../suggest/suggestion.js';
import {addressProblem, resolveApiServer, type ResolvedApiServer} from './api-server.js';
import {judgeRemoteSecret, type SecretVerdict, type WantedSecret} from './judge-secret.js';
import {readerSecretName, readerServiceAccount, remoteSecretName, type TokenKind} from './names.js';
import {secretsInUse, type DiscoveryIstiod, type DiscoveryObservation, type StoredRemoteSecret} from './observation.js';
import type {DiscoveryPair} from './pairs.js';
import {hasSynced, losing, withoutEndpoints} from './reader-sync.js';
import type {TokenVerdict} from './token.js';

/** `renew`: another token in the same remote secret; `replace`: its content differs from what mesh.yaml declares. */
export type LinkKind = 'create' | 'renew' | 'replace' | 'unchanged';

/** What is written. */
export type LinkChange = Exclude<LinkKind, 'unchanged'>;

/** Overrides of refusals. */
export interface LinkRules {
  readonly allowLocalAddress: boolean;
  /** Also restarts an istiod that would lose endpoints. */
  readonly restartIstiod: boolean;
}

/** One pair with what was observed of both clusters. */
export interface PairFacts {
  readonly pair: DiscoveryPair;
  readonly reader: DiscoveryObservation;
  readonly peer: DiscoveryObservation;
  /** The verdicts of the peer's API server on the tokens in the reader's remote secrets, by Secret. */
  readonly reviews: ReadonlyMap<string, Observed<TokenVerdict>>;
}

/** What to do for one pair. */
export interface PairDecision {
  readonly kind: LinkKind;
  /** Why an existing remote secret is changed. */
  readonly reason?: string;
  /** The remote secret, in Istio's namespace of the reader. */
  readonly secret: string;
  readonly api: ResolvedApiServer;
  /** The remote secret to change. */
  readonly before?: StoredRemoteSecret;
  /** Whether to wait until istiod has read the peer: not if every istiod pod has. */
  readonly prove: boolean;
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
}

/** Decides about one pair: a decision, or every reason against it. */
export function decidePair(
  facts: PairFacts,
  {namespace, token}: DeclaredLinks,
  rules: LinkRules,
): {readonly decision?: PairDecision; readonly errors: readonly PairError[]} {
  const {pair, reader, peer} = facts;
  const api = addressOf(pair, peer);
  const errors = [
    ...asErrors(pair.peer.name, peerProblems(pair, peer, api, rules)),
    ...asErrors(pair.reader.name, readerProblems(pair, reader, namespace)),
  ];
  if (errors.length > 0 || !('address' in api)) return {errors};
  const used = usedSecret(facts, namespace);
  if (!isKnown(used.secret)) return {errors: asErrors(pair.reader.name, [used.secret.unknown])};
  const review = facts.reviews.get(used.name);
  if (review && !isKnown(review)) return {errors: asErrors(pair.peer.name, [review.unknown])};
  const wanted: WantedSecret = {pair, namespace, address: api.address, token, now: reader.at};
  const found = used.secret.value;
  const verdict = found && judgeRemoteSecret(found, wanted, review?.value);
  const kind = !verdict ? 'create' : verdict.kind === 'valid' ? 'unchanged' : verdict.kind;
  const readerSecret = peer.readerSecrets.get(readerSecretName(pair.reader, token));
  if (kind !== 'unchanged' && readerSecret && !isKnown(readerSecret)) {
    return {errors: asErrors(pair.peer.name, [readerSecret.unknown])};
  }
  const secret = `${namespace}/${used.name}`;
  const lost = kind === 'unchanged' ? withoutEndpoints(reader, pair, secret) : [];
  const refusals = [
    ...(verdict ? refuseChange(facts, {name: used.name, found, verdict, namespace}, rules) : []),
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
      api,
      before: found,
      prove: kind !== 'unchanged' || !hasSynced(reader, pair, secret),
      restart: (changes ? losing(reader) : lost).map(({deployment}) => deployment),
    }),
  };
}

function asErrors(cluster: string, errors: readonly ErrorReport[]): readonly PairError[] {
  return errors.map((error) => ({cluster, error}));
}

/** The address for the peer's remote secret, or why it is unknown. */
function addressOf({peer}: DiscoveryPair, {server, rootCa}: DiscoveryObservation): ResolvedApiServer | ErrorReport {
  const api = resolveApiServer(
    peer,
    isKnown(server) ? server.value : undefined,
    isKnown(rootCa) ? rootCa.value : undefined,
  );
  if (!api) return isKnown(server) ? noServer(peer.name) : server.unknown;
  if (api.address.caData !== undefined || isKnown(rootCa)) return api;
  return rootCa.unknown;
}

function noServer(peer: string): ErrorReport {
  return problem('KUBECONFIG_MISSING', `no API server address is known for ${peer}`);
}

function peerProblems(
  {peer}: DiscoveryPair,
  {hasReaderAccount}: DiscoveryObservation,
  api: ResolvedApiServer | ErrorReport,
  {allowLocalAddress}: LinkRules,
): readonly ErrorReport[] {
  const address = 'address' in api ? addressProblem(peer.name, api) : api;
  const isAllowed = address?.code === 'LOCAL_ADDRESS' && allowLocalAddress;
  return [
    ...(isKnown(hasReaderAccount)
      ? hasReaderAccount.value
        ? []
        : [readerMissing(peer.name)]
      : [hasReaderAccount.unknown]),
    ...(address && !isAllowed ? [address] : []),
  ];
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
  {reader, peer}: DiscoveryPair,
  {istiods, remoteSecrets}: DiscoveryObservation,
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
  const unread = pods.flatMap(({clusters}) => (isKnown(clusters) ? [] : [clusters.unknown]));
  const secret = remoteSecrets.get(remoteSecretName(peer));
  return [...unread.slice(0, 1), ...(secret && !isKnown(secret) ? [secret.unknown] : [])];
}

/**
 * The remote secret for the peer: the one that istiod uses; it ignores any other one for the same cluster. A Secret that no longer
 * exists is not used, even if istiod still lists it.
 */
function usedSecret(
  {pair: {peer}, reader}: PairFacts,
  namespace: string,
): {readonly name: string; readonly secret: Observed<StoredRemoteSecret | undefined>} {
  const own = remoteSecretName(peer);
  const others = secretsInUse(reader, istioNameOf(peer)).filter(
    (name) => name.startsWith(`${namespace}/`) && name !== `${namespace}/${own}`,
  );
  const used = others
    .map((name) => name.slice(namespace.length + 1))
    .map((name) => ({name, secret: reader.remoteSecrets.get(name) ?? {value: undefined}}))
    .find(({secret}) => !isKnown(secret) || secret.value !== undefined);
  return used ?? {name: own, secret: reader.remoteSecrets.get(own) ?? {value: undefined}};
}

/** The reasons not to change an existing remote secret. */
function refuseChange(
  {pair: {reader: cluster, peer}, reader}: PairFacts,
  {
    name,
    found,
    verdict,
    namespace,
  }: {
    readonly name: string;
    readonly found: StoredRemoteSecret;
    readonly verdict: SecretVerdict;
    readonly namespace: string;
  },
  {restartIstiod}: LinkRules,
): readonly ErrorReport[] {
  if (verdict.kind === 'valid') return [];
  const what = `Secret ${namespace}/${name} of cluster ${cluster.name}`;
  const cannotChange = found.immutable || found.type !== 'Opaque';
  if (name !== remoteSecretName(peer) || cannotChange) {
    const why = cannotChange ? 'cannot be changed' : `is not the one that link writes for ${peer.name}`;
    const remove = fixWith.kubectl(cluster, words`-n ${namespace} delete secret ${name}`);
    return [
      problem(
        'OTHER_REMOTE_SECRET',
        `${what} ${why}, and is not valid: ${verdict.reason}`,
        advice`delete it, then link again: ${remove}`,
      ),
    ];
  }
  const managed = found.managedBy;
  const versions = losing(reader);
  return [
    ...(managed === undefined
      ? []
      : [
          problem(
            'FOREIGN_OWNER',
            `${what} is managed by ${managed}, and is not valid: ${verdict.reason}`,
            `change it with ${managed}`,
          ),
        ]),
    ...(versions.length === 0 || restartIstiod
      ? []
      : [losesEndpoints(cluster.name, what, versions[0]?.version.text ?? '')]),
  ];
}

function losesEndpoints(cluster: string, what: string, version: string): ErrorReport {
  const fixed = remoteSecretDefects.endpoints.fixedIn[0];
  return problem(
    'LOSES_ENDPOINTS',
    `refusing to change ${what}: istiod ${version} then loses endpoints until it restarts (istio/istio#61043)`,
    advice`restart it in the same run: ${kubectlMesh('link', [cluster, '--restart-istiod'])}`,
    `Istio ${fixed} and later do not lose them`,
  );
}

function lostEndpoints({reader, peer}: DiscoveryPair, {deployment, version}: DiscoveryIstiod): ErrorReport {
  return problem(
    'LOSES_ENDPOINTS',
    `${deployment} ${version.text} of cluster ${reader.name} has lost the endpoints of ${peer.name} (istio/istio#61043): they return when it restarts`,
    advice`restart it: ${kubectlMesh('link', [reader.name, '--restart-istiod'])}`,
  );
}
