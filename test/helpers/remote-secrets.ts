/** Remote secrets between fake clusters, as link writes them, with tokens that the fake API servers accept. */
import {writeRemoteKubeconfig} from '../../src/domain/discovery/remote-kubeconfig.js';
import {remoteSecretObject} from '../../src/domain/discovery/remote-secret.js';
import {dayMs} from '../../src/domain/time.js';
import type {FakeCluster, FakeObject} from './fake-kubectl/fake-cluster.js';
import {tokenOf} from './fake-kubectl/tokens.js';

/** A cluster by its name in mesh.yaml, which istiod uses as well. */
export interface LinkedCluster {
  readonly name: string;
  readonly kube: FakeCluster;
}

const reader = 'system:serviceaccount:istio-system:istio-reader-service-account';

/** A token of Istio's reader in a cluster, which it issued ten days ago for 90. */
export function readerToken({kube}: LinkedCluster, claims: object = {}): string {
  const iat = Math.floor((Date.now() - 10 * dayMs) / 1000);
  return tokenOf({iss: kube.uid, sub: reader, iat, exp: iat + (90 * dayMs) / 1000, ...claims});
}

/** The kubeconfig for a peer. */
export function kubeconfigOf(peer: LinkedCluster, token = readerToken(peer)): string {
  const {server, 'certificate-authority-data': caData} = peer.kube.server;
  return writeRemoteKubeconfig(peer.name, {url: String(server), caData: String(caData)}, token);
}

/** The remote secret for a peer. */
export function remoteSecretOf(own: LinkedCluster, peer: LinkedCluster, kubeconfig = kubeconfigOf(peer)): FakeObject {
  const named = ({name}: LinkedCluster) => ({name, role: 'primary'}) as const;
  const pair = {reader: named(own), peer: named(peer)};
  const object = remoteSecretObject(pair, 'istio-system', {issuedAt: new Date()}) as unknown as FakeObject;
  return {...object, data: {[peer.name]: Buffer.from(kubeconfig).toString('base64')}};
}

/** The service account as which other clusters read a cluster, which Istio's installation creates. */
export const readerAccount: FakeObject = {
  apiVersion: 'v1',
  kind: 'ServiceAccount',
  metadata: {name: 'istio-reader-service-account', namespace: 'istio-system'},
};

/** Links every cluster with every other one. */
export function linkAll(clusters: readonly LinkedCluster[]): void {
  for (const own of clusters) {
    own.kube.put(readerAccount);
    for (const peer of clusters) if (own !== peer) own.kube.put(remoteSecretOf(own, peer));
  }
}
