/** Facts about a cluster's directory in the work directory. */
import type {InstallFileFacts} from '../../domain/facts/facts.js';
import {clusterCaFacts} from '../../domain/facts/read/cluster-ca.js';
import {MeshError} from '../../domain/errors.js';
import {describeStale, installYamlState, renderedVersion} from '../../domain/install/install-yaml.js';
import {resolveVersion} from '../../domain/istio/versions.js';
import {clusterLayout} from '../../domain/mesh/layout.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import type {Deps} from '../../engine/deps.js';
import type {Derivations} from '../fact-sources.js';
import {gatherRenderings} from '../renderings.js';

export const clusterDirectoryFacts: Derivations<'caFiles' | 'installFile'> = {
  caFiles: async ({workDirCa}) => {
    const {files, inspection} = await workDirCa();
    return clusterCaFacts(files, inspection);
  },
  installFile: ({deps, mesh, cluster}) => readInstallFile(deps, mesh, cluster),
};

async function readInstallFile(deps: Deps, mesh: Mesh, cluster: MeshCluster): Promise<InstallFileFacts> {
  const text = await deps.workspace.readText(clusterLayout(cluster.name).installYaml);
  if (text === undefined) return {state: 'absent'};
  const state = installYamlState(text);
  if (state === 'foreign') return {state};
  if (state === 'edited') return {state: 'stale', difference: 'edited by hand since it was rendered'};
  // The version it was rendered for is used if mesh.yaml does not set one.
  const version = resolveVersion(mesh.istio.version ?? renderedVersion(text) ?? '');
  const [rendering] = await gatherRenderings(mesh, [cluster], version, deps);
  if (!rendering) return {state: 'absent'};
  const {rendered} = rendering;
  if (rendered instanceof MeshError)
    return {state: 'stale', difference: `cannot render mesh.yaml: ${rendered.message}`};
  const now = rendered.text;
  return now === text ? {state: 'current'} : {state: 'stale', difference: describeStale(text, now).text};
}
