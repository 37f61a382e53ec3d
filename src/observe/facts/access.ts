/** Facts about access: the API server, RBAC, and the identities that remote secrets grant in other clusters. */
import {type RbacFacts, readRbac} from '../../domain/kube/rbac.js';
import {readRemoteSecret, type RemoteCredential} from '../../domain/discovery/remote-secret.js';
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

/** The credentials for other clusters in the remote secrets of Istio's namespace. */
export async function readRemoteCredentials(reads: Pick<Reads, 'read'>): Promise<readonly RemoteCredential[]> {
  return (await reads.read('remoteSecrets')).flatMap(readRemoteSecret);
}
