/** The actions of `verify --traffic`. */
import type {KubeObject} from '../domain/kube/object.js';
import type {ClusterAction} from './action-base.js';

/** Creates the pods of one cluster, and what they need, and waits until they are ready. */
export interface DeployTraffic extends ClusterAction, TrafficPlace {
  readonly kind: 'deploy-traffic';
  /** What an earlier run left behind is removed first; `run` is absent if nothing shows which one. */
  readonly leftover?: {readonly run?: string};
  /** Absent: it exists, and stays. */
  readonly namespace?: KubeObject;
  /** In creation order; the first one shows who holds the namespace. */
  readonly objects: readonly KubeObject[];
  /** For a remote: the context of its primary, in which the policies that protect its pods must exist. */
  readonly protectedBy?: string;
  /** A pod that is only validated: whether it would get a proxy. Absent in ambient mode. */
  readonly probe?: KubeObject;
  readonly run: string;
  /** How long removing takes at most. Milliseconds. */
  readonly removeTimeoutMs: number;
  readonly timeoutMs: number;
}

/** Where the objects of a cluster are, and whether their namespace was created with them. */
export interface TrafficPlace {
  readonly keepsNamespace: boolean;
}

/** Sends requests from the client pod of one cluster to the echo pods of all, until all are answered or the time is over. */
export interface SendRequests extends ClusterAction {
  readonly kind: 'send-requests';
  readonly clientPod: string;
  readonly targets: readonly RequestTarget[];
  /** Of Istio: its policies apply to all namespaces. */
  readonly istioNamespace: string;
  readonly timeoutMs: number;
}

/** The echo pods of one cluster. */
export interface RequestTarget {
  readonly cluster: string;
  /** The host of their Service. */
  readonly host: string;
  /** Where istiod reads the policies for them: for a remote, in its primary. */
  readonly policyContext: string;
  /** Their names: one of them is the body of each response. */
  readonly pods: readonly string[];
}

/** Removes what was created in one cluster. */
export interface RemoveTraffic extends ClusterAction, TrafficPlace {
  readonly kind: 'remove-traffic';
  /** Only what this run created. */
  readonly run: string;
  readonly timeoutMs: number;
}
