/** The command that links a pair, with what `link` requires first: its own decisions (src/domain/discovery/decide-link.ts). */
import {addressProblem, resolveApiServer} from '../../discovery/api-server.js';
import type {RemoteCredential} from '../../discovery/remote-secret.js';
import {declaredTooShort} from '../../discovery/short-token.js';
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
import {some} from '../../format.js';
import {remoteSecretDefects} from '../../istio/remote-secret-defects.js';
import {affects} from '../../istio/since.js';
import {istioNameOf} from '../../mesh/istio-name.js';
import {
  advice,
  ClusterNames,
  type Hint,
  inspectWith,
  kubectlMesh,
  sequence,
  type Suggestion,
  words,
} from '../../suggest/suggestion.js';
import {runningVersions} from '../control-plane/running-versions.js';
import type {PairSubject} from '../check.js';
import {editMeshYaml} from '../fixes.js';
import type {Remedy} from '../remedies.js';
import {credentialFor, secretPlace} from './credentials.js';
import {entriesOfReader, otherEntriesFor, removeEntry, removeOthers} from './secret-entries.js';

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
 * otherwise lose endpoints, and accepts short tokens and a local address where it wrote such before. First comes what `link`
 * requires: an address, the service account, and the removal of a Secret with another name, or of one that cannot be changed. A
 * Secret that another tool manages is shown: `link` refuses it, and the tool would restore one that is removed.
 */
export function linkRemedy(subject: PairSubject, evidence: LinkEvidence): Remedy {
  const {cluster, peer} = subject;
  const install = kubectlMesh('install apply', [new ClusterNames([peer.name]), '--yes']);
  const account = evidence.readerAccount?.peer === false ? [install] : [];
  const inTheWay = secretInTheWay(subject, evidence);
  if ('note' in inTheWay) return {...inTheWay, fix: sequence(...account, inTheWay.fix)};
  const address = addressProblemOf(evidence, subject);
  const isRefused = address !== undefined && !isLocalAccepted(evidence, subject);
  const flags = [
    ...(losesEndpoints(evidence) ? ['--restart-istiod'] : []),
    ...(hasShortToken(evidence, subject) ? ['--accept-short-tokens'] : []),
    ...(isLocalAccepted(evidence, subject) ? ['--allow-local-address'] : []),
  ];
  const link = kubectlMesh('link', [new ClusterNames([cluster.name]), ...flags, '--yes']);
  return {
    fix: sequence(...(isRefused ? [editMeshYaml()] : []), ...account, ...inTheWay.removals, link),
    ...(isRefused && {note: addressNote(address)}),
  };
}

/** The note on a change of a Secret that another tool manages. */
export function managedNote(manager: string, place: string): string {
  return `${manager} manages ${place} and overwrites changes: change it there`;
}

/** Why `link` cannot replace a remote secret, with the command that shows it. */
interface Kept {
  readonly fix: Suggestion;
  readonly note: string;
}

/** What has to be removed before `link` can write the remote secret, or which Secret it cannot replace. */
function secretInTheWay(
  subject: PairSubject,
  {remoteSecrets, istiodClusters, remoteCredentials}: LinkEvidence,
): Kept | {readonly removals: readonly Suggestion[]} {
  const usual = remoteSecrets?.self;
  if (usual === undefined) return {removals: []};
  if (usual !== 'absent' && credentialFor(usual, subject.peer)) return usualInTheWay(usual, subject);
  const sources = {istiodClusters: istiodClusters?.self, remoteCredentials: remoteCredentials?.self};
  const entries = entriesOfReader(sources, subject);
  const managed = otherEntriesFor(subject.peer, entries).find(({managedBy}) => managedBy !== undefined);
  if (managed?.managedBy !== undefined) return kept(managed.secret, managed.managedBy, subject);
  const own = usual === 'absent' ? {removals: []} : usualInTheWay(usual, subject);
  return 'note' in own ? own : {removals: [...removeOthers(entries, subject), ...own.removals]};
}

function usualInTheWay(
  {name, managedBy, unchangeable, credentials}: RemoteSecretFacts,
  subject: PairSubject,
): Kept | {readonly removals: readonly Suggestion[]} {
  if (managedBy !== undefined) return kept(name, managedBy, subject);
  if (unchangeable === undefined) return {removals: []};
  const id = istioNameOf(subject.peer);
  const others = credentials.filter(({cluster}) => cluster !== id).map(({cluster}) => cluster);
  if (others.length === 0) return {removals: [removeEntry({secret: name, id}, [], subject)]};
  const place = secretPlace({...subject, secret: name});
  const note = `${place} ${unchangeable} and also has the credentials for ${some(others)}: create one that can be changed in its place`;
  return {fix: show(name, subject), note};
}

function kept(secret: string, manager: string, subject: PairSubject): Kept {
  return {fix: show(secret, subject), note: managedNote(manager, secretPlace({...subject, secret}))};
}

/** Shows a Secret without its data. */
function show(secret: string, {cluster, mesh}: PairSubject): Suggestion {
  return inspectWith.kubectl(cluster, words`-n ${mesh.istio.namespace} describe secret ${secret}`);
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

/** Whether mesh.yaml declares tokens that live for less time than `link` accepts, or the peer's API server granted such a token. */
function hasShortToken({remoteSecrets}: LinkEvidence, {mesh, peer}: Pair): boolean {
  if (declaredTooShort(mesh.discovery)) return true;
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
