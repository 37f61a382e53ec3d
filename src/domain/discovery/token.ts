/** The claims of a service account's token, which say whose it is, until when, and what revokes it. */
import {defined} from '../defined.js';
import {sharedTexts} from '../memoize.js';
import {dayMs} from '../time.js';
import * as z from 'zod';

/** The claims of a token that this program uses. */
export interface TokenClaims {
  /** The user name: `system:serviceaccount:istio-system:istio-reader-service-account`. */
  readonly subject: string;
  readonly issuedAt?: Date;
  /** Absent: it does not expire, as a token from a Secret of type kubernetes.io/service-account-token. */
  readonly expiresAt?: Date;
  /** The Secret to which it is bound: deleting that Secret revokes it. Absent: it is bound to no Secret, or to a Pod. */
  readonly boundSecret?: {readonly name: string; readonly uid: string};
  /** The Secret of type kubernetes.io/service-account-token that contains it: deleting that Secret revokes it. */
  readonly tokenSecret?: string;
  readonly audiences: readonly string[];
}

/** The claim of a token of a token Secret with that Secret's name (kubernetes/kubernetes pkg/serviceaccount/legacy.go). */
const tokenSecretClaim = 'kubernetes.io/serviceaccount/secret.name';

/** Nearly all tokens in remote secrets are those of one service account. */
const shared = sharedTexts(1024);

const seconds = z.number().nonnegative().max(8.64e12);

/** The claims of both kinds of tokens (RFC 7519, 4.1; kubernetes/kubernetes pkg/serviceaccount/claims.go, legacy.go). */
const schema = z.object({
  sub: z.string(),
  iat: seconds.optional(),
  exp: seconds.optional(),
  aud: z.union([z.string(), z.array(z.string())]).optional(),
  [tokenSecretClaim]: z.string().optional(),
  'kubernetes.io': z.object({secret: z.object({name: z.string(), uid: z.string()}).optional()}).optional(),
});

/**
 * Returns the claims of a JWT, without verifying it: only its API server can. Undefined for text that is not a JWT
 * with a subject; whether such a token is valid, and for whom, is known only to the API server.
 */
export function readTokenClaims(token: string): TokenClaims | undefined {
  const [, payload] = token.trim().split('.');
  if (payload === undefined) return undefined;
  try {
    const {
      sub,
      iat,
      exp,
      aud = [],
      ...claims
    } = schema.parse(JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')));
    return defined<TokenClaims>({
      subject: shared(sub),
      issuedAt: iat === undefined ? undefined : new Date(iat * 1000),
      expiresAt: exp === undefined ? undefined : new Date(exp * 1000),
      boundSecret: claims['kubernetes.io']?.secret,
      tokenSecret: claims[tokenSecretClaim],
      audiences: (typeof aud === 'string' ? [aud] : aud).map(shared),
    });
  } catch {
    return undefined;
  }
}

/** Whether an API server accepts a token, and whose it is. */
export type TokenVerdict =
  {readonly accepted: true; readonly username?: string} | {readonly accepted: false; readonly reason?: string};

/** A token is renewed when less than this share of its lifetime is left: with the default, 27 of 90 days. */
export const renewalShare = 0.3;

/**
 * The shortest lifetime that link accepts: a token that lives a day or two, as the API servers of some providers grant them
 * (kubernetes.io: kube-apiserver, --service-account-max-token-expiration), expires over a long weekend. Milliseconds.
 */
export const shortestLifetimeMs = 7 * dayMs;

/** Reports whether a token has to be renewed. One that does not expire, or does not reveal when, has not. */
export function isDueForRenewal(
  {issuedAt, expiresAt}: Pick<TokenClaims, 'issuedAt' | 'expiresAt'>,
  now: Date,
): boolean {
  if (!expiresAt) return false;
  const leftMs = expiresAt.getTime() - now.getTime();
  const lifetimeMs = expiresAt.getTime() - (issuedAt ?? now).getTime();
  return leftMs < renewalShare * lifetimeMs;
}

/** The user name of a service account (k8s.io/apiserver pkg/authentication/serviceaccount/util.go). */
export function serviceAccountName(namespace: string, name: string): string {
  return `system:serviceaccount:${namespace}:${name}`;
}
