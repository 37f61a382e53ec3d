/** Whether the credential for a peer in a remote secret has to be changed: a working one of istioctl or another tool is valid. */
import {some} from '../format.js';
import {istioNameOf} from '../mesh/istio-name.js';
import {addressDifferences, type ResolvedApiServer} from './api-server.js';
import {caDifference} from './api-server-ca.js';
import {discoveryAnnotations, multiClusterLabel, readerServiceAccount} from './names.js';
import type {StoredRemoteSecret} from './observation.js';
import type {DiscoveryPair} from './pairs.js';
import type {ReadState} from './reader-sync.js';
import type {ApiServerAddress, RemoteKubeconfig} from './remote-kubeconfig.js';
import {credentialFor} from './remote-secret.js';
import {isDueForRenewal, serviceAccountName, type TokenVerdict} from './token.js';

/** What a remote secret is compared with. */
export interface WantedSecret {
  readonly pair: DiscoveryPair;
  /** Istio's namespace. */
  readonly namespace: string;
  /** The address that link would write; absent: unknown. */
  readonly api?: ResolvedApiServer;
  readonly token: 'bound' | 'secret';
  /** Whether the reader's istiod reads the peer through the Secret. */
  readonly state: ReadState;
  readonly now: Date;
}

/** `renew`: only the token has to change; `replace`: anything else. */
export type SecretVerdict =
  | {readonly kind: 'valid'; readonly address: ApiServerAddress}
  | {
      readonly kind: 'renew' | 'replace';
      readonly reason: string;
      /** The address that stays; absent: that of mesh.yaml or the kubeconfig is written. */
      readonly address?: ApiServerAddress;
    };

/**
 * Judges the credential for the peer in a remote secret; credentials for other clusters do not matter. `review`: the verdict of
 * the peer's API server on its token; absent if there is none.
 */
export function judgeRemoteSecret(
  secret: StoredRemoteSecret,
  wanted: WantedSecret,
  review: TokenVerdict | undefined,
): SecretVerdict {
  const {peer} = wanted.pair;
  const replace = (reason: string): SecretVerdict => ({kind: 'replace', reason});
  if (secret.metadata.labels?.[multiClusterLabel.name] !== multiClusterLabel.value)
    return replace(`it has no label ${multiClusterLabel.name}=${multiClusterLabel.value}, so istiod ignores it`);
  const credential = credentialFor(secret, peer);
  if (!credential) {
    const keys = Object.keys(secret.data);
    return replace(`it has no data key ${istioNameOf(peer)}: ${keys.length === 0 ? 'none' : some(keys)}`);
  }
  const {kubeconfig} = credential;
  if (!kubeconfig) return replace('it contains no kubeconfig');
  const reason = kubeconfigReason(kubeconfig);
  if (reason !== undefined) return replace(reason);
  const {address} = kubeconfig;
  if (!address) return replace('it names no API server');
  const difference = addressReason(address, secret, wanted, review);
  if (difference !== undefined) return replace(difference);
  return {...tokenVerdict(kubeconfig, secret, wanted, review), address};
}

/** Why istiod cannot use a kubeconfig safely, whatever its address is. */
function kubeconfigReason({caFile, insecure, rejected}: RemoteKubeconfig): string | undefined {
  if (rejected.length > 0) return `istiod does not accept its ${rejected.join(', ')}`;
  if (insecure === true) return "it does not verify the API server's certificate";
  return caFile === undefined ? undefined : `its CA is a file, ${caFile}, which istiod does not have`;
}

const fieldNames: Readonly<Record<keyof ApiServerAddress, string>> = {
  url: 'server',
  caData: 'CA',
  tlsServerName: 'tls-server-name',
  proxyUrl: 'proxy-url',
};

/** Why another address has to be written; undefined if the one in the Secret stays. */
function addressReason(
  address: ApiServerAddress,
  secret: StoredRemoteSecret,
  {api, state}: WantedSecret,
  review: TokenVerdict | undefined,
): string | undefined {
  if (!api) return works(state, review) ? undefined : 'whether its server is the right one is unknown';
  const all = addressDifferences(address, api.address);
  const counted = api.source === 'kubeconfig' && works(state, review) ? withoutOtherWays(all, address, api) : all;
  if (counted.length === 0) {
    // A secret of another tool may have fewer certificates, as long as it works.
    const isIncomplete = isLinked(secret) && caDifference(address.caData, api.address.caData) === 'incomplete';
    return isIncomplete ? 'its CA lacks a certificate of the API server' : undefined;
  }
  const fields = counted.map((field) => fieldNames[field]).join(' and ');
  const source = api.source === 'kubeconfig' ? 'the kubeconfig' : api.source;
  return `its ${fields} ${counted.length === 1 ? 'differs' : 'differ'} from ${source}`;
}

/**
 * Whether istiod reads the peer with an address: the peer accepts the token, and istiod has read the cluster there, or may do so
 * yet. A token of another cluster shows that the address may be that of the other cluster, too.
 */
function works(state: ReadState, review: TokenVerdict | undefined): boolean {
  return (state === 'synced' || state === 'pending') && review?.accepted === true;
}

/**
 * The kubeconfig shows how this workstation reaches the API server; pods may reach it under another name, with another
 * certificate, or without the proxy. Under the same name its CA is that of the kubeconfig: istiod's open connections outlast the
 * previous one.
 */
function withoutOtherWays(
  differences: readonly (keyof ApiServerAddress)[],
  address: ApiServerAddress,
  {address: {caData}}: ResolvedApiServer,
): readonly (keyof ApiServerAddress)[] {
  const isSameServer = !differences.includes('url') && address.caData !== undefined && caData !== undefined;
  return differences.filter((field) => isSameServer && field === 'caData');
}

function tokenVerdict(
  {
    token: current,
    claims = {},
  }: Pick<RemoteKubeconfig, 'token'> & {
    readonly claims?: {readonly issuedAt?: Date; readonly expiresAt?: Date};
  },
  secret: StoredRemoteSecret,
  {namespace, token, now}: WantedSecret,
  review: TokenVerdict | undefined,
): {readonly kind: 'valid'} | {readonly kind: 'renew' | 'replace'; readonly reason: string} {
  const renew = (reason: string) => ({kind: 'renew' as const, reason});
  if (current === undefined) return {kind: 'replace', reason: 'it contains no token'};
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
  // A long-lived token of istioctl stays: only link records when it issued one.
  if (token === 'bound' && isLinked(secret) && claims.expiresAt === undefined)
    return renew('its token does not expire, and mesh.yaml declares bound tokens (discovery.token)');
  return {kind: 'valid'};
}

/** Whether link wrote it. */
function isLinked({metadata: {annotations = {}}}: StoredRemoteSecret): boolean {
  return annotations[discoveryAnnotations.tokenIssued] !== undefined;
}
