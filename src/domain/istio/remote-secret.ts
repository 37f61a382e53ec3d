/**
 * The identity in a remote secret: the service account or user as which this cluster's istiod accesses another cluster. The
 * credentials themselves are not kept. Source: istio/istio istioctl/pkg/multicluster/remote_secret.go (the content),
 * pkg/kube/multicluster/secretcontroller.go (each data key is a cluster).
 */
import {defined} from '../defined.js';
import * as z from 'zod';
import {parseForeignYaml} from '../foreign-yaml.js';
import {parseCertificates} from '../x509/certificate.js';
import {fieldChangedAt, type ObjectMeta} from '../kube/object.js';
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
  /** When the credential last changed since the Secret was created; absent if the object does not record it. */
  readonly changedAt?: Date | 'never';
}

/** Returns the credentials in a remote secret. */
export function readRemoteSecret({metadata, data = {}}: SecretObject): readonly RemoteCredential[] {
  return Object.entries(data).map(([cluster, encoded]) =>
    defined<RemoteCredential>({
      secret: metadata.name,
      cluster,
      identity: identityIn(encoded),
      changedAt: lastChange(metadata, cluster),
    }),
  );
}

function lastChange(metadata: ObjectMeta, key: string): RemoteCredential['changedAt'] {
  const written = fieldChangedAt(metadata, ['f:data', `f:${key}`]);
  return written && written.getTime() <= Date.parse(metadata.creationTimestamp ?? '') ? 'never' : written;
}

/** The fields of a kubeconfig that reveal its user (k8s.io/client-go tools/clientcmd/api/v1/types.go). */
const kubeconfig = z.object({
  'current-context': z.string().optional(),
  contexts: z.array(z.object({name: z.string(), context: z.object({user: z.string().optional()})})).default([]),
  users: z.array(
    z.object({
      name: z.string(),
      user: z.object({token: z.string().optional(), 'client-certificate-data': z.string().optional()}),
    }),
  ),
});

type Kubeconfig = z.output<typeof kubeconfig>;

function identityIn(encoded: string): RemoteCredential['identity'] {
  try {
    const text = Buffer.from(encoded, 'base64').toString('utf8');
    const config = kubeconfig.parse(parseForeignYaml(text));
    // istioctl writes one user. If there are several, istiod uses the one of the current context.
    const {users} = config;
    const [entry] = users.length === 1 ? users : users.filter(({name}) => name === userOfContext(config));
    const {token, 'client-certificate-data': certificate} = entry?.user ?? {};
    if (token !== undefined) return identityOfToken(token);
    return certificate === undefined ? undefined : identityOfCertificate(certificate);
  } catch {
    // The content is not a kubeconfig, so the identity is unknown.
    return undefined;
  }
}

function userOfContext(config: Kubeconfig): string | undefined {
  return config.contexts.find(({name}) => name === config['current-context'])?.context.user;
}

/** The claims of a JWT that name its subject (RFC 7519, 4.1.2). */
const claims = z.object({sub: z.string()});

/**
 * A service account token is a JWT whose subject is the user name (kubernetes/kubernetes pkg/serviceaccount/claims.go,
 * legacy.go). The identity of any other token is known only to the API server.
 */
function identityOfToken(token: string): RemoteCredential['identity'] {
  const [, payload] = token.trim().split('.');
  if (payload === undefined) return undefined;
  const {sub} = claims.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
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
