import type {TokenClaims} from '../../discovery/token.js';
import {formatDuration, formatExpiry} from '../../format.js';
import {dayMs} from '../../time.js';
import {apiServerCheck, notApplicable, ok, type Severity} from '../check.js';
import {credentialUsed, noSecretsReason, noTokenReason, secretPlace} from './credentials.js';
import {linkRemedy} from './link-fix.js';

/**
 * The limits, as shares of the lifetime: `link` renews below 30%, and the kubelet renews its tokens at 20% (kubernetes/kubernetes
 * pkg/kubelet/token/token_manager.go, requiresRefresh), so a token with less was not renewed in time.
 */
const limits = {warning: 0.2, error: 0.1} as const satisfies Record<Severity, number>;
/** For a token that does not state when it was issued. Milliseconds. */
const fallback = {warning: 7 * dayMs, error: dayMs} as const satisfies Record<Severity, number>;

/** The token in the reader's remote secret does not expire soon. */
export const tokenExpiryCheck = apiServerCheck({
  id: 'MESH504',
  title: "The remote secret's token does not expire soon",
  scope: 'pair',
  appliesTo: 'discovery pairs',
  requires: ['remoteSecrets', 'controlPlanes'],
  optional: ['istiodMetrics', 'apiServer', 'readerAccount', 'remoteCredentials'],
  sides: {
    remoteSecrets: 'self',
    controlPlanes: 'self',
    istiodMetrics: 'self',
    apiServer: 'peer',
    readerAccount: 'peer',
    remoteCredentials: 'self',
  },
  judge: (facts, subject) => {
    const {remoteSecrets, remoteCredentials, controlPlanes} = facts;
    const {peer, now} = subject;
    const reason = noSecretsReason(controlPlanes.self);
    if (reason !== undefined) return notApplicable(reason);
    const {secret, kubeconfig} = credentialUsed(remoteSecrets.self, remoteCredentials?.self, peer) ?? {};
    if (!kubeconfig?.token) return notApplicable(noTokenReason(remoteSecrets.self, kubeconfig, subject));
    const {claims} = kubeconfig;
    if (!claims) return notApplicable('the token does not state when it expires');
    const {expiresAt} = claims;
    if (!expiresAt) return ok('it does not expire', 'no expiry soon');
    const left = expiresAt.getTime() - now.getTime();
    const severity = (['error', 'warning'] as const).find((one) => left < limitMs(claims, one));
    if (severity === undefined) return ok(`until ${formatExpiry(expiresAt, now)}`, 'no expiry soon');
    const verb = left <= 0 ? 'expired' : 'expires';
    return {
      severity,
      kind: verb,
      observed: `the token in ${secretPlace({...subject, secret})} ${verb} ${formatExpiry(expiresAt, now)}`,
      expected: `more than ${formatDuration(limitMs(claims, severity))} left`,
      ...linkRemedy(subject, facts),
    };
  },
  meaning:
    'The token in the remote secret does not expire, or has at least 20% of its lifetime left. Below 20% the result is a warning, below 10% an error; for a token that does not state when it was issued, below 7 days and 1 day.',
  breaks:
    'When the token expires, istiod can no longer read the peer: it misses every change there, and after a restart serves without its endpoints.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get secret "istio-remote-secret-$PEER" -o jsonpath="{.data.$PEER}" | base64 -d | grep " token:" | cut -d. -f2 | tr _- /+ | base64 -d   # iat and exp, in seconds since 1970; ignore "invalid input"',
  fix: 'Renew it with `kubectl mesh link READER`, which renews tokens with less than 30% of their lifetime left. To renew them without a user, run the CronJob that `kubectl mesh link --cron-manifest` prints.',
  source:
    'RFC 7519 4.1 (exp, iat); kubernetes/kubernetes pkg/serviceaccount/claims.go, pkg/kubelet/token/token_manager.go (requiresRefresh)',
});

/** The least time that has to be left. */
function limitMs({issuedAt, expiresAt}: TokenClaims, severity: Severity): number {
  if (!issuedAt || !expiresAt) return fallback[severity];
  return (expiresAt.getTime() - issuedAt.getTime()) * limits[severity];
}
