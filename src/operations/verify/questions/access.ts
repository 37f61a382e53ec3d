/** Facts of how a cluster is reached. */
import {readRbac} from '../../../domain/access/rbac.js';
import {readRemoteSecret} from '../../../domain/access/remote-credentials.js';
import type {ClusterFactValues} from '../../../domain/checks/facts.js';
import {MeshError} from '../../../domain/errors.js';
import type {Questions} from '../questions.js';
import type {ClusterQuestionOptions} from './cluster.js';

type AccessFacts = Pick<ClusterFactValues, 'apiVersion' | 'access' | 'clusterUid' | 'rbac' | 'remoteCredentials'>;

/** The questions about the API server and who it lets in. */
export function accessQuestions({reads}: ClusterQuestionOptions): Questions<AccessFacts> {
  return {
    apiVersion: reads.version,
    access: reads.access,
    clusterUid: async () => {
      const {metadata} = await reads.kubeSystem();
      if (metadata.uid === undefined) throw new MeshError('API_ERROR', 'the namespace kube-system has no UID');
      return metadata.uid;
    },
    rbac: async () => readRbac(await reads.rbac()),
    remoteCredentials: async () => (await reads.remoteSecrets()).flatMap(readRemoteSecret),
  };
}
