/**
 * The identity in a remote secret: the service account or user as which this cluster's istiod accesses another cluster. The
 * credentials themselves are not kept. Source: istio/istio istioctl/pkg/multicluster/remote_secret.go (the content),
 * pkg/kube/multicluster/secretcontroller.go (each data key is a cluster).
 */
import {defined} from '../defined.js';
import {parseCertificates} from '../x509/certificate.js';
import {parse} from 'yaml';
import type {SecretObject} from '../kube/objects.js';
import {userSubject, type Subject} from '../kube/subjects.js';

/** The credential for one cluster in a remote secret. */
export interface RemoteCredential {
  /** The Secret's name, in Istio's namespace of the cluster that contains it. */
  readonly secret: string;
  /** The remote cluster's name, which both istiods use: the data key. */
  readonly cluster: string;
  /** The identity in the remote cluster, with the groups in the credential; absent if the credential does not reveal it. */
  readonly identity?: {readonly user: Subject; readonly groups: readonly Subject[]};
}

/** Returns the credentials in a remote secret. */
export function readRemoteSecret({metadata, data = {}}: SecretObject): readonly RemoteCredential[] {
  return Object.entries(data).map(([cluster, encoded]) =>
    defined<RemoteCredential>({secret: metadata.name, cluster, identity: identityIn(encoded)}),
  );
}

type KubeconfigFields = Partial<Record<string, unknown>>;

function identityIn(encoded: string): RemoteCredential['identity'] {
  try {
    const config = parse(Buffer.from(encoded, 'base64').toString('utf8')) as KubeconfigFields | null;
    const users = Array.isArray(config?.users) ? (config.users as KubeconfigFields[]) : [];
    // istioctl writes one user. If there are several, istiod uses the one of the current context.
    const [user] = users.length === 1 ? users : users.filter(({name}) => name === userOfContext(config ?? {}));
    const credential = (user?.user ?? {}) as KubeconfigFields;
    if (typeof credential.token === 'string') return identityOfToken(credential.token);
    const certificate = credential['client-certificate-data'];
    return typeof certificate === 'string' ? identityOfCertificate(certificate) : undefined;
  } catch {
    // The content is not a kubeconfig, so the identity is unknown.
    return undefined;
  }
}

function userOfContext(config: KubeconfigFields): unknown {
  const contexts = Array.isArray(config.contexts) ? (config.contexts as KubeconfigFields[]) : [];
  const current = contexts.find(({name}) => name === config['current-context']);
  return ((current?.context ?? {}) as KubeconfigFields).user;
}

/**
 * A service account token is a JWT whose subject is the user name (kubernetes/kubernetes pkg/serviceaccount/claims.go,
 * legacy.go). The identity of any other token is known only to the API server.
 */
function identityOfToken(token: string): RemoteCredential['identity'] {
  const [, payload] = token.trim().split('.');
  if (payload === undefined) return undefined;
  const {sub} = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as KubeconfigFields;
  if (typeof sub !== 'string') return undefined;
  const user = userSubject(sub);
  return user.kind === 'ServiceAccount' ? {user, groups: []} : undefined;
}

/** CN is the user, each O is a group (kubernetes.io: reference/access-authn-authz/authentication, X.509 client certificates). */
function identityOfCertificate(encoded: string): RemoteCredential['identity'] {
  const {subject} =
    parseCertificates(Buffer.from(encoded, 'base64').toString('utf8'), 'client certificate').certificates[0] ?? {};
  const values = (key: string): readonly string[] =>
    subject?.attributes.flatMap(({type, value}) => (type === key ? [value] : [])) ?? [];
  const [name] = values('CN');
  if (name === undefined) return undefined;
  return {user: userSubject(name), groups: values('O').map((group) => ({kind: 'Group', name: group}))};
}
