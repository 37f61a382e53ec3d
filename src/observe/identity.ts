/** Reads a cluster's UID and its Kubernetes version. */
import {defined} from '../domain/defined.js';
import type {ClusterFactValues} from '../domain/facts/facts.js';
import {MeshError} from '../domain/errors.js';
import {readVersion} from '../domain/kube/responses.js';
import type {Reads} from './cluster-reader.js';

/**
 * Reads a cluster's UID, which is that of namespace kube-system. Throws `API_ERROR` if the namespace has none, and what
 * reading throws.
 */
export async function readClusterUid(reads: Pick<Reads, 'read'>): Promise<string> {
  const {uid} = (await reads.read('kubeSystem')).metadata;
  if (uid === undefined || uid === '') throw new MeshError('API_ERROR', 'the namespace kube-system has no UID');
  return uid;
}

type ApiVersion = ClusterFactValues['apiVersion'];

/**
 * Reads the version that the API server reports. Some providers report a minor version such as `27+`. Throws `API_ERROR` if the
 * response is something else.
 */
export async function readReportedVersion(reads: Pick<Reads, 'read'>, context: string): Promise<Partial<ApiVersion>> {
  const request = {verb: 'get', resource: '/version', context} as const;
  const {gitVersion, ...reported} = readVersion(request, await reads.read('version'));
  const [major, minor] = [reported.major, reported.minor].map((text) => Number.parseInt(text ?? '', 10));
  return defined({
    gitVersion,
    major: Number.isNaN(major) ? undefined : major,
    minor: Number.isNaN(minor) ? undefined : minor,
  });
}

/** Reads the API server's version. Throws `API_ERROR` if the response does not contain it. */
export async function readApiVersion(reads: Pick<Reads, 'read'>, context: string): Promise<ApiVersion> {
  const {gitVersion, major, minor} = await readReportedVersion(reads, context);
  const server = `the API server of context "${context}"`;
  if (gitVersion === undefined) throw new MeshError('API_ERROR', `${server} does not report a version`);
  if (major !== undefined && minor !== undefined) return {gitVersion, major, minor};
  throw new MeshError('API_ERROR', `${server} reports version "${gitVersion}" without major and minor numbers`);
}
