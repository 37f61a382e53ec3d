/** Writes remote secrets with new tokens, and proves that istiod reads the peers through them. */
import pMap from 'p-map';
import {defined} from '../../domain/defined.js';
import {asMeshError, MeshError, reportError} from '../../domain/errors.js';
import {some} from '../../domain/format.js';
import type {KubeObject} from '../../domain/kube/object.js';
import {describeRef, refOf} from '../../domain/kube/paths.js';
import {layout} from '../../domain/mesh/layout.js';
import {advice, edit, fixWith, inspectWith, inWorkDir, words} from '../../domain/suggest/suggestion.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {AwaitDiscovery, DiscoveryPeer, LinkPeers, PeerLink} from '../discovery-action.js';
import type {DiscoveryResult, PeerResult} from '../action-result.js';
import type {Effect, EffectContext} from '../effect.js';
import {PartialFailure} from '../partial-failure.js';
import {issueToken} from './issue-token.js';
import {createOrReplace} from './objects.js';
import {proveDiscovery} from './prove-discovery.js';
import {discardNew, revokeSuperseded} from './reader-secrets.js';
import {remoteSecretToSend} from './remote-secret-payload.js';
import {restartDeployment, startRestart} from './restart-workload.js';
import {restoreRemoteSecret} from './restore-remote-secret.js';
import {refuseKeys, textsOf} from './root-key-guard.js';

/** How many peers are linked to one reader at the same time: as many requests to the reader. */
const concurrency = 10;

/** The link of one peer so far. */
interface Attempt {
  readonly peer: PeerLink;
  /** The remote secret that was sent. */
  readonly sent?: KubeObject;
  readonly expiresAt?: Date | undefined;
  readonly failure?: Failure;
}

interface Failure {
  readonly error: MeshError;
  /** The cluster that is the cause. */
  readonly at: string;
  /** The remote secret was written, or may have been, and must not stay. */
  readonly mustRestore: boolean;
  readonly isRestored?: boolean;
}

interface Linking {
  /** The reader. */
  readonly api: KubeApi;
  readonly action: LinkPeers;
  readonly context: EffectContext;
}

/** Writes, restarts istiod where it would lose endpoints, proves, and restores what istiod cannot use. */
export const linkPeers: Effect<'link-peers'> = async (action, context) => {
  const api = await context.deps.clusters.open(action.context);
  const linking = {api, action, context};
  // Nothing is written before it is known that istiod may be restarted.
  for (const ref of action.restart) await startRestart(api, ref, context.deps, 'server');
  const written = await pMap(action.peers, (peer) => writePeer(peer, linking), {concurrency});
  const proven = await proveWritten(written, linking);
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

/** Requests a token, has it confirmed, and writes the remote secret. Throws only bugs. */
async function writePeer(peer: PeerLink, {api, action, context}: Linking): Promise<Attempt> {
  const {deps, line} = context;
  let attempt: Attempt = {peer};
  let at = peer.cluster;
  try {
    line(`request a token from ${peer.cluster}`);
    const issued = await issueToken(peer, action.namespace, context);
    at = action.cluster;
    const sent = remoteSecretToSend(action, peer, issued);
    line(`write ${describeRef(refOf(sent))}`);
    await refuseKeys(textsOf(sent), action.cluster, deps, action.title);
    deps.signal.throwIfAborted();
    attempt = {peer, sent, expiresAt: issued.expiresAt};
    await createOrReplace(api, sent, 'none');
    return attempt;
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    // After an abort the write may have arrived; after any other error, the next run reads what is there.
    const mustRestore = attempt.sent !== undefined && deps.signal.aborted;
    return {...attempt, failure: {error, at, mustRestore}};
  }
}

/** Restarts istiod where it would lose endpoints, and marks each written peer that istiod has not read. */
async function proveWritten(
  attempts: readonly Attempt[],
  {api, action, context}: Linking,
): Promise<readonly Attempt[]> {
  const written = attempts.filter(({failure}) => !failure).map(({peer}) => peer);
  if (written.length === 0) return attempts;
  const read = new Set<string>();
  let errorOf: (peer: PeerLink) => MeshError;
  try {
    await restartAll(api, action, context);
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
    return {...attempt, failure: {error: errorOf(attempt.peer), at: action.cluster, mustRestore: true}};
  });
}

