/** How far `link-peers` has come with each peer. */
import {MeshError} from '../../domain/errors.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {LinkPeers, PeerLink} from '../discovery-action.js';
import type {EffectContext} from '../effect.js';

/** How many peers, or remote secrets, are handled at the same time: as many requests to the reader. */
export const concurrency = 10;

/** What every step needs. */
export interface Linking {
  /** The reader. */
  readonly api: KubeApi;
  readonly action: LinkPeers;
  readonly context: EffectContext;
}

/** The link of one peer so far. */
export interface Attempt {
  readonly peer: PeerLink;
  /** The remote secret that was sent; other peers may have their credentials in it as well. */
  readonly sent?: KubeObject;
  readonly expiresAt?: Date;
  readonly failure?: Failure;
}

/** Why a peer is not linked. */
export interface Failure {
  readonly error: MeshError;
  /** The cluster that is the cause. */
  readonly at: string;
  /**
   * What has become of the remote secret. `unwritten`: it is as before, for certain; `uncertain`: it is as before or as sent, or may
   * still become so; `written`: as sent, or perhaps after an abort, and to be restored; `restored`: as before again.
   */
  readonly secret: 'unwritten' | 'uncertain' | 'written' | 'restored';
}

/** Returns an error with another message. */
export function withMessage({code, message, hints, cause}: MeshError, change: (message: string) => string): MeshError {
  return new MeshError(code, change(message), {hints, cause});
}
