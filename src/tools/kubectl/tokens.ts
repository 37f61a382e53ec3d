/** Tokens of service accounts: how to request one, and how to ask an API server whether it accepts one. */
import {defined} from '../../domain/defined.js';
import type {TokenVerdict} from '../../domain/discovery/token.js';
import type {FieldsOf} from '../../domain/kube/shapes.js';
import {LatestResults} from '../../domain/memoize.js';
import {Sensitive} from '../../domain/sensitive.js';
import type {IssuedToken, TokenSpec} from './api.js';

const apiVersion = 'authentication.k8s.io/v1';

/** The kinds of both requests. */
export const tokenRequestKind = {apiVersion, kind: 'TokenRequest'} as const;
export const tokenReviewKind = {apiVersion, kind: 'TokenReview'} as const;

/** Returns the body of a TokenRequest (k8s.io/api authentication/v1/types.go). */
export function tokenRequestBody({expirationSeconds, boundSecret}: TokenSpec): object {
  const bound = boundSecret && {apiVersion: 'v1', kind: 'Secret', ...boundSecret};
  return {...tokenRequestKind, spec: defined({expirationSeconds, audiences: [], boundObjectRef: bound})};
}

/** Returns the token in the response to a TokenRequest. */
export function issuedToken({status}: FieldsOf<'authentication.k8s.io/TokenRequest'>): IssuedToken {
  return {token: new Sensitive(status.token), expiresAt: new Date(status.expirationTimestamp)};
}

/** Returns the body of a TokenReview: the only place where a token leaves its wrapper outside the engine. */
export function tokenReviewBody(token: Sensitive<string>): object {
  return {...tokenReviewKind, spec: {token: token.reveal()}};
}

/** Nearly all tokens that are reviewed are those of one service account. */
const accepted = new LatestResults<TokenVerdict>(64);

/** Returns the verdict in the response to a TokenReview. */
export function tokenVerdict({status}: FieldsOf<'authentication.k8s.io/TokenReview'>): TokenVerdict {
  const {authenticated = false, user, error} = status;
  const username = user?.username;
  return authenticated
    ? accepted.get(username ?? '', () => defined<TokenVerdict>({accepted: true, username}))
    : defined<TokenVerdict>({accepted: false, reason: error});
}
