/** Which cluster it is, and which Kubernetes. */
import {defined} from '../domain/defined.js';
import type {ClusterFactValues} from '../domain/facts/facts.js';
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

type ApiVersion = ClusterFactValues['apiVersion'];

/** What the API server says of its version. Some providers write `27+` for the minor one. */
export async function readReportedVersion(reads: Pick<Reads, 'read'>): Promise<Partial<ApiVersion>> {
  const {gitVersion, ...said} = ((await reads.read('version')) ?? {}) as Partial<Record<keyof ApiVersion, unknown>>;
  const [major, minor] = [said.major, said.minor].map((text) => Number.parseInt(String(text), 10));
  return defined({
    gitVersion: typeof gitVersion === 'string' ? gitVersion : undefined,
    major: Number.isNaN(major) ? undefined : major,
    minor: Number.isNaN(minor) ? undefined : minor,
  });
}

/** The version of the API server. Throws `API_ERROR` where it is not in the answer. */
export async function readApiVersion(reads: Pick<Reads, 'read'>, context: string): Promise<ApiVersion> {
  const {gitVersion, major, minor} = await readReportedVersion(reads);
  const server = `the API server of context "${context}"`;
  if (gitVersion === undefined) throw new MeshError('API_ERROR', `${server} says no version`);
  if (major !== undefined && minor !== undefined) return {gitVersion, major, minor};
  throw new MeshError('API_ERROR', `${server} says "${gitVersion}" and no numbers`);
}
