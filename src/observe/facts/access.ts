/** Facts of how a cluster is reached, and who it lets in. */
import {readApiVersion} from '../api-version.js';
import type {Derivations} from '../fact-sources.js';
import {readClusterUid} from '../identity.js';
import {readRbacFacts, readRemoteCredentials} from '../rbac.js';

export const accessFacts: Derivations<'apiVersion' | 'access' | 'clusterUid' | 'rbac' | 'remoteCredentials'> = {
  apiVersion: ({reads, cluster}) => readApiVersion(reads, cluster.context ?? ''),
  access: ({summary}) => summary(),
  clusterUid: ({reads}) => readClusterUid(reads),
  rbac: ({reads}) => readRbacFacts(reads),
  remoteCredentials: ({reads}) => readRemoteCredentials(reads),
};
