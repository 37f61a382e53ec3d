/**
 * Remote secrets: Secrets with which the reader's istiod reads peers. Sources: istio/istio
 * istioctl/pkg/multicluster/remote_secret.go (the content), pkg/kube/multicluster/secretcontroller.go (each data key is a
 * cluster).
 */
import {defined} from '../defined.js';
import {managedByLabel, managerOf} from '../kube/manager.js';
import {fieldChangedAt, keptMetadata, type KubeObject, lastAppliedAnnotation, type ObjectMeta} from '../kube/object.js';
import type {SecretObject} from '../kube/objects.js';
import {fieldManager} from '../kube/paths.js';
import {userSubject, type Subject} from '../kube/subjects.js';
import {LatestResults, sharedTexts} from '../memoize.js';
import {istioNameOf, type NamedCluster} from '../mesh/istio-name.js';
import {parseCertificates} from '../x509/certificate.js';
import {clusterAnnotation, discoveryAnnotations, multiClusterLabel, remoteSecretName} from './names.js';
import {readRemoteKubeconfig, type RemoteKubeconfig} from './remote-kubeconfig.js';

/** The credential for one cluster in a remote secret. */
export interface RemoteCredential {
  /** The Secret's name, in Istio's namespace of the cluster that contains it. */
  readonly secret: string;
  /** The remote cluster's name, which both istiods use: the data key. */
  readonly cluster: string;
  /** Absent: the content is not a kubeconfig. */
  readonly kubeconfig?: RemoteKubeconfig;
  /** The identity in the remote cluster, with the groups in the credential; absent if the credential does not reveal it. */
  readonly identity?: {readonly user: Subject; readonly groups: readonly Subject[]};
  /** When the credential last changed since the Secret was created; absent if the object does not record it. */
  readonly changedAt?: Date | 'never';
  /** Another tool that writes the Secret, if known: `Argo CD application mesh`. */
  readonly managedBy?: string;
}

/** Every reader has a Secret of the same name for a peer. */
const shared = sharedTexts(4096);

/** Returns the credentials in a remote secret. */
export function readRemoteSecret(secret: SecretObject): readonly RemoteCredential[] {
  const {metadata, data = {}} = secret;
  const managedBy = managerOf(secret);
  return Object.entries(data).map(([cluster, encoded]) => {
    const kubeconfig = readRemoteKubeconfig(Buffer.from(encoded, 'base64').toString('utf8'));
    return defined<RemoteCredential>({
      secret: shared(metadata.name),
      cluster,
      kubeconfig,
      identity: kubeconfig && identityIn(kubeconfig),
      changedAt: lastChange(metadata, cluster),
      managedBy,
    });
  });
}

/** Returns the credential for a cluster; undefined if a remote secret has none. */
export function credentialFor(
  {credentials}: {readonly credentials: readonly RemoteCredential[]},
  cluster: NamedCluster,
): RemoteCredential | undefined {
  return credentials.find((one) => one.cluster === istioNameOf(cluster));
}

/** Why the data of a Secret cannot be changed in place: `is immutable`; undefined if it can. */
export function unchangeableReason({
  immutable = false,
  type = 'Opaque',
}: Pick<SecretObject, 'immutable' | 'type'>): string | undefined {
  if (immutable) return 'is immutable';
  return type === 'Opaque' ? undefined : `has type ${type}`;
}

function lastChange(metadata: ObjectMeta, key: string): RemoteCredential['changedAt'] {
  const written = fieldChangedAt(metadata, ['f:data', `f:${key}`]);
  return written && written.getTime() <= Date.parse(metadata.creationTimestamp ?? '') ? 'never' : written;
}

/**
 * A service account token is a JWT whose subject is the user name (kubernetes/kubernetes pkg/serviceaccount/claims.go,
 * legacy.go). The identity of any other token is known only to the API server.
 */
function identityIn({token, claims, clientCertificate}: RemoteKubeconfig): RemoteCredential['identity'] {
  if (token === undefined)
    return clientCertificate === undefined ? undefined : identityOfCertificate(clientCertificate);
  return claims && identities.get(claims.subject, () => ({identity: identityOfAccount(claims.subject)})).identity;
}

/** Nearly all tokens are those of one service account. */
const identities = new LatestResults<{readonly identity: RemoteCredential['identity']}>(1024);

function identityOfAccount(subject: string): RemoteCredential['identity'] {
  const user = userSubject(subject);
  return user.kind === 'ServiceAccount' ? {user, groups: []} : undefined;
}

/** CN is the user, each O is a group (kubernetes.io: reference/access-authn-authz/authentication, X.509 client certificates). */
function identityOfCertificate(pem: string): RemoteCredential['identity'] {
  try {
    const {subject} = parseCertificates(pem, 'client certificate').certificates[0] ?? {};
    const values = (key: string): readonly string[] =>
      subject?.attributes.flatMap(({type, value}) => (type === key ? [value] : [])) ?? [];
    const [name] = values('CN');
    if (name === undefined) return undefined;
    return {user: userSubject(name), groups: values('O').map((group) => ({kind: 'Group', name: group}))};
  } catch {
    // It is not a certificate, so the identity is unknown.
    return undefined;
  }
}

/** What a remote secret records about its token. */
export interface TokenTimes {
  readonly issuedAt: Date;
  /** Absent: it does not expire. */
  readonly expiresAt?: Date;
}

/**
 * Returns the remote secret for a pair, without its data. Its name, label, annotation and data key (Istio's name of the peer)
 * are istioctl's. Metadata of others is kept, but for kubectl's copy of the previous content, which contains the previous token. One
 * of another name, which istiod uses, keeps it, and its metadata.
 */
export function remoteSecretObject(
  {reader, peer}: {readonly reader: Pick<NamedCluster, 'name'>; readonly peer: NamedCluster},
  namespace: string,
  {issuedAt, expiresAt}: TokenTimes,
  before?: Pick<SecretObject, 'metadata'>,
): KubeObject {
  const own = remoteSecretName(peer);
  const {labels, annotations = {}, ...kept} = before ? keptMetadata(before.metadata) : {};
  const foreign = Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== lastAppliedAnnotation));
  const {name = own, resourceVersion} = before?.metadata ?? {};
  const written =
    name === own
      ? {
          labels: {...labels, [managedByLabel]: fieldManager, [multiClusterLabel.name]: multiClusterLabel.value},
          annotations: defined<Record<string, string>>({
            ...foreign,
            [clusterAnnotation]: istioNameOf(peer),
            [discoveryAnnotations.reader]: reader.name,
            [discoveryAnnotations.peer]: peer.name,
            [discoveryAnnotations.tokenIssued]: issuedAt.toISOString(),
            [discoveryAnnotations.tokenExpires]: expiresAt?.toISOString(),
          }),
        }
      : {labels, annotations: before?.metadata.annotations && foreign};
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    type: 'Opaque',
    metadata: defined<ObjectMeta>({
      ...kept,
      name,
      namespace,
      ...written,
      resourceVersion,
    }),
  };
}
