/** What becomes of a reader's Secrets in a peer, to which its tokens are bound, or which contain them. */
import {defined} from '../defined.js';
import {isKnown, type Observed, valueOr} from '../observed.js';
import {readerSecretName, type TokenKind} from './names.js';
import type {DiscoveryObservation, StoredRemoteSecret, StoredSecret} from './observation.js';
import type {DiscoveryPair} from './pairs.js';
import {credentialFor} from './remote-secret.js';

/** The reader Secrets of a pair. */
export interface ReaderSecretDecision {
  /** The name of the one for the declared kind of token. */
  readonly name: string;
  /** It does not exist: a new token needs it first. */
  readonly isNew: boolean;
  /** The one of the other kind, to be deleted when istiod reads the peer with a token of the declared kind. */
  readonly superseded?: {readonly name: string; readonly uid: string};
}

/** Returns the reader Secret for the declared kind of token, as it was observed; undefined if there is none. */
export function observedReaderSecret(
  {reader}: DiscoveryPair,
  {readerSecrets}: Pick<DiscoveryObservation, 'readerSecrets'>,
  token: TokenKind,
): Observed<StoredSecret | undefined> {
  return readerSecrets.get(readerSecretName(reader, token)) ?? {value: undefined};
}

/** Decides about both. `isReplaced`: the reader uses a token of the declared kind, or will. */
export function decideReaderSecret(
  pair: DiscoveryPair,
  peer: Pick<DiscoveryObservation, 'readerSecrets'>,
  token: TokenKind,
  isReplaced: boolean,
): ReaderSecretDecision {
  const own = observedReaderSecret(pair, peer, token);
  const other = valueOr(observedReaderSecret(pair, peer, token === 'bound' ? 'secret' : 'bound'), undefined);
  // One that another tool writes is that tool's to remove.
  const superseded = isReplaced && other?.managedBy === undefined ? other?.metadata : undefined;
  return defined<ReaderSecretDecision>({
    name: readerSecretName(pair.reader, token),
    isNew: isKnown(own) && own.value === undefined,
    superseded: superseded && {name: superseded.name, uid: superseded.uid ?? ''},
  });
}

/** Whether the token in a remote secret is that of the reader Secret for the declared kind. */
export function usesReaderSecret(
  {reader, peer}: DiscoveryPair,
  secret: Pick<StoredRemoteSecret, 'credentials'>,
  token: TokenKind,
): boolean {
  const claims = credentialFor(secret, peer)?.kubeconfig?.claims;
  return (claims?.boundSecret?.name ?? claims?.tokenSecret) === readerSecretName(reader, token);
}
