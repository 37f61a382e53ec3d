/** Whether a remote secret is what link would write: a valid one of istioctl or another tool is. */
import {istioNameOf} from '../mesh/istio-name.js';
import {some} from '../format.js';
import {addressDifferences} from './api-server.js';
import {caDifference} from './api-server-ca.js';
import {clusterAnnotation, discoveryAnnotations, multiClusterLabel, readerServiceAccount} from './names.js';
import type {StoredRemoteSecret} from './observation.js';
import type {DiscoveryPair} from './pairs.js';
import type {ApiServerAddress, RemoteKubeconfig} from './remote-kubeconfig.js';
import {isDueForRenewal, serviceAccountName, type TokenVerdict} from './token.js';

/** What a remote secret is compared with. */
export interface WantedSecret {
  readonly pair: DiscoveryPair;
  /** Istio's namespace. */
  readonly namespace: string;
  readonly address: ApiServerAddress;
  readonly token: 'bound' | 'secret';
  /** Whether every istiod pod of the reader reports that it has read the peer through the remote secret. */
  readonly isSynced: boolean;
  readonly now: Date;
}

/** `renew`: only the token has to change; `replace`: the content differs from what is declared. */
export type SecretVerdict = {readonly kind: 'valid'} | {readonly kind: 'renew' | 'replace'; readonly reason: string};

const fieldNames: Readonly<Record<keyof ApiServerAddress, string>> = {
  url: 'server',
  caData: 'CA',
  tlsServerName: 'tls-server-name',
  proxyUrl: 'proxy-url',
};

/** Judges a remote secret. `review`: the verdict of the peer's API server on its token; absent if there is none. */
export function judgeRemoteSecret(
  secret: StoredRemoteSecret,
  wanted: WantedSecret,
  review: TokenVerdict | undefined,
): SecretVerdict {
  const {peer} = wanted.pair;
  const istioName = istioNameOf(peer);
  const replace = (reason: string): SecretVerdict => ({kind: 'replace', reason});
  const {labels = {}, annotations = {}} = secret.metadata;
  if (labels[multiClusterLabel.name] !== multiClusterLabel.value)
    return replace(`it has no label ${multiClusterLabel.name}=${multiClusterLabel.value}, so istiod ignores it`);
  if (annotations[clusterAnnotation] !== istioName)
    return replace(`its annotation ${clusterAnnotation} is not ${istioName}`);
  const keys = Object.keys(secret.data);
  if (keys.length !== 1 || keys[0] !== istioName)
    return replace(`its data key is not ${istioName}: ${keys.length === 0 ? 'none' : some(keys)}`);
  const kubeconfig = secret.credentials[0]?.kubeconfig;
  const reason = kubeconfig ? kubeconfigReason(kubeconfig, wanted, isLinked(secret)) : 'it contains no kubeconfig';
  if (reason !== undefined) return replace(reason);
  return tokenVerdict(kubeconfig?.claims ?? {}, secret, wanted, review);
}

/** `isOwn`: link wrote it. A secret of another tool may have fewer certificates, as long as it works. */
function kubeconfigReason(
  {address, caFile, insecure, rejected, token}: RemoteKubeconfig,
  wanted: WantedSecret,
  isOwn: boolean,
): string | undefined {
  if (rejected.length > 0) return `istiod does not accept its ${rejected.join(', ')}`;
  if (insecure === true) return "it does not verify the API server's certificate";
  if (caFile !== undefined) return `its CA is a file, ${caFile}, which istiod does not have`;
  if (!address) return 'it names no API server';
  // Public roots verify the server in the kubeconfig; the secret may have the one that matters, or another server's.
  const isProven = wanted.isSynced && wanted.address.caData === undefined;
  const differences = addressDifferences(address, wanted.address).filter((field) => field !== 'caData' || !isProven);
  if (differences.length > 0) return `it has another ${differences.map((field) => fieldNames[field]).join(' and ')}`;
  if (isOwn && caDifference(address.caData, wanted.address.caData) === 'incomplete')
    return 'its CA lacks a certificate of the API server';
  return token === undefined ? 'it contains no token' : undefined;
}

function tokenVerdict(
  claims: {readonly issuedAt?: Date; readonly expiresAt?: Date},
  secret: StoredRemoteSecret,
  {namespace, token, now}: WantedSecret,
  review: TokenVerdict | undefined,
): SecretVerdict {
  const renew = (reason: string): SecretVerdict => ({kind: 'renew', reason});
  if (claims.expiresAt !== undefined && claims.expiresAt <= now) return renew('its token has expired');
  if (review?.accepted === false) {
    return renew(`the API server does not accept its token${review.reason === undefined ? '' : `: ${review.reason}`}`);
  }
  const account = serviceAccountName(namespace, readerServiceAccount);
  if (review?.username !== account) {
    return {kind: 'replace', reason: `its token is that of ${review?.username ?? 'another user'}, not of ${account}`};
  }
  if (isDueForRenewal(claims, now)) return renew('its token is about to expire');
  if (token === 'secret' && claims.expiresAt !== undefined)
    return renew('its token expires, and mesh.yaml declares tokens that do not (discovery.token)');
  // A long-lived token of istioctl stays.
  if (token === 'bound' && isLinked(secret) && claims.expiresAt === undefined)
    return renew('its token does not expire, and mesh.yaml declares bound tokens (discovery.token)');
  return {kind: 'valid'};
}

/** Only link records when it issued a token. */
function isLinked({metadata: {annotations = {}}}: StoredRemoteSecret): boolean {
  return annotations[discoveryAnnotations.tokenIssued] !== undefined;
}
