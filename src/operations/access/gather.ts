/** Reads what `access show` evaluates: the RBAC, remote secrets and mounted Secrets of every cluster. */
import {withMeshNames} from '../../domain/access/mesh-names.js';
import type {ClusterAccess} from '../../domain/access/transitive.js';
import {mountedSecrets} from '../../domain/istio/ca-source.js';
import {uidMismatches} from '../../domain/mesh/identity.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {observe, type Observed, valueOr} from '../../domain/observed.js';
import type {Deps} from '../../engine/deps.js';
import type {RunSettings} from '../../engine/operation.js';
import {readCaSources} from '../../observe/ca-files.js';
import {ClusterReader, eachCluster} from '../../observe/cluster-reader.js';
import {readRbacFacts, readRemoteCredentials} from '../../observe/facts/access.js';
import {readClusterUid} from '../../observe/identity.js';
import {loadMesh, type LoadedMesh, type MeshRequest} from '../shared/load-mesh.js';

/** What was read from one cluster. */
export interface AccessObservation {
  readonly cluster: MeshCluster;
  readonly uid: Observed<string>;
  readonly rbac: Observed<ClusterAccess['rbac']>;
  readonly remotes: Observed<ClusterAccess['remotes']>;
  /** The Secrets that istiods mount. */
  readonly mounted: Observed<readonly string[]>;
  /** Whether everything was read; otherwise every missing right, or the first error. */
  readonly complete: Observed<unknown>;
}

/** The observations of all clusters. */
export interface AccessFacts {
  readonly loaded: LoadedMesh;
  readonly observations: readonly AccessObservation[];
}

/** Reads all clusters of the mesh: one that was not selected may hold a remote secret for a selected one. */
export async function gatherAccess(deps: Deps, request: MeshRequest, {concurrency}: RunSettings): Promise<AccessFacts> {
  const loaded = await loadMesh(deps, request);
  const names = new Set(loaded.clusters.map(({name}) => name));
  const others = loaded.mesh.clusters.filter(({name}) => !names.has(name));
  const observations = await eachCluster([...loaded.clusters, ...others], concurrency, (cluster) =>
    observeCluster(deps, cluster, loaded.mesh),
  );
  return {loaded, observations: discardMismatches(loaded.mesh, observations)};
}

async function observeCluster(deps: Deps, cluster: MeshCluster, mesh: Mesh): Promise<AccessObservation> {
  const reader = new ClusterReader(deps.clusters, {cluster, istioNamespace: mesh.istio.namespace});
  const [uid, rbac, remotes, mounted] = await Promise.all([
    observe(() => readClusterUid(reader)),
    observe(() => readRbacFacts(reader)),
    observe(async () => withMeshNames(await readRemoteCredentials(reader), mesh)),
    observe(async () => mountedSecrets(await readCaSources(reader, 'istiods'))),
  ]);
  return {cluster, uid, rbac, remotes, mounted, complete: await observe(() => reader.summary())};
}

/** Marks clusters as unknown if their context points to a different cluster than the one in mesh.yaml. */
function discardMismatches(mesh: Mesh, observations: readonly AccessObservation[]): readonly AccessObservation[] {
  const uids = observations.map(({cluster: {name}, uid}) => ({name, uid: valueOr(uid, undefined)}));
  const mismatches = uidMismatches(mesh, uids);
  return observations.map((one): AccessObservation => {
    const unknown = mismatches.get(one.cluster.name);
    return unknown ? {...one, rbac: {unknown}, remotes: {unknown}, complete: {unknown}} : one;
  });
}
