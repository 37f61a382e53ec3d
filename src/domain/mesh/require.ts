/** Asks a partial mesh for what an operation needs, and says how to give it. */
import {MeshError} from '../errors.js';
import {advice} from '../suggest/advice.js';
import {kubectlMesh, lookWith, words} from '../suggest/suggestion.js';
import type {Mesh, MeshCluster} from './mesh.js';

/** The mesh ID and the cluster's network: what Istio has to be told. Throws `MISSING_VALUE`, which names all that is missing. */
export function requireIstioNames(
  {meshID}: Mesh,
  {name, network}: MeshCluster,
): {readonly meshID: string; readonly network: string} {
  if (meshID !== undefined && network !== undefined) return {meshID, network};
  const missing = [
    {value: meshID, what: 'the mesh has no mesh ID', flag: ['--mesh-id', 'mesh1'], field: 'meshID'},
    {
      value: network,
      what: `cluster ${name} has no network`,
      flag: ['--network', 'network1'],
      field: `network of ${name}`,
    },
  ].filter(({value}) => value === undefined);
  const list = (one: 'what' | 'field'): string => missing.map((each) => each[one]).join(' and ');
  const flags = missing.flatMap(({flag}) => flag);
  throw new MeshError('MISSING_VALUE', list('what'), {
    hints: [
      advice`say it, in the guide's words: ${kubectlMesh('install render', [name, ...flags])}`,
      `or write it into mesh.yaml: ${list('field')}`,
    ],
  });
}

/** The cluster's kubeconfig context: the current context is never used. Throws `NO_CONTEXT`. */
export function requireContext(cluster: MeshCluster): string {
  if (cluster.context !== undefined) return cluster.context;
  throw new MeshError('NO_CONTEXT', `no kubeconfig context is known for cluster ${cluster.name}`, {
    hints: [
      advice`record one: ${kubectlMesh('init', words`${cluster.name}=CONTEXT`)}`,
      'or say it with --context CONTEXT',
      advice`${lookWith.kubectl('any', words`config get-contexts`)} lists what your kubeconfig has`,
    ],
  });
}
