/** Gathers the facts of a push: the work directory's CA and the observed trust of each cluster. */
import {type CaFiles, caFileNames} from '../../domain/ca/ca-files.js';
import type {SecretData} from '../../domain/kube/object.js';
import type {Mesh, MeshCluster} from '../../domain/mesh/mesh.js';
import {externalCaReason} from '../../domain/mesh/signer.js';
import {isKnown} from '../../domain/observed.js';
import {type CacertsSecret, dataOfFiles} from '../../domain/trust/cacerts.js';
import {type ClusterTrust, secretOf} from '../../domain/trust/cluster-trust.js';
import type {DesiredCa} from '../../domain/trust/diff.js';
import {isInPlace} from '../../domain/trust/plan-push.js';
import type {Deps} from '../../engine/deps.js';
import type {RunSettings} from '../../engine/operation.js';
import {readWorkDirCa} from '../../observe/ca-files.js';
import {eachCluster} from '../../observe/cluster-reader.js';
import {presentsOtherCa, readTrust} from '../../observe/trust-state.js';
import {loadMesh, type MeshRequest} from '../shared/load-mesh.js';
import type {TrustTarget} from './actions.js';
import {factsOf, type TrustFacts, type TrustRules} from './plan-changes.js';

/** `trust push CLUSTER...`. */
export interface PushRequest extends MeshRequest, TrustRules {}

/** A cluster and its CA in the work directory. */
export interface ClusterCa {
  readonly cluster: MeshCluster;
  readonly own: DesiredCa;
}

/**
 * Gathers the facts of all selected clusters. `probesIstiods`: in a cluster that already has the CA, checks whether each istiod
 * presents it, which requires a connection to each istiod pod. Throws what {@link loadMesh} and querying an istiod throw.
 */
export async function gatherPush(
  deps: Deps,
  request: PushRequest,
  {concurrency}: Pick<RunSettings, 'concurrency'>,
  probesIstiods: boolean,
): Promise<TrustFacts> {
  const loaded = await loadMesh(deps, request);
  const {mesh} = loaded;
  const clusters = externalCaReason(mesh.trust.signer) === undefined ? loaded.clusters : [];
  const gather = async ({cluster, own}: ClusterCa): Promise<TrustTarget> => {
    const trust = await readTrust(deps, mesh, cluster, (observed) =>
      request.allowRootChange || isInPlace(own, observed) ? undefined : own.inspection,
    );
    const inPlace = probesIstiods && isKnown(trust.seen) && isInPlace(own, trust.seen.value);
    const ca = own.inspection.certificate?.fingerprint;
    const pendingReload = inPlace && (await presentsOtherCa(deps, trust, mesh.istio.namespace, ca));
    return pushTarget(mesh, trust, own, pendingReload);
  };
  return factsOf(deps, loaded, await eachCluster(await readCas(deps, mesh, clusters), concurrency, gather));
}

/**
 * Reads the work directory's CA of each cluster. All files are read before any cluster: clusters are then opened in the order in
 * which they are declared, so that credential plugins prompt in that order.
 */
export function readCas(deps: Deps, mesh: Mesh, clusters: readonly MeshCluster[]): Promise<readonly ClusterCa[]> {
  return Promise.all(clusters.map(async (cluster) => ({cluster, own: await readWorkDirCa(deps, mesh, cluster.name)})));
}

/** The target of a push of this CA. */
export function pushTarget(
  {istio: {namespace}, trust: {keepClusterKeys}}: Mesh,
  trust: ClusterTrust,
  own: DesiredCa,
  pendingReload: boolean,
): TrustTarget {
  const {name, network} = trust.cluster;
  return {
    trust,
    target: {cluster: name, namespace, pendingReload, network, own, what: `${name}/${caFileNames.caCert}`},
    data: dataToWrite(own.files, secretOf(trust, 'cacerts')),
    order: 'keep-first',
    removesKey: !keepClusterKeys && own.files.caKey !== undefined,
  };
}

/** The Secret's data: from the work directory, the CA key from the cluster if the work directory no longer has it. */
function dataToWrite(files: CaFiles, cacerts: CacertsSecret | undefined): SecretData | undefined {
  const {caKey = cacerts?.files.caKey} = files;
  return dataOfFiles({...files, caKey}, cacerts);
}
