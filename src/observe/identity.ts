import {MeshError} from '../domain/errors.js';
import type {Reads} from './cluster-reader.js';

/**
 * The UID of a cluster: that of its namespace kube-system. Throws `API_ERROR` where it has none, and what keeps it from being
 * read.
 */
export async function readClusterUid(reads: Pick<Reads, 'read'>): Promise<string> {
  const {uid} = (await reads.read('kubeSystem')).metadata;
  if (uid === undefined || uid === '') throw new MeshError('API_ERROR', 'the namespace kube-system has no UID');
  return uid;
}
