/** Writes remote secrets with new tokens, and proves that istiod reads the peers through them. */
import pMap from 'p-map';
import {defined} from '../../domain/defined.js';
import {asMeshError, MeshError, reportError} from '../../domain/errors.js';
import {some} from '../../domain/format.js';
import {groupBy} from '../../domain/group-by.js';
import {layout} from '../../domain/mesh/layout.js';
import {advice, edit, inspectWith, inWorkDir, words} from '../../domain/suggest/suggestion.js';
import type {AwaitDiscovery, DiscoveryPeer, LinkPeers, PeerLink} from '../discovery-action.js';
import type {DiscoveryResult, PeerResult} from '../action-result.js';
import type {Effect, EffectContext} from '../effect.js';
import {PartialFailure} from '../partial-failure.js';
import {type Attempt, concurrency, type Linking} from './link-attempt.js';
import {proveDiscovery} from './prove-discovery.js';
import {discardNew, revokeSuperseded} from './reader-secrets.js';
import {restartIstiods} from './restart-istiods.js';
import {startRestart} from './restart-workload.js';
import {restoreUnread} from './restore-unread.js';
import {writeRemoteSecret} from './write-remote-secret.js';

/** Writes, restarts istiod where it would lose endpoints, proves, and restores what istiod cannot use. */
export const linkPeers: Effect<'link-peers'> = async (action, context) => {
  const api = await context.deps.clusters.open(action.context);
  const linking = {api, action, context};
  // Nothing is written before it is known that istiod may be restarted.
  for (const ref of action.restart) await startRestart(api, ref, context.deps, 'server');
  const bySecret = [...groupBy(action.peers, ({secret}) => secret).values()];
  const written = await pMap(bySecret, (peers) => writeRemoteSecret(peers, linking), {concurrency});
  const proven = await proveWritten(written.flat(), linking);
  const restored = await restoreUnread(proven, linking);
  const results = await pMap(restored, (attempt) => endTokens(attempt, action.namespace, context), {concurrency});
  return complete(action, results);
};

/** Waits until istiod has read peers through existing remote secrets. */
export const awaitDiscovery: Effect<'await-discovery'> = async (action, context) => {
  const api = await context.deps.clusters.open(action.context);
  const unread = await proveDiscovery(api, {...action, hasChanged: () => false}, context);
  const results = action.peers.map((peer): PeerResult => {
    const reason = unread.get(peer.cluster);
    if (reason === undefined) return {peer: peer.cluster, status: 'read'};
    const error = notSynced(action, peer, reason);
    return {peer: peer.cluster, status: 'failed', at: action.cluster, error: reportError(error)};
  });
  return complete(action, results);
};

/** Restarts istiod where it would lose endpoints, and marks each written peer that istiod has not read. */
async function proveWritten(attempts: readonly Attempt[], linking: Linking): Promise<readonly Attempt[]> {
  const {api, action, context} = linking;
  const written = attempts.filter(({failure}) => !failure).map(({peer}) => peer);
  if (written.length === 0) return attempts;
  const read = new Set<string>();
  let errorOf: (peer: PeerLink) => MeshError;
  try {
    await restartIstiods(api, action, context);
    context.line('wait until istiod has read the clusters');
    const hasChanged = ({cluster}: DiscoveryPeer): boolean =>
      written.some((one) => one.cluster === cluster && one.before !== undefined);
    const onRead = (cluster: string): void => void read.add(cluster);
    const unread = await proveDiscovery(api, {...action, peers: written, hasChanged, onRead}, context);
    errorOf = (peer) => notSynced(action, peer, unread.get(peer.cluster) ?? '');
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    errorOf = () => error;
  }
  return attempts.map((attempt) => {
    if (attempt.failure || read.has(attempt.peer.cluster)) return attempt;
    return {...attempt, failure: {error: errorOf(attempt.peer), at: action.cluster, secret: 'written'}};
  });
}

/** Revokes the token that is no longer needed: the previous one of a proven pair, the new one of a failed pair. */
async function endTokens(
  {peer, expiresAt, failure}: Attempt,
  namespace: string,
  context: EffectContext,
): Promise<PeerResult> {
  const {cluster, change} = peer;
  if (failure) {
    const {error, at, secret} = failure;
    // A token that may be in use must not end.
    if (secret === 'unwritten' || secret === 'restored') await discardNew(peer, namespace, context);
    return {peer: cluster, change, status: statusAfter[secret], at, error: reportError(error)};
  }
  const tokenExpires = expiresAt?.toISOString();
  const error = await revokeSuperseded(peer, namespace, context);
  if (!error) return defined({peer: cluster, change, status: 'read', tokenExpires});
  return defined({peer: cluster, change, status: 'read', tokenExpires, at: cluster, error: reportError(error)});
}

const statusAfter = {unwritten: 'failed', uncertain: 'written', written: 'written', restored: 'restored'} as const;

/** Returns the result if every peer has been read. Throws {@link PartialFailure}. */
function complete(action: LinkPeers | AwaitDiscovery, peers: readonly PeerResult[]): DiscoveryResult {
  const failed = peers.filter(({error}) => error !== undefined);
  // After a conflict the engine gathers and plans again.
  const first = failed.find(({error}) => error?.code === 'CONFLICT')?.error ?? failed[0]?.error;
  if (!first) return {peers};
  const names = some(failed.map(({peer}) => peer));
  const message = peers.length === 1 ? first.message : `${action.cluster} does not read ${names}: ${first.message}`;
  throw new PartialFailure<'link-peers'>(new MeshError(first.code, message, {hints: first.hints}), {peers});
}

/** The error for a peer that istiod has not read. */
function notSynced(
  {cluster, context, namespace}: LinkPeers | AwaitDiscovery,
  peer: DiscoveryPeer,
  reason: string,
): MeshError {
  const logs = inspectWith.kubectl({context}, words`-n ${namespace} logs -l app=istiod --tail=-1`);
  return new MeshError('NOT_SYNCED', `istiod of ${cluster} has not read cluster ${peer.cluster}: ${reason}`, {
    hints: [
      advice`istiod's pods must reach ${peer.server}: otherwise correct apiServer of ${peer.cluster}, and link again: ${edit(inWorkDir(layout.meshYaml))}`,
      advice`find the cause in istiod's log: ${logs}`,
    ],
  });
}
