import {type ClusterState, clusterStateOf, type RootState} from '../../domain/ca/workdir-state.js';
import {meshNames} from '../../domain/mesh/mesh.js';
import type {CaFileReader} from '../../observe/ca-files.js';
import type {LoadedMesh} from './load-mesh.js';

/** The selected clusters, their files checked against the root. */
export async function judgeClusters(
  {mesh, clusters}: Pick<LoadedMesh, 'mesh' | 'clusters'>,
  reader: CaFileReader,
  root: RootState,
  now: Date,
): Promise<readonly {readonly name: string; readonly state: ClusterState}[]> {
  const context = {declared: mesh.clusters, names: meshNames(mesh), now};
  return Promise.all(
    clusters.map(async ({name}) => ({name, state: clusterStateOf(name, await reader.cluster(name), root, context)})),
  );
}
