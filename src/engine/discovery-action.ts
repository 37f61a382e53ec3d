/** The actions of endpoint discovery, which end when istiod has followed them. */
import type {LinkChange} from '../domain/discovery/decide-link.js';
import type {ClusterServices} from '../domain/discovery/lost-endpoints.js';
import type {StoredSecret} from '../domain/discovery/observation.js';
import type {ApiServerAddress} from '../domain/discovery/remote-kubeconfig.js';
import type {ObjectRef} from '../domain/kube/object.js';
import type {ClusterAction} from './action-base.js';

/** One peer of a reader, for discovery. */
export interface DiscoveryPeer {
  /** Its name in mesh.yaml. */
  readonly cluster: string;
  /** Istio's name of it. */
  readonly istioName: string;
  /** The remote secret's name, in Istio's namespace of the reader. */
  readonly secret: string;
  /** The URL of its API server in the remote secret, for messages: without credentials. */
  readonly server: string;
}

/** A remote secret to write, with a new token from the peer. */
export interface PeerLink extends DiscoveryPeer {
  readonly change: LinkChange;
  /** The peer's context. */
  readonly context: string;
  readonly address: ApiServerAddress;
  /**
   * The Secret in the peer to which the token is bound, or which contains it. `isNew`: this plan creates it, and it is deleted again if
   * the pair fails.
   */
  readonly readerSecret: {readonly name: string; readonly isNew: boolean};
  /** The Secret of the reader's previous token, of the other kind: deleted when the new token has been proven. */
  readonly superseded?: {readonly name: string; readonly uid: string};
  readonly token:
    | {readonly type: 'secret'}
    /** Milliseconds. A token that is granted for less than `shortestMs` is refused. */
    | {readonly type: 'bound'; readonly lifetimeMs: number; readonly shortestMs: number};
  /** The remote secret to replace; restored if istiod cannot read the peer through the new one. */
  readonly before?: StoredSecret;
  /** The data keys of `before` that stay as they are: credentials for other clusters. */
  readonly keeps: readonly string[];
}

/** The fields of actions that wait for a reader's istiods. */
interface ReaderAction extends ClusterAction {
  readonly namespace: string;
  /** Istio's name of the reader. */
  readonly istioName: string;
  /** Whether its istiods read only some namespaces: a peer may then have no endpoints that they read. */
  readonly isSelective: boolean;
  /** Whether its versions of istiod report the clusters that they read, and the endpoints in them. */
  readonly reports: {readonly clusters: boolean; readonly endpoints: boolean};
  readonly timeoutMs: number;
}

/**
 * Lets a reader read peers: for each of them requests a token, has its API server confirm it, and writes the remote secret; then
 * waits until every istiod pod of the reader has read the peers. Where one has not, or the run is aborted before, the previous
 * remote secret is restored, or the new one deleted. One action for all peers of a reader, because its istiods are queried once for
 * all, and a remote secret with the credentials of several peers is written once; it fails partly.
 */
export interface LinkPeers extends ReaderAction {
  readonly kind: 'link-peers';
  readonly peers: readonly PeerLink[];
  /** istiod Deployments that lose endpoints when a remote secret changes: restarted after the writes. */
  readonly restart: readonly ObjectRef[];
  readonly restartTimeoutMs: number;
}

/** Waits until every istiod pod of a reader has read peers through existing remote secrets. */
export interface AwaitDiscovery extends ReaderAction {
  readonly kind: 'await-discovery';
  readonly peers: readonly DiscoveryPeer[];
}

/** Waits until every istiod pod of a cluster has forgotten others after their remote secrets were removed. */
export interface AwaitUnlinked extends ClusterAction {
  readonly kind: 'await-unlinked';
  readonly namespace: string;
  /** Istio's names of the clusters that must no longer be read. */
  readonly gone: readonly string[];
  /** The clusters that must still have endpoints. */
  readonly kept: readonly ClusterServices[];
  /** Whether this version of istiod lists the clusters that it reads; otherwise only endpoints show it. */
  readonly listsClusters: boolean;
  readonly timeoutMs: number;
}
