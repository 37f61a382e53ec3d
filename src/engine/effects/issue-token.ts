/** Requests the token with which a reader reads a peer, and has the peer's API server confirm it. */
import {readerServiceAccount} from '../../domain/discovery/names.js';
import {isTokenSecret} from '../../domain/discovery/reader-secret.js';
import {grantedTooShort} from '../../domain/discovery/short-token.js';
import {readTokenClaims, serviceAccountName} from '../../domain/discovery/token.js';
import {MeshError} from '../../domain/errors.js';
import type {ObjectRef} from '../../domain/kube/object.js';
import type {SecretObject} from '../../domain/kube/objects.js';
import {describeRef} from '../../domain/kube/paths.js';
import {Sensitive} from '../../domain/sensitive.js';
import {advice, fixWith, words} from '../../domain/suggest/suggestion.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {PeerLink} from '../discovery-action.js';
import type {EffectContext} from '../effect.js';
import {awaitReady} from './await.js';

/** A token that the peer accepts. */
export interface AcceptedToken {
  readonly token: Sensitive<string>;
  readonly issuedAt: Date;
  /** Absent: it does not expire. */
  readonly expiresAt?: Date | undefined;
  /** The CA of the peer's API server in the Secret with the token: PEM in base64. Absent for a bound token. */
  readonly caData?: string | undefined;
}

/** How long the token controller may take to fill a Secret, which usually takes less than a second. Milliseconds. */
const fillTimeoutMs = 30_000;

/** Another API server of the peer may not know the Secret yet to which a new token is bound. Milliseconds. */
const acceptTimeoutMs = 10_000;

/** The longest lifetime that a TokenRequest can have (kubernetes/kubernetes pkg/apis/authentication/validation). Seconds. */
const maxLifetimeSeconds = 2 ** 32;

/** Returns a new token. Throws `TOKEN_TOO_SHORT`, `TOKEN_NOT_ACCEPTED`, `NOT_READY`, and what requests throw. */
export async function issueToken(peer: PeerLink, namespace: string, context: EffectContext): Promise<AcceptedToken> {
  const api = await context.deps.clusters.open(peer.context);
  const issued =
    peer.token.type === 'bound'
      ? await requestToken(api, peer, peer.token, namespace, context)
      : await readLongLivedToken(api, peer, namespace, context);
  await awaitAccepted(api, issued.token, {peer, namespace}, context);
  return issued;
}

async function requestToken(
  api: KubeApi,
  {cluster, readerSecret: {name: secretName}}: PeerLink,
  {lifetimeMs, shortestMs}: Extract<PeerLink['token'], {type: 'bound'}>,
  namespace: string,
  {deps}: EffectContext,
): Promise<AcceptedToken> {
  const {metadata} = await api.get({apiVersion: 'v1', kind: 'Secret', namespace, name: secretName});
  const {token, expiresAt} = await api.requestToken(
    {namespace, name: readerServiceAccount},
    {
      expirationSeconds: Math.min(Math.floor(lifetimeMs / 1000), maxLifetimeSeconds),
      boundSecret: {name: secretName, uid: metadata.uid ?? ''},
    },
  );
  // Both times are the API server's, whose clock may differ from this machine's.
  const issuedAt = readTokenClaims(token.reveal())?.issuedAt ?? deps.now();
  const grantedMs = expiresAt.getTime() - issuedAt.getTime();
  if (grantedMs < shortestMs) throw grantedTooShort(cluster, {grantedMs, requestedMs: lifetimeMs, shortestMs});
  return {token, issuedAt, expiresAt};
}

/**
 * Waits for the token controller (kubernetes/kubernetes pkg/controller/serviceaccount/tokens_controller.go), which fills a
 * Secret of type kubernetes.io/service-account-token.
 */
async function readLongLivedToken(
  api: KubeApi,
  {readerSecret: {name}}: PeerLink,
  namespace: string,
  context: EffectContext,
): Promise<AcceptedToken> {
  const ref = {apiVersion: 'v1', kind: 'Secret', namespace, name};
  const what = `${describeRef(ref)} did not get a token`;
  let data: SecretObject['data'];
  await awaitReady(context, {what, timeoutMs: fillTimeoutMs}, async () => {
    const secret = await api.get<SecretObject>(ref);
    ({data} = secret);
    if (!isTokenSecret({type: secret.type ?? ''})) throw neverFilled(ref, api, secret.type);
    return (data?.token ?? '') === '' ? 'the token controller has not filled it yet' : undefined;
  });
  const token = Buffer.from(data?.token ?? '', 'base64').toString('utf8');
  const {issuedAt = context.deps.now(), expiresAt} = readTokenClaims(token) ?? {};
  return {token: new Sensitive(token), issuedAt, expiresAt, caData: data?.['ca.crt']};
}

/** The token controller fills Secrets of one type only, and a Secret's type cannot be changed. */
function neverFilled(ref: ObjectRef, {context}: KubeApi, type = 'Opaque'): MeshError {
  const {namespace = '', name} = ref;
  const remove = fixWith.kubectl({context}, words`-n ${namespace} delete secret ${name}`);
  return new MeshError('NOT_READY', `${describeRef(ref)} gets no token, because its type is ${type}`, {
    hints: [advice`delete it, then link again: ${remove}`],
  });
}

async function awaitAccepted(
  api: KubeApi,
  token: Sensitive<string>,
  {peer: {cluster}, namespace}: {readonly peer: PeerLink; readonly namespace: string},
  {deps}: EffectContext,
): Promise<void> {
  const account = serviceAccountName(namespace, readerServiceAccount);
  const start = deps.now().getTime();
  for (;;) {
    const verdict = await api.reviewToken(token);
    if (verdict.accepted && verdict.username === account) return;
    if (deps.now().getTime() - start >= acceptTimeoutMs) {
      const why = verdict.accepted ? `it is that of ${verdict.username ?? 'an unknown user'}` : (verdict.reason ?? '');
      const message = `the API server of ${cluster} does not accept the token that it issued for ${account}`;
      throw new MeshError('TOKEN_NOT_ACCEPTED', why === '' ? message : `${message}: ${why}`);
    }
    await deps.sleep(1000);
  }
}
