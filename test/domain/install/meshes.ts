import type {MeshError} from '../../../src/domain/errors.js';
import {parseVersion} from '../../../src/domain/istio/version.js';
import {resolveVersion, type KnownVersion} from '../../../src/domain/istio/versions.js';
import type {Mesh, MeshCluster} from '../../../src/domain/mesh/mesh.js';

/** Returns a mesh with one primary, as in the guide, with the given changes. */
export function meshWith(change: Partial<Mesh> = {}): Mesh {
  return {
    meshID: 'mesh1',
    trustDomain: 'cluster.local',
    istio: {namespace: 'istio-system', profile: 'default'},
    trust: {
      keyAlgorithm: 'ecdsa-p256',
      rootValidityDays: 3650,
      clusterValidityDays: 730,
      signer: {type: 'local'},
      keepClusterKeys: true,
      rotationReady: true,
      expiry: {warn: {share: 0.3, days: 30, capDays: 180}, error: {share: 0.1, days: 7, capDays: 60}},
    },
    discovery: {token: 'bound', tokenLifetimeDays: 90},
    topology: {gateway: 'istio'},
    verify: {image: 'agnhost'},
    clusters: [primary('cluster1')],
    ...change,
  };
}

/** Returns a primary on network1. */
export function primary(name: string, change: Partial<MeshCluster> = {}): MeshCluster {
  return {name, network: 'network1', role: 'primary', ...change};
}

/** Resolves a version, which must be a release. */
export function release(text: string): KnownVersion {
  if (!parseVersion(text)) throw new Error(`${text} is not a version`);
  return resolveVersion(text);
}

/** Returns the code of the error that this throws. */
export function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (thrown) {
    return (thrown as MeshError).code;
  }
  throw new Error('expected an error');
}
