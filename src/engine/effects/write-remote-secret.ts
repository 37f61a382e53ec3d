/** Writes one remote secret with new tokens. */
import {defined} from '../../domain/defined.js';
import {asMeshError, type MeshError} from '../../domain/errors.js';
import {describeRef, refOf} from '../../domain/kube/paths.js';
import type {PeerLink} from '../discovery-action.js';
import {type AcceptedToken, issueToken} from './issue-token.js';
import type {Attempt, Failure, Linking} from './link-attempt.js';
import {createOrReplace} from './objects.js';
import {remoteSecretToSend} from './remote-secret-payload.js';
import {refuseKeys, textsOf} from './root-key-guard.js';

/**
 * Requests a token from each peer whose credential is in one remote secret, has them confirmed, and writes the Secret once: each of
 * several writes would conflict with the one before. A peer without a token keeps its credential. Throws only bugs.
 */
export async function writeRemoteSecret(peers: readonly PeerLink[], linking: Linking): Promise<readonly Attempt[]> {
  const requested = await Promise.all(peers.map(async (peer) => ({peer, ...(await requestToken(peer, linking))})));
  const [first, ...more] = requested.flatMap(({peer, issued}) => (issued ? [{peer, issued}] : []));
  const written = first ? await send([first, ...more], linking) : {};
  return requested.map(({peer, issued, failure}) =>
    defined<Attempt>(issued ? {peer, expiresAt: issued.expiresAt, ...written} : {peer, failure}),
  );
}

async function requestToken(
  peer: PeerLink,
  {action, context}: Linking,
): Promise<{readonly issued?: AcceptedToken; readonly failure?: Failure}> {
  try {
    context.line(`request a token from ${peer.cluster}`);
    return {issued: await issueToken(peer, action.namespace, context)};
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    return {failure: {error, at: peer.cluster, secret: 'unwritten'}};
  }
}

async function send(
  tokens: Parameters<typeof remoteSecretToSend>[1],
  {api, action, context}: Linking,
): Promise<Pick<Attempt, 'sent' | 'failure'>> {
  const {deps, line} = context;
  const secret = remoteSecretToSend(action, tokens);
  let sent: Attempt['sent'];
  try {
    line(`write ${describeRef(refOf(secret))}`);
    await refuseKeys(textsOf(secret), action.cluster, deps, action.title);
    deps.signal.throwIfAborted();
    sent = secret;
    await createOrReplace(api, secret, 'none');
    return {sent};
  } catch (thrown) {
    const error = asMeshError(thrown);
    if (error.class === 'bug') throw error;
    const failure: Failure = {
      error,
      at: action.cluster,
      secret: sent ? stateAfter(error, deps.signal.aborted) : 'unwritten',
    };
    return defined({sent, failure});
  }
}

/** A write that may have arrived is restored only after an abort: otherwise, the next run reads what is there. */
function stateAfter({code}: MeshError, isAborted: boolean): Failure['secret'] {
  if (isAborted) return 'written';
  return code === 'WRITE_UNCERTAIN' ? 'uncertain' : 'unwritten';
}
