/** Facts of one cluster about endpoint discovery, from its API server and the kubeconfig. */
import type {KubeconfigAddress} from '../../discovery/api-server.js';
import type {RemoteCredential} from '../../discovery/remote-secret.js';

/** A remote secret with a name that this program and istioctl give it. */
export interface RemoteSecretFacts {
  readonly name: string;
  /** Whether it has the label by which istiod finds it. */
  readonly labeled: boolean;
  /** Whether `link` wrote it, which proves that istiod has read the cluster with it. */
  readonly isLinked: boolean;
  /** The annotation with Istio's name of the cluster. */
  readonly annotation?: string;
  /** One for each data key. */
  readonly credentials: readonly RemoteCredential[];
  /** When its data was last written, or when it was created; absent if the object does not record it. */
  readonly writtenAt?: Date;
  /** Another tool that writes it, if known: `link` then refuses to change it. */
  readonly managedBy?: string;
  /** Why its data cannot be changed in place: `is immutable`; absent if it can. */
  readonly unchangeable?: string;
}

/** How other clusters reach a cluster's API server, besides what mesh.yaml declares. */
export interface ApiServerFacts {
  /** As the kubeconfig reaches it; absent if no other cluster reads this one. */
  readonly kubeconfig?: KubeconfigAddress;
  /** Data `ca.crt` of ConfigMap kube-root-ca.crt in Istio's namespace, PEM; absent if there is none. */
  readonly rootCa?: string;
}