async function restartAll(api: KubeApi, action: LinkPeers, context: EffectContext): Promise<void> {
  for (const ref of action.restart) {
    try {
      await restartDeployment(api, {ref, timeoutMs: action.restartTimeoutMs}, context);
    } catch (thrown) {
      const what = `istiod of ${action.cluster} could not be restarted, and loses endpoints without it`;
      throw withMessage(asMeshError(thrown), (message) => `${what}: ${message}`);
    }
  }
}

/**
 * Restores the remote secrets that istiod has not read, through a kubectl process that outlives an abort of the run: only this
 * process has the previous ones.
 */
async function restoreUnread(
  attempts: readonly Attempt[],
  {api, action, context}: Linking,
): Promise<readonly Attempt[]> {
  if (!attempts.some(({failure}) => failure?.mustRestore)) return attempts;
  context.line('restore the previous state');
  let session: KubeApi;
  try {
    session = await api.detached();
  } catch (thrown) {
    const {message} = asMeshError(thrown);
    return attempts.map((attempt) => afterRestore(attempt, `the previous state could not be restored: ${message}`));
  }
  const restored = await pMap(
    attempts,
    async (attempt) => {
      const {peer, sent, failure} = attempt;
      if (!sent || !failure?.mustRestore) return attempt;
      return afterRestore(attempt, await restoreRemoteSecret(session, sent, peer.before));
    },
    {concurrency},
  );
  return restartAfterRestore(session, restored, {api, action, context});
}

/** Adds what became of the restoration. `problem`: why the previous state is not in place. */
function afterRestore(attempt: Attempt, problem: string | undefined): Attempt {
  const {peer, failure} = attempt;
  if (!failure?.mustRestore) return attempt;
  const done = peer.before ? 'the previous remote secret is restored' : 'the remote secret is deleted again';
  const error = withMessage(failure.error, (message) => `${message}; ${problem ?? done}`);
  return {...attempt, failure: {...failure, error, isRestored: problem === undefined}};
}

/** istiod loses endpoints by the restoration, too. After an abort nothing waits for its new pods. */
async function restartAfterRestore(
  session: KubeApi,
  attempts: readonly Attempt[],
  {action, context}: Linking,
): Promise<readonly Attempt[]> {
  const {deps} = context;
  if (!attempts.some(({failure}) => failure?.isRestored)) return attempts;
  try {
    if (!deps.signal.aborted) await restartAll(session, action, context);
    for (const ref of deps.signal.aborted ? action.restart : []) await startRestart(session, ref, deps, 'none');
    return attempts;
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    const names = action.restart.map(({name}) => `deployment/${name}`);
    const restart = fixWith.kubectl(action, words`-n ${action.namespace} rollout restart ${names.join(' ')}`);
    const hint = advice`istiod has lost endpoints until it restarts: ${restart}`;
    return attempts.map((attempt) => {
      const {failure} = attempt;
      if (!failure?.isRestored) return attempt;
      const {code, message, hints, cause} = failure.error;
      return {...attempt, failure: {...failure, error: new MeshError(code, message, {hints: [hint, ...hints], cause})}};
    });
  }
}

/** Revokes the token that is no longer needed: the previous one of a proven pair, the new one of a failed pair. */
async function endTokens(
  {peer, expiresAt, failure}: Attempt,
  namespace: string,
  context: EffectContext,
): Promise<PeerResult> {
  const {cluster, change} = peer;
  if (failure) {
    const {error, at, mustRestore, isRestored} = failure;
    if (!mustRestore || isRestored) await discardNew(peer, namespace, context);
    const status = isRestored ? 'restored' : 'failed';
    return {peer: cluster, change, status, at, error: reportError(error)};
  }
  const tokenExpires = expiresAt?.toISOString();
  const error = await revokeSuperseded(peer, namespace, context);
  if (!error) return defined({peer: cluster, change, status: 'read', tokenExpires});
  return defined({peer: cluster, change, status: 'failed', tokenExpires, at: cluster, error: reportError(error)});
}

function withMessage({code, message, hints, cause}: MeshError, change: (message: string) => string): MeshError {
  return new MeshError(code, change(message), {hints, cause});
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
