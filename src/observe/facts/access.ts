/** Facts of how a cluster is reached, who may do what in it, and whom its remote secrets make of their readers elsewhere. */
import {type RbacFacts, readRbac} from '../../domain/kube/rbac.js';
import {readRemoteSecret, type RemoteCredential} from '../../domain/istio/remote-secret.js';
import {rbacReads} from '../../domain/facts/requests.js';
import type {Reads} from '../cluster-reader.js';
import type {Derivations} from '../fact-sources.js';
import {readApiVersion, readClusterUid} from '../identity.js';

export const accessFacts: Derivations<'apiVersion' | 'access' | 'clusterUid' | 'rbac' | 'remoteCredentials'> = {
  apiVersion: ({reads, cluster}) => readApiVersion(reads, cluster.context ?? ''),
  access: ({summary}) => summary(),
  clusterUid: ({reads}) => readClusterUid(reads),
  rbac: ({reads}) => readRbacFacts(reads),
  remoteCredentials: ({reads}) => readRemoteCredentials(reads),
};

/** All roles and bindings. */
export async function readRbacFacts(reads: Pick<Reads, 'read'>): Promise<RbacFacts> {
  return readRbac((await Promise.all(rbacReads.map((name) => reads.read(name)))).flat());
}

/** The clusters that remote secrets in Istio's namespace lead to. */
export async function readRemoteCredentials(reads: Pick<Reads, 'read'>): Promise<readonly RemoteCredential[]> {
  return (await reads.read('remoteSecrets')).flatMap(readRemoteSecret);
}
