/** What link and unlink know of one cluster, as a reader and as a peer. */
import {defined} from '../defined.js';
import type {ServiceShards} from './lost-endpoints.js';
import type {KnownVersion} from '../istio/versions.js';
import {managerOf} from '../kube/manager.js';
import type {ObjectMeta, SecretData} from '../kube/object.js';
import type {SecretObject} from '../kube/objects.js';
import {isKnown, type Observed} from '../observed.js';
import {Sensitive} from '../sensitive.js';
import type {KubeconfigAddress} from './api-server.js';
import {readRemoteSecret, type RemoteCredential} from './remote-secret.js';

/** A Secret of discovery in a cluster: a remote secret, or a reader Secret. */
export interface StoredSecret {
  readonly metadata: ObjectMeta;
  readonly type: string;
  readonly immutable: boolean;
  readonly data: SecretData;
  /** Another tool that writes it, if known: `Argo CD application mesh`. */
  readonly managedBy?: string;
}

/** A remote secret with the credentials in it. */
export interface StoredRemoteSecret extends StoredSecret {
  readonly credentials: readonly RemoteCredential[];
}

/** Reads a Secret. */
export function readStoredSecret(secret: SecretObject): StoredSecret {
  const {metadata, type = 'Opaque', immutable = false, data = {}} = secret;
  const decoded = Object.entries(data).map(
    ([key, value]) => [key, new Sensitive(Buffer.from(value, 'base64'))] as const,
  );
  return defined<StoredSecret>({
    metadata,
    type,
    immutable,
    data: Object.fromEntries(decoded),
    managedBy: managerOf(secret),
  });
}

/** Reads a remote secret. */
export function readStoredRemoteSecret(secret: SecretObject): StoredRemoteSecret {
  return {...readStoredSecret(secret), credentials: readRemoteSecret(secret)};
}

/** A cluster that a running istiod lists (`/debug/clusterz`). */
export interface KnownRemote {
  /** Istio's name of the cluster. */
  readonly id: string;
  /** NAMESPACE/NAME of the remote secret; empty for istiod's own cluster. */
  readonly secretName: string;
  readonly status: string;
}

/** One istiod Deployment. */
export interface DiscoveryIstiod {
  readonly deployment: string;
  readonly version: KnownVersion;
  /** Whether it reads only some namespaces (discoverySelectors): a peer may then have no endpoints that it reads. */
  readonly isSelective: boolean;
  readonly pods: readonly DiscoveryPod[];
}

/** One running istiod pod. */
export interface DiscoveryPod {
  readonly name: string;
  /** No new proxy connects to it. */
  readonly notReady?: true;
  /** The clusters that it knows. `undefined`: this version does not report them. */
  readonly clusters: Observed<readonly KnownRemote[] | undefined>;
  /** The services with their endpoints. Absent: neither unlink nor a defect of this version requires them. */
  readonly services?: Observed<readonly ServiceShards[]>;
}

/**
 * The pods that decide what a cluster's istiod reads: those that are ready, or all if none is. One that is not ready, such as a new or
 * a crashing one, must not hold up the others.
 */
export function decisivePods(istiods: readonly DiscoveryIstiod[]): readonly DiscoveryPod[] {
  const pods = istiods.flatMap((istiod) => istiod.pods);
  const ready = pods.filter(({notReady}) => !notReady);
  return ready.length > 0 ? ready : pods;
}

/** The observed facts of one cluster. */
export interface DiscoveryObservation {
  readonly at: Date;
  readonly context: string;
  /** UID of kube-system, which identifies the cluster. */
  readonly uid: Observed<string>;
  /** The istiods in Istio's namespace; empty if Istio is not installed, or for a remote. */
  readonly istiods: Observed<readonly DiscoveryIstiod[]>;
  /** Whether the service account exists as which other clusters read it. */
  readonly hasReaderAccount: Observed<boolean>;
  /** Data `ca.crt` of ConfigMap kube-root-ca.crt in Istio's namespace; undefined if there is none, or if it is not needed. */
  readonly rootCa: Observed<string | undefined>;
  /** The API server in the kubeconfig; undefined where no cluster needs it, or mesh.yaml declares another one. */
  readonly server: Observed<KubeconfigAddress | undefined>;
  /** As a peer: the reader Secrets of both kinds, by name. */
  readonly readerSecrets: ReadonlyMap<string, Observed<StoredSecret | undefined>>;
  /** As a reader: its remote secrets by name in the cluster: those that link names, and others that istiod uses for a peer. */
  readonly remoteSecrets: ReadonlyMap<string, Observed<StoredRemoteSecret | undefined>>;
  /** For unlink. Unknown: Secrets could not be listed, so that others than those that link names may exist. */
  readonly listed?: Observed<true>;
}

/** The names of the Secrets in Istio's namespace from which the running istiods of a cluster read another one. */
export function secretsInUse(
  seen: Pick<DiscoveryObservation, 'istiods'>,
  namespace: string,
  istioName: string,
): readonly string[] {
  return secretsInUseFor(seen, namespace, (id) => id === istioName);
}

/** The same for the clusters of which Istio's name matches. istiod reads no other namespace. */
export function secretsInUseFor(
  {istiods}: Pick<DiscoveryObservation, 'istiods'>,
  namespace: string,
  matches: (istioName: string) => boolean,
): readonly string[] {
  if (!isKnown(istiods)) return [];
  const prefix = `${namespace}/`;
  const rows = istiods.value.flatMap(({pods}) =>
    pods.flatMap(({clusters}) => (isKnown(clusters) ? (clusters.value ?? []) : [])),
  );
  const names = rows
    .filter(({id, secretName}) => secretName.startsWith(prefix) && matches(id))
    .map(({secretName}) => secretName.slice(prefix.length));
  return [...new Set(names)];
}
