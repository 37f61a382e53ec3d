import {readerServiceAccount} from '../../discovery/names.js';
import {serviceAccountName, type TokenClaims} from '../../discovery/token.js';
import {formatExpiry} from '../../format.js';
import {printableLine} from '../../printable.js';
import {apiServerCheck, notApplicable, ok} from '../check.js';
import type {Remedy} from '../remedies.js';
import {credentialFor, noSecretsReason, noTokenReason, secretPlace} from './credentials.js';
import {linkRemedy} from './link-fix.js';
import {settlingPods, syncStateOf} from './sync-state.js';

/** The peer accepts the token in the reader's remote secret. */
export const tokenCheck = apiServerCheck({
  id: 'MESH503',
  title: "The peer accepts the remote secret's token as that of Istio's reader",
  scope: 'pair',
  appliesTo: 'discovery pairs',
  requires: ['remoteSecrets', 'acceptedTokens', 'controlPlanes'],
  optional: ['istiodClusters', 'istiodMetrics', 'apiServer', 'readerAccount'],
  sides: {
    remoteSecrets: 'self',
    acceptedTokens: 'peer',
    controlPlanes: 'self',
    istiodClusters: 'self',
    istiodMetrics: 'self',
    apiServer: 'peer',
    readerAccount: 'peer',
  },
  implies: ['MESH504', 'MESH506', 'MESH507', 'MESH6'],
  judge: (facts, subject) => {
    const {remoteSecrets, acceptedTokens, controlPlanes, istiodClusters} = facts;
    const {mesh, peer, now} = subject;
    const reason = noSecretsReason(controlPlanes.self);
    if (reason !== undefined) return notApplicable(reason);
    const verdict = acceptedTokens.peer;
    const credential = credentialFor(remoteSecrets.self, peer);
    if (verdict === 'no token')
      return notApplicable(noTokenReason(remoteSecrets.self, credential?.kubeconfig, subject));
    const reader = serviceAccountName(mesh.istio.namespace, readerServiceAccount);
    const expected = `a token of ${reader}`;
    // Most pairs have no finding.
    const remedy = (): Remedy => linkRemedy(subject, facts);
    const token = `the token in ${secretPlace(subject)}`;
    if (!verdict.accepted) {
      // A proxy in front of the API server can have tokens of its own, which the API server rejects.
      const isForeign = credential?.kubeconfig?.claims === undefined;
      const settling = settlingPods(remoteSecrets.self, controlPlanes.self, now);
      const state = isForeign ? syncStateOf(istiodClusters?.self, peer, settling) : undefined;
      if (state === 'synced')
        return notApplicable('the token is not one of a service account; MESH506 shows whether it works');
      const why = rejectionOf(credential?.kubeconfig?.claims, verdict.reason, now);
      const isUnproven = state === 'settling';
      const observed = `${peer.name} rejects ${token}: ${why}`;
      return {kind: `rejected: ${why}`, observed, expected, isUnproven, ...remedy()};
    }
    const {username = ''} = verdict;
    if (username === reader) return ok(`accepted by ${peer.name}`, expected);
    const observed = `${token} is that of ${printableLine(username)}`;
    // It may have the same permissions; whether they suffice is what MESH506 shows.
    return {severity: 'warning', kind: `that of ${username}`, observed, expected, implies: [], ...remedy()};
  },
  meaning:
    "The peer's API server accepts the token in the reader's remote secret (TokenReview), and it is a token of service account istio-reader-service-account. Skipped for another kind of credential, such as a client certificate, and for a token that no service account has, such as that of a proxy in front of the API server, if istiod has read the peer with it.",
  breaks:
    'istiod cannot read the peer: an istiod that starts serves without its endpoints. One that runs keeps them until its open requests end, within 10 minutes, and then misses every change. A token of another service account may have more permissions than reading, or fewer.',
  byHand:
    'kubectl --context "$CTX" -n istio-system get secret "istio-remote-secret-$PEER" -o jsonpath="{.data.$PEER}" | base64 -d >reader.kubeconfig\nkubectl --kubeconfig reader.kubeconfig auth whoami   # from a host that reaches the server in it; delete the file afterwards',
  fix: 'Replace the token with `kubectl mesh link READER`. A token is revoked by deleting the Secret that it is bound to or stored in (kubectl-mesh-reader-READER in the peer, or kubectl-mesh-token-READER for a long-lived token), or the service account, and by replacing the key with which the API server signs tokens.',
  source:
    'kubernetes/kubernetes pkg/serviceaccount/claims.go (Validate); kubernetes.io: reference/kubernetes-api/authentication-resources/token-review-v1; istio/istio istioctl/pkg/multicluster/remote_secret.go',
});

/** The API server's reason is general, and does not name an expiry. */
function rejectionOf(claims: TokenClaims | undefined, reason: string | undefined, now: Date): string {
  const {expiresAt} = claims ?? {};
  if (expiresAt && expiresAt <= now) return `it expired ${formatExpiry(expiresAt, now)}`;
  return reason === undefined ? 'no reason given' : printableLine(reason);
}
