/** Facts about a cluster's directory in the work directory. */
import type {InstallFileFacts} from '../../domain/facts/facts.js';
import {clusterCaFacts} from '../../domain/facts/read/cluster-ca.js';
import {MeshError} from '../../domain/errors.js';
import {describeStale, installYamlState, renderedVersion} from '../../domain/install/install-yaml.js';
import {fileChange, type RenderedFile} from '../../domain/install/rendered-file.js';
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
  const {rendered, files} = rendering;
  if (rendered instanceof MeshError)
    return {state: 'stale', difference: `cannot render mesh.yaml: ${rendered.message}`};
  const stale = files.find((file) => fileChange(file) !== undefined);
  return stale ? {state: 'stale', difference: describeChange(stale)} : {state: 'current'};
}

function describeChange(file: RenderedFile): string {
  const {path, present, text} = file;
  if (text === undefined) return `${path} is no longer rendered`;
  if (present === undefined) return `${path} not found`;
  return describeStale(present, text).text;
}
