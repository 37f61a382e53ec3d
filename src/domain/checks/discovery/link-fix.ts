/** The command that links a pair, with what `link` requires first: its own decisions (src/domain/discovery/decide-link.ts). */
import {addressProblem, resolveApiServer} from '../../discovery/api-server.js';
import type {RemoteCredential} from '../../discovery/remote-secret.js';
import {shortestLifetimeMs} from '../../discovery/token.js';
import type {ErrorReport} from '../../errors.js';
import type {
  ApiServerFacts,
  ControlPlaneFacts,
  IstiodClusters,
  IstiodMetrics,
  PodPart,
  RemoteSecretFacts,
} from '../../facts/facts.js';
import {remoteSecretDefects} from '../../istio/remote-secret-defects.js';
import {affects} from '../../istio/since.js';
import {advice, ClusterNames, type Hint, kubectlMesh, sequence, type Suggestion} from '../../suggest/suggestion.js';
import {runningVersions} from '../control-plane/running-versions.js';
import type {PairSubject} from '../check.js';
import {editMeshYaml} from '../fixes.js';
import type {Remedy} from '../remedies.js';
import {credentialFor} from './credentials.js';
import {entriesOf, removeOthers} from './secret-entries.js';

/** What was observed of a pair. Absent: unknown, so nothing is added for it. */
export interface LinkEvidence {
  readonly controlPlanes: {readonly self: readonly ControlPlaneFacts[]};
  readonly istiodMetrics?: {readonly self: readonly PodPart<IstiodMetrics>[]} | undefined;
  readonly remoteSecrets?: {readonly self: RemoteSecretFacts | 'absent'} | undefined;
  readonly istiodClusters?: {readonly self: readonly PodPart<IstiodClusters>[]} | undefined;
  readonly remoteCredentials?: {readonly self: readonly RemoteCredential[]} | undefined;
  readonly apiServer?: {readonly peer: ApiServerFacts} | undefined;
  readonly readerAccount?: {readonly peer: boolean} | undefined;
}

/**
 * Writes the reader's remote secrets as declared, with the flags that `link` requires here: it restarts an istiod that would
 * otherwise lose endpoints, and accepts short tokens and a local address where it wrote such before. A Secret with another name
 * is removed first.
 */
export function linkFix(subject: PairSubject, evidence: LinkEvidence): Suggestion {
  const {istiodClusters, remoteSecrets, remoteCredentials} = evidence;
  const flags = [
    ...(losesEndpoints(evidence) ? ['--restart-istiod'] : []),
    ...(hasShortToken(evidence, subject) ? ['--accept-short-tokens'] : []),
    ...(isLocalAccepted(evidence, subject) ? ['--allow-local-address'] : []),
  ];
  const sources = {istiodClusters: istiodClusters?.self, remoteCredentials: remoteCredentials?.self};
  const others = remoteSecrets?.self === 'absent' ? removeOthers(entriesOf(sources, subject), subject) : [];
  return sequence(...others, kubectlMesh('link', [new ClusterNames([subject.cluster.name]), ...flags, '--yes']));
}

/** The same, after what has to be done first. */
export function linkRemedy(subject: PairSubject, evidence: LinkEvidence): Remedy {
  const {peer} = subject;
  const link = linkFix(subject, evidence);
  const address = addressProblemOf(evidence, subject);
  const isRefused = address !== undefined && !isLocalAccepted(evidence, subject);
  const install = kubectlMesh('install apply', [new ClusterNames([peer.name]), '--yes']);
  const first = [...(isRefused ? [editMeshYaml()] : []), ...(evidence.readerAccount?.peer === false ? [install] : [])];
  return {fix: sequence(...first, link), ...(isRefused && {note: addressNote(address)})};
}

type Pair = Pick<PairSubject, 'mesh' | 'peer'>;

/** Why `link` does not write the address. */
function addressProblemOf({apiServer}: LinkEvidence, {peer}: Pick<Pair, 'peer'>): ErrorReport | undefined {
  const wanted = apiServer && resolveApiServer(peer, apiServer.peer.kubeconfig, apiServer.peer.rootCa);
  return wanted && addressProblem(peer.name, wanted);
}

function addressNote({message, hints}: ErrorReport): Hint {
  return hints.reduce<Hint>((note, hint) => advice`${note}; ${hint}`, message);
}

/** Whether `link` wrote the address although it is local: the user permitted that, where all control planes run on one machine. */
function isLocalAccepted(evidence: LinkEvidence, {peer}: Pick<Pair, 'peer'>): boolean {
  const stored = evidence.remoteSecrets?.self ?? 'absent';
  if (stored === 'absent' || !stored.isLinked || !evidence.apiServer) return false;
  if (addressProblemOf(evidence, {peer})?.code !== 'LOCAL_ADDRESS') return false;
  const {kubeconfig, rootCa} = evidence.apiServer.peer;
  return (
    credentialFor(stored, peer)?.kubeconfig?.address?.url === resolveApiServer(peer, kubeconfig, rootCa)?.address.url
  );
}

/** Whether the peer's API server granted the token for less time than `link` accepts. */
function hasShortToken({remoteSecrets}: LinkEvidence, {mesh, peer}: Pair): boolean {
  const stored = remoteSecrets?.self ?? 'absent';
  if (stored === 'absent' || !stored.isLinked || mesh.discovery.token !== 'bound') return false;
  const {issuedAt, expiresAt} = credentialFor(stored, peer)?.kubeconfig?.claims ?? {};
  if (!issuedAt || !expiresAt) return false;
  const lifetimeMs = expiresAt.getTime() - issuedAt.getTime();
  return lifetimeMs > 0 && lifetimeMs < shortestLifetimeMs;
}

/** Whether one of the istiods loses a cluster's endpoints when its remote secret changes. */
function losesEndpoints({controlPlanes, istiodMetrics}: LinkEvidence): boolean {
  return controlPlanes.self
    .flatMap((one) => runningVersions(one, istiodMetrics?.self ?? []))
    .some(({version}) => affects(remoteSecretDefects.endpoints, version));
}
