/** Asks a partial mesh for what an operation needs, and says how to give it. */
import {MeshError} from '../errors.js';
import type {Mesh, MeshCluster} from './mesh.js';

/** The mesh ID. Throws `MISSING_VALUE`. */
export function requireMeshId(mesh: Mesh): string {
  if (mesh.meshID !== undefined) return mesh.meshID;
  throw new MeshError('MISSING_VALUE', 'the mesh has no mesh ID', {
    hints: [
      'kubectl mesh install render CLUSTER --mesh-id ID records one (the guide calls it mesh1)',
      'or write meshID into mesh.yaml',
    ],
  });
}

/** The cluster's network. Throws `MISSING_VALUE`. */
export function requireNetwork(cluster: MeshCluster): string {
  if (cluster.network !== undefined) return cluster.network;
  throw new MeshError('MISSING_VALUE', `cluster ${cluster.name} has no network`, {
    hints: [
      `kubectl mesh install render ${cluster.name} --network NETWORK records one (the guide calls it network1)`,
      `or write network for ${cluster.name} into mesh.yaml`,
    ],
  });
}

/** The cluster's kubeconfig context: the current context is never used. Throws `NO_CONTEXT`. */
export function requireContext(cluster: MeshCluster): string {
  if (cluster.context !== undefined) return cluster.context;
  throw new MeshError('NO_CONTEXT', `no kubeconfig context is known for cluster ${cluster.name}`, {
    hints: [
      `kubectl mesh init ${cluster.name}=CONTEXT records one; --context CONTEXT says it for this cluster`,
      'kubectl config get-contexts lists what your kubeconfig has',
    ],
  });
}
