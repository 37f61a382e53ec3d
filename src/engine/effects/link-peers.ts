/** Writes remote secrets with new tokens, and proves that istiod reads the peers through them. */
import {isDeepStrictEqual} from 'node:util';
import pMap from 'p-map';
import {defined} from '../../domain/defined.js';
import {asMeshError, MeshError, reportError} from '../../domain/errors.js';
import {some} from '../../domain/format.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {SecretObject} from '../../domain/kube/objects.js';
import {describeRef, refOf} from '../../domain/kube/paths.js';
import {advice, inspectWith, words} from '../../domain/suggest/suggestion.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {AwaitDiscovery, DiscoveryPeer, LinkPeers, PeerLink} from '../action.js';
import type {DiscoveryResult, PeerResult} from '../action-result.js';
import type {Effect, EffectContext} from '../effect.js';
import {PartialFailure} from '../partial-failure.js';
import {issueToken} from './issue-token.js';
import {createOrReplace, remove} from './objects.js';
import {proveDiscovery} from './prove-discovery.js';
import {remoteSecretToSend} from './remote-secret-payload.js';
import {restartDeployment} from './restart-workload.js';
import {refuseKeys, textsOf} from './root-key-guard.js';

/** How many peers are linked to one reader at the same time. */
const concurrency = 10;

/** A peer with the result of its write. */
interface Written {
  readonly peer: PeerLink;
  /** The remote secret as written. */
  readonly object?: KubeObject;
  readonly expiresAt?: Date | undefined;
  readonly failure?: {readonly at: string; readonly error: MeshError};
}

/** Writes, restarts istiod where it would lose endpoints, proves, and restores what istiod cannot use. */
export const linkPeers: Effect<'link-peers'> = async (action, context) => {
  const {deps} = context;
  const {peers, restart, restartTimeoutMs} = action;
  const api = await deps.clusters.open(action.context);
  const all = await pMap(peers, (peer) => writePeer(api, action, peer, context), {concurrency});
  const written = all.filter(({object}) => object !== undefined);
  const restartAll = async (): Promise<void> => {
    for (const ref of restart) await restartDeployment(api, {ref, timeoutMs: restartTimeoutMs}, context);
  };
  let unread: ReadonlyMap<string, string> = new Map();
  if (written.length > 0) {
    await restartAll();
    const proven = written.map(({peer}) => peer);
    const hasChanged = ({cluster}: DiscoveryPeer): boolean =>
      peers.some((one) => one.cluster === cluster && one.before !== undefined);
    context.line('wait until istiod has read the clusters');
    unread = await proveDiscovery(api, {...action, peers: proven, hasChanged}, context);
  }
  const results = await pMap(all, (one) => resultOf(one, unread, {api, action, context}), {concurrency});
  if (results.some(({status}) => status === 'restored')) await restartAll();
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

/** Requests a token, has it confirmed, and writes the remote secret. Never throws but for what ends the run. */
async function writePeer(api: KubeApi, action: LinkPeers, peer: PeerLink, context: EffectContext): Promise<Written> {
  const {deps, line} = context;
  let at = peer.cluster;
  try {
    line(`request a token from ${peer.cluster}`);
    const issued = await issueToken(peer, action.namespace, context);
    at = action.cluster;
    const object = remoteSecretToSend(action, peer, issued, deps.now());
    line(`write ${describeRef(refOf(object))}`);
    await refuseKeys(textsOf(object), action.cluster, deps, action.title);
    await createOrReplace(api, object, 'none');
    return {peer, object, expiresAt: issued.expiresAt};
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (['bug', 'interrupted', 'timeout'].includes(error.class)) throw error;
    return {peer, failure: {at, error}};
  }
}

interface Restoring {
  readonly api: KubeApi;
  readonly action: LinkPeers;
  readonly context: EffectContext;
}

/** The result for a peer; restores the previous remote secret if istiod has not read the peer through the new one. */
async function resultOf(
  {peer, object, expiresAt, failure}: Written,
  unread: ReadonlyMap<string, string>,
  restoring: Restoring,
): Promise<PeerResult> {
  const {cluster, change} = peer;
  if (failure || !object) {
    return defined({
      peer: cluster,
      change,
      status: 'failed',
      at: failure?.at,
      error: failure && reportError(failure.error),
    });
  }
  const reason = unread.get(cluster);
  if (reason === undefined)
    return defined({peer: cluster, change, status: 'read', tokenExpires: expiresAt?.toISOString()});
  const {action} = restoring;
  const kept = await restore(peer, object, restoring);
  const error = notSynced(action, peer, `${reason}; ${kept ?? restoredWords(peer)}`);
  return {
    peer: cluster,
    change,
    status: kept === undefined ? 'restored' : 'failed',
    at: action.cluster,
    error: reportError(error),
  };
}

function restoredWords({before}: PeerLink): string {
  return before ? 'the previous remote secret is restored' : 'the remote secret is deleted again';
}

/** Puts the previous remote secret back, or deletes the new one. Returns why that failed. */
async function restore(
  {before, secret}: PeerLink,
  object: KubeObject,
  {api, action: {namespace}}: Restoring,
): Promise<string | undefined> {
  const ref = {apiVersion: 'v1', kind: 'Secret', namespace, name: secret};
  try {
    const now = await api.find<SecretObject>(ref);
    // What another client has done meanwhile stays.
    if (!now) return before ? 'the remote secret no longer exists' : undefined;
    if (!isDeepStrictEqual(now.data, object.data)) return 'the remote secret was changed by another client';
    const {uid, resourceVersion} = now.metadata;
    if (!before) {
      await remove(api, ref, defined({uid, resourceVersion}), 'none');
      return undefined;
    }
    const {labels, annotations} = before.metadata;
    const data = Object.entries(before.data).map(([key, value]) => [key, value.reveal().toString('base64')] as const);
    const previous: KubeObject = {
      ...object,
      data: Object.fromEntries(data),
      metadata: defined({name: secret, namespace, labels, annotations, resourceVersion}),
    };
    await createOrReplace(api, previous, 'none');
    return undefined;
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    return `the previous state could not be restored: ${error.message}`;
  }
}

function notSynced(
  {cluster, context, namespace}: LinkPeers | AwaitDiscovery,
  peer: DiscoveryPeer,
  reason: string,
): MeshError {
  const logs = inspectWith.kubectl({context}, words`-n ${namespace} logs -l app=istiod --tail=-1`);
  return new MeshError('NOT_SYNCED', `istiod of ${cluster} has not read cluster ${peer.cluster}: ${reason}`, {
    hints: [advice`find the cause in istiod's log: ${logs}`],
  });
}

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
