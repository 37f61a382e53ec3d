/**
 * Names of the objects of endpoint discovery. The *reader* is the cluster whose istiod reads another one, the *peer* is the
 * cluster that is read. Names are those of `istioctl create-remote-secret` (istio/istio
 * istioctl/pkg/multicluster/remote_secret.go), so that a mesh linked by either can be linked by the other.
 */
import {managedByLabel} from '../kube/manager.js';
import {fieldManager} from '../kube/paths.js';
import type {MeshFileCluster} from '../mesh/schema.js';
import {canCreateRemoteSecret, istioNameOf, type NamedCluster} from '../mesh/istio-name.js';

/** The label by which istiod finds remote secrets (istio/istio pkg/kube/multicluster/secretcontroller.go). */
export const multiClusterLabel = {name: 'istio/multiCluster', value: 'true'} as const;

/** The same label as a selector. */
export const multiClusterSelector = `${multiClusterLabel.name}=${multiClusterLabel.value}`;

/** The annotation with Istio's name of the peer. Only istioctl reads it. */
export const clusterAnnotation = 'networking.istio.io/cluster';

/**
 * The service account as which istiod reads a peer (istio/istio manifests/charts/base/templates/reader-serviceaccount.yaml,
 * istioctl/pkg/multicluster/remote_secret.go, DefaultServiceAccountName).
 */
export const readerServiceAccount = 'istio-reader-service-account';

/**
 * The ConfigMap with the CA of a cluster's API server, in every namespace since Kubernetes 1.20 (kubernetes/kubernetes
 * pkg/controller/certificates/rootcacertpublisher/publisher.go). Its data key is `ca.crt`.
 */
export const apiServerCaConfigMap = 'kube-root-ca.crt';

/**
 * Returns the name of the remote secret for a peer, in Istio's namespace of the reader. istioctl puts Istio's name of the
 * cluster into it. If that cannot be part of a Secret's name, the name in mesh.yaml takes its place: istiod reads the data key
 * only.
 */
export function remoteSecretName(peer: NamedCluster): string {
  const istioName = istioNameOf(peer);
  return `istio-remote-secret-${canCreateRemoteSecret(istioName) ? istioName : peer.name}`;
}

/** The kinds of tokens (`discovery.token` in mesh.yaml). */
export type TokenKind = 'bound' | 'secret';

const readerSecretPrefixes: Readonly<Record<TokenKind, string>> = {
  bound: `${fieldManager}-reader-`,
  secret: `${fieldManager}-token-`,
};

/**
 * Returns the name of the reader Secret: the small Secret in Istio's namespace of the peer to which the reader's token is
 * bound, or which contains its long-lived token. Deleting it revokes the token (kubernetes/kubernetes
 * pkg/serviceaccount/claims.go, legacy.go, Validate). Each kind has its own name, so that a new token of the other kind can be
 * proven while the old one is still valid.
 */
export function readerSecretName(reader: Pick<MeshFileCluster, 'name'>, token: TokenKind): string {
  return `${readerSecretPrefixes[token]}${reader.name}`;
}

/** The names that a reader's Secret can have, whatever mesh.yaml declares now. */
export function readerSecretNames(reader: Pick<MeshFileCluster, 'name'>): readonly string[] {
  return [readerSecretName(reader, 'bound'), readerSecretName(reader, 'secret')];
}

/** The label selector of objects that this program created. */
export const managedSelector = `${managedByLabel}=${fieldManager}`;

const annotation = (name: string): string => `${fieldManager}/${name}`;

/** The annotations of objects that this program creates for discovery. */
export const discoveryAnnotations = {
  /** The reader's name in mesh.yaml. */
  reader: annotation('reader'),
  /** The peer's name in mesh.yaml. */
  peer: annotation('peer'),
  /** When the token in the remote secret was issued, and when it expires (RFC 3339). Absent: it does not expire. */
  tokenIssued: annotation('token-issued'),
  tokenExpires: annotation('token-expires'),
} as const;
