import {defined} from '../../domain/defined.js';
import {writeRemoteKubeconfig} from '../../domain/discovery/remote-kubeconfig.js';
import {remoteSecretObject} from '../../domain/discovery/remote-secret.js';
import type {KubeObject} from '../../domain/kube/object.js';
import type {LinkPeers, PeerLink} from '../discovery-action.js';
import type {AcceptedToken} from './issue-token.js';

/** Returns the remote secret with its data, which contains the token: it is never part of a plan. */
export function remoteSecretToSend(
  {cluster: reader, namespace}: Pick<LinkPeers, 'cluster' | 'namespace'>,
  {cluster, istioName, address, before, keeps}: PeerLink,
  {token, issuedAt, expiresAt, caData}: AcceptedToken,
): KubeObject {
  const complete = defined<PeerLink['address']>({...address, caData: address.caData ?? caData});
  const kubeconfig = writeRemoteKubeconfig(istioName, complete, token.reveal());
  const times = defined<Parameters<typeof remoteSecretObject>[2]>({issuedAt, expiresAt});
  return {
    ...remoteSecretObject({reader: {name: reader}, peer: {name: cluster, istioName}}, namespace, times, before),
    data: {
      ...Object.fromEntries(keeps.map((key) => [key, before?.data[key]?.reveal().toString('base64') ?? ''])),
      [istioName]: Buffer.from(kubeconfig).toString('base64'),
    },
  };
}
