/** Tokens of the fake API server: TokenRequest issues one with the claims of a real one, TokenReview judges it by them. */
import type {FakeCluster, FakeObject, FakeRequest} from './fake-cluster.js';

interface Claims {
  readonly iss: string;
  readonly sub: string;
  /** Absent in tokens of the token controller. */
  readonly exp?: number;
  readonly 'kubernetes.io'?: {readonly secret?: {readonly name: string; readonly uid: string}};
  /** Of a long-lived token: the Secret that contains it. */
  readonly 'kubernetes.io/serviceaccount/secret.name'?: string;
}

/** Answers `create serviceaccounts/token`, as kubernetes/kubernetes pkg/registry/core/serviceaccount/storage/token.go does. */
export function issueToken(cluster: FakeCluster, {namespace = '', name = '', body}: FakeRequest) {
  const {spec} = body as {
    spec: {expirationSeconds: number; boundObjectRef?: {kind: string; name: string; uid: string}};
  };
  if (!cluster.get('ServiceAccount', `${namespace}/${name}`)) return notFound(`serviceaccounts "${name}" not found`);
  const bound = spec.boundObjectRef;
  const secret = bound && cluster.get('Secret', `${namespace}/${bound.name}`);
  if (bound && !secret) return notFound(`secrets "${bound.name}" not found`);
  if (secret && secret.metadata.uid !== bound.uid) {
    const message = `the UID in the bound object reference (${bound.uid}) does not match the UID in record`;
    return {status: 409, body: {kind: 'Status', status: 'Failure', reason: 'Conflict', message}};
  }
  const now = Math.floor(Date.now() / 1000) + cluster.clockAheadSeconds;
  const exp = now + Math.min(spec.expirationSeconds, cluster.maxTokenSeconds);
  const claims = {
    iss: cluster.uid,
    sub: `system:serviceaccount:${namespace}:${name}`,
    aud: ['https://kubernetes.default.svc'],
    iat: now,
    exp,
    jti: crypto.randomUUID(),
    'kubernetes.io': {namespace, ...(bound && {secret: {name: bound.name, uid: bound.uid}})},
  };
  const status = {token: tokenOf(claims), expirationTimestamp: new Date(exp * 1000).toISOString()};
  return {
    status: 201,
    body: {kind: 'TokenRequest', apiVersion: 'authentication.k8s.io/v1', metadata: {name, namespace}, spec, status},
  };
}

/** A token with these claims; the fake does not sign. */
export function tokenOf(claims: object): string {
  const part = (value: object | string): string =>
    Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');
  return [part({alg: 'none'}), part(claims), part('signature')].join('.');
}

/** Answers `create tokenreviews`: a token of this cluster that has not expired and whose Secret still exists. */
export function reviewToken(cluster: FakeCluster, review: FakeObject): object {
  const {token} = review.spec as {token: string};
  const status = judge(cluster, token);
  return {...review, metadata: {}, status};
}

function judge(cluster: FakeCluster, token: string): object {
  let claims: Claims;
  try {
    claims = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString()) as Claims;
  } catch {
    return {error: 'invalid bearer token'};
  }
  if (claims.iss !== cluster.uid) return {error: 'invalid bearer token, token lookup failed'};
  if (claims.exp !== undefined && claims.exp * 1000 <= Date.now())
    return {error: 'invalid bearer token, token has expired'};
  const secret = claims['kubernetes.io']?.secret;
  const [, , namespace = ''] = claims.sub.split(':');
  if (secret && cluster.get('Secret', `${namespace}/${secret.name}`)?.metadata.uid !== secret.uid) {
    return {error: 'invalid bearer token, service account token has been invalidated'};
  }
  const own = claims['kubernetes.io/serviceaccount/secret.name'];
  if (own !== undefined && !cluster.get('Secret', `${namespace}/${own}`)) {
    return {error: 'invalid bearer token, service account token has been invalidated'};
  }
  return {authenticated: true, user: {username: claims.sub, groups: ['system:serviceaccounts']}};
}

/**
 * Fills a token Secret of an existing service account, as the token controller does after the Secret has been created
 * (kubernetes/kubernetes pkg/controller/serviceaccount/tokens_controller.go).
 */
export function fillTokenSecret(cluster: FakeCluster, secret: FakeObject): void {
  const {namespace = '', name, uid, annotations = {}} = secret.metadata;
  const account = annotations['kubernetes.io/service-account.name'] ?? '';
  if (secret.type !== 'kubernetes.io/service-account-token') return;
  if (!cluster.get('ServiceAccount', `${namespace}/${account}`)) return;
  const token = tokenOf({
    iss: cluster.uid,
    sub: `system:serviceaccount:${namespace}:${account}`,
    // The names of the claims: kubernetes/kubernetes pkg/serviceaccount/legacy.go.
    'kubernetes.io/serviceaccount/secret.name': name,
    uid,
  });
  const rootCa = cluster.get('ConfigMap', `${namespace}/kube-root-ca.crt`)?.data as Record<string, string> | undefined;
  const encoded = (text = ''): string => Buffer.from(text).toString('base64');
  cluster.put({
    ...secret,
    data: {
      token: encoded(token),
      'ca.crt': encoded(rootCa?.['ca.crt']),
      namespace: encoded(namespace),
    },
  });
}

function notFound(message: string) {
  return {status: 404, body: {kind: 'Status', status: 'Failure', reason: 'NotFound', message}};
}
