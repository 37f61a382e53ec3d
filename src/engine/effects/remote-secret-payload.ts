import {defined} from '../../domain/defined.js';
import {remoteSecretName} from '../../domain/discovery/names.js';
import {writeRemoteKubeconfig} from '../../domain/discovery/remote-kubeconfig.js';
import {remoteSecretObject} from '../../domain/discovery/remote-secret.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {LinkPeers, PeerLink} from '../discovery-action.js';
import type {AcceptedToken} from './issue-token.js';

/** A peer with its new token. */
interface PeerToken {
  readonly peer: PeerLink;
  readonly issued: AcceptedToken;
}

/** Returns a remote secret with its data, which contains the tokens: it is never part of a plan. All peers have it in common. */
export function remoteSecretToSend(
  {cluster: reader, namespace}: Pick<LinkPeers, 'cluster' | 'namespace'>,
  tokens: readonly [PeerToken, ...PeerToken[]],
): KubeObject {
  // A Secret that has one peer's name records the times of that peer's token.
  const {peer, issued} = tokens.find((one) => remoteSecretName(named(one)) === one.peer.secret) ?? tokens[0];
  const {before} = peer;
  const times = defined<Parameters<typeof remoteSecretObject>[2]>({
    issuedAt: issued.issuedAt,
    expiresAt: issued.expiresAt,
  });
  const kept = Object.entries(before?.data ?? {})
    .filter(([key]) => tokens.every((one) => one.peer.keeps.includes(key)))
    .map(([key, value]) => [key, value.reveal().toString('base64')]);
  return {
    ...remoteSecretObject({reader: {name: reader}, peer: named({peer})}, namespace, times, before),
    data: Object.fromEntries([...kept, ...tokens.map((one) => [one.peer.istioName, credentialOf(one)])]) as object,
  };
}

function named({peer: {cluster, istioName}}: Pick<PeerToken, 'peer'>) {
  return {name: cluster, istioName};
}

function credentialOf({peer: {istioName, address}, issued: {token, caData}}: PeerToken): string {
  const complete = defined<PeerLink['address']>({...address, caData: address.caData ?? caData});
  return Buffer.from(writeRemoteKubeconfig(istioName, complete, token.reveal())).toString('base64');
}
