import type {ClusterFactValues} from '../domain/facts/facts.js';
import {MeshError} from '../domain/errors.js';
import type {Reads} from './cluster-reader.js';

/** The version of the API server. Throws `API_ERROR` where it is not in the answer. */
export async function readApiVersion(
  reads: Pick<Reads, 'read'>,
  context: string,
): Promise<ClusterFactValues['apiVersion']> {
  const {gitVersion, major, minor} = versionFields(await reads.read('version'));
  if (typeof gitVersion !== 'string') {
    throw new MeshError('API_ERROR', `the API server of context "${context}" says no version`);
  }
  // Some providers write `27+` for the minor version.
  const numbers = {major: Number.parseInt(String(major), 10), minor: Number.parseInt(String(minor), 10)};
  if (Number.isNaN(numbers.major) || Number.isNaN(numbers.minor)) {
    throw new MeshError('API_ERROR', `the API server of context "${context}" says "${gitVersion}" and no numbers`);
  }
  return {gitVersion, ...numbers};
}

/** The minor version alone; undefined where the answer has none. */
export async function readMinorVersion(reads: Pick<Reads, 'read'>): Promise<number | undefined> {
  const minor = Number.parseInt(String(versionFields(await reads.read('version')).minor), 10);
  return Number.isNaN(minor) ? undefined : minor;
}

function versionFields(answer: unknown): Partial<Record<'gitVersion' | 'major' | 'minor', unknown>> {
  return answer ?? {};
}
