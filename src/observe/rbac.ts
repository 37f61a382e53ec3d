/** Who may do what in a cluster, and whom its remote secrets make of their readers elsewhere. */
import {type RbacFacts, readRbac} from '../domain/kube/rbac.js';
import {readRemoteSecret, type RemoteCredential} from '../domain/istio/remote-secret.js';
import {rbacReads} from '../domain/facts/requests.js';
import type {Reads} from './cluster-reader.js';

/** All roles and bindings. */
export async function readRbacFacts(reads: Pick<Reads, 'read'>): Promise<RbacFacts> {
  return readRbac((await Promise.all(rbacReads.map((name) => reads.read(name)))).flat());
}

/** The clusters that remote secrets in Istio's namespace lead to. */
export async function readRemoteCredentials(reads: Pick<Reads, 'read'>): Promise<readonly RemoteCredential[]> {
  return (await reads.read('remoteSecrets')).flatMap(readRemoteSecret);
}
