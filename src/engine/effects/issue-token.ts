/** Requests the token with which a reader reads a peer, and has the peer's API server confirm it. */
import {readerServiceAccount} from '../../domain/discovery/names.js';
import {readTokenClaims, serviceAccountName} from '../../domain/discovery/token.js';
import {MeshError} from '../../domain/errors.js';
import {formatDuration, plural} from '../../domain/format.js';
import type {SecretObject} from '../../domain/kube/objects.js';
import {describeRef} from '../../domain/kube/paths.js';
import {Sensitive} from '../../domain/sensitive.js';
import {advice, kubectlMesh, words} from '../../domain/suggest/suggestion.js';
import {dayMs} from '../../domain/time.js';
import type {KubeApi} from '../../tools/kubectl/api.js';
import type {PeerLink} from '../action.js';
import type {EffectContext} from '../effect.js';
import {awaitReady} from './await.js';

/** A token that the peer accepts. */
export interface AcceptedToken {
  readonly token: Sensitive<string>;
  /** Absent: it does not expire. */
  readonly expiresAt?: Date | undefined;
  /** The CA of the peer's API server in the Secret with the token: PEM in base64. Absent for a bound token. */
  readonly caData?: string | undefined;
}

/** How long the token controller may take to fill a Secret; it needs milliseconds. Milliseconds. */
const fillTimeoutMs = 30_000;

/** Another API server of the peer may not know the Secret yet to which a new token is bound. Milliseconds. */
const acceptTimeoutMs = 10_000;

/** The longest lifetime that a TokenRequest can have (kubernetes/kubernetes pkg/apis/authentication/validation). Seconds. */
const maxLifetimeSeconds = 2 ** 32;

/** The clocks of this machine and of the API server may differ by so much. Milliseconds. */
const clockSkewMs = 60_000;

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
  {cluster, readerSecret}: PeerLink,
  {lifetimeMs, shortestMs}: Extract<PeerLink['token'], {type: 'bound'}>,
  namespace: string,
  {deps}: EffectContext,
): Promise<AcceptedToken> {
  const {metadata} = await api.get({apiVersion: 'v1', kind: 'Secret', namespace, name: readerSecret});
  const requestedAt = deps.now().getTime();
  const {token, expiresAt} = await api.requestToken(
    {namespace, name: readerServiceAccount},
    {
      expirationSeconds: Math.min(Math.floor(lifetimeMs / 1000), maxLifetimeSeconds),
      boundSecret: {name: readerSecret, uid: metadata.uid ?? ''},
    },
  );
  const grantedMs = expiresAt.getTime() - requestedAt;
  if (grantedMs < shortestMs - clockSkewMs) throw tooShort(cluster, {grantedMs, lifetimeMs, shortestMs});
  return {token, expiresAt};
}

function tooShort(
  cluster: string,
  {grantedMs, lifetimeMs, shortestMs}: {grantedMs: number; lifetimeMs: number; shortestMs: number},
): MeshError {
  const granted = formatDuration(Math.round(grantedMs / 60_000) * 60_000);
  // As the flag accepts it, rounded down.
  const minutes = Math.floor(grantedMs / 60_000);
  const lifetime = minutes < 60 ? `${String(minutes)}m` : `${String(Math.floor(minutes / 60))}h`;
  const job = kubectlMesh('link', words`--cron-manifest --image IMAGE --granted-lifetime ${lifetime}`);
  const requested = plural(Math.floor(lifetimeMs / dayMs), 'day');
  return new MeshError(
    'TOKEN_TOO_SHORT',
    `the API server of ${cluster} grants a token for ${granted} instead of ${requested}, which is less than ${plural(Math.floor(shortestMs / dayMs), 'day')}`,
    {
      hints: [
        advice`use --accept-short-tokens, and renew them with a CronJob: ${job}`,
        'or declare long-lived tokens in mesh.yaml: discovery.token: secret',
      ],
    },
  );
}

/**
 * Waits for the token controller (kubernetes/kubernetes pkg/controller/serviceaccount/tokens_controller.go), which fills a
 * Secret of type kubernetes.io/service-account-token.
 */
async function readLongLivedToken(
  api: KubeApi,
  {readerSecret: name}: PeerLink,
  namespace: string,
  context: EffectContext,
): Promise<AcceptedToken> {
  const ref = {apiVersion: 'v1', kind: 'Secret', namespace, name};
  const what = `${describeRef(ref)} did not get a token`;
  let data: SecretObject['data'];
  await awaitReady(context, {what, timeoutMs: fillTimeoutMs}, async () => {
    ({data} = await api.get<SecretObject>(ref));
    return (data?.token ?? '') === '' ? 'the token controller has not filled it yet' : undefined;
  });
  const token = Buffer.from(data?.token ?? '', 'base64').toString('utf8');
  return {token: new Sensitive(token), expiresAt: readTokenClaims(token)?.expiresAt, caData: data?.['ca.crt']};
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
